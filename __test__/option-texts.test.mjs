// What the text for a wrong option is: the engine's, with the names that its user wrote.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Softphone, SoftphoneError } from 'offhook'
import { silent } from './phones.mjs'

const account = { uri: 'sip:alice@example.com' }

function refusal(options) {
  try {
    new Softphone(options)
  } catch (error) {
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.code, 'ERR_INVALID_OPTION')
    assert.equal(error.type, 'invalid_options')
    return error.message
  }
  return assert.fail('the options were taken')
}

describe('the text for a wrong option', () => {
  test('without any the error is the text of the PureCloud SDK', () => {
    assert.equal(refusal(), 'Options required to create an instance of the SDK')
    assert.equal(refusal(null), 'Options required to create an instance of the SDK')
  })

  test('an unknown one is an error that names it', () => {
    assert.match(refusal({ ...account, pasword: 'x' }), /^Option 'pasword' must be one of accessToken, .*, but is unknown$/)
    assert.match(refusal({ ...account, tls: { rejectUnauthorised: false } }), /^Option 'tls\.rejectUnauthorised' must be one of/)
    assert.match(refusal({ ...account, toString: 1 }), /^Option 'toString' must be one of/)
  })

  for (const [wrong, text] of [
    [{ register: 'yes' }, "Option 'register' must be a boolean, but is a string"],
    [{ dtx: 'yes' }, "Option 'dtx' must be a boolean, but is a string"],
    [{ registerExpires: '600' }, "Option 'registerExpires' must be a whole number of seconds from 1 to 86400, but is a string"],
    [{ iceTransportPolicy: 'none' }, "Option 'iceTransportPolicy' must be 'all' or 'relay', but is a string"],
    [{ password: '' }, "Option 'password' must be a non-empty string, but is an empty string"],
    [{ realm: [] }, "Option 'realm' must be at least one realm, but is an empty array"],
    [{ realm: ['home', 7] }, "Option 'realm[1]' must be a non-empty string, but is a number"],
    [{ password: 1234 }, "Option 'password' must be a non-empty string, but is a number"],
    [{ audio: { fallback: 'speaker' } }, "Option 'audio.fallback' must be 'default' or 'none', but is a string"],
    [{ audio: { echoCancellation: 'on' } }, "Option 'audio.echoCancellation' must be a boolean, but is a string"],
    [{ audio: { noiseSuppression: null } }, "Option 'audio.noiseSuppression' must be a boolean, but is null"],
    [{ audio: { autoGain: true } }, /^Option 'audio\.autoGain' must be one of input, .*autoGainControl, but is unknown$/],
    [{ audio: { fallback: null } }, /^Option 'audio\.fallback' must be/],
    [{ codecs: ['opus', 'speex'] }, "Option 'codecs[1]' must be one of 'opus', 'G722', 'PCMU', 'PCMA', but is a string"],
    [{ opus: { rate: 44100 } }, "Option 'opus.rate' must be 8000, 16000, 24000 or 48000, but is the number 44100"],
    [{ codecs: [] }, "Option 'codecs' must be an array of 'opus', 'G722', 'PCMU' and 'PCMA', each once, but is an empty array"],
    [{ servers: ['wss://a', { uri: 'wss://b' }] }, "Option 'servers[1].uri' must be one of url, priority, weight, but is unknown"],
    [{ servers: { priority: 1 } }, "Option 'servers.url' must be a non-empty string, but is undefined"],
    [{ iceServers: [{ username: 'u' }] }, "Option 'iceServers[0].urls' must be a non-empty string or an array of them, but is undefined"],
    [{ tls: { ca: 7 } }, "Option 'tls.ca' must be a PEM certificate or an array of them, but is a number"],
    [{ tls: { pin: 'c2hvcnQ=' } }, /^Option 'tls\.pin' must be the base64 of 32 octets, .*, but is another string$/],
    [{ httpProxy: 7 }, /^Option 'httpProxy' must be a proxy's URL .* but is a number$/],
    [{ logger: {} }, "Option 'logger' must be a logger with a function 'debug', such as console, but is an object"],
    [{ logLevel: 'loud' }, "Option 'logLevel' must be 'trace', 'debug', 'log', 'info', 'warn' or 'error', but is a string"],
    [{ extraHeaders: { 'X-A': 1 } }, "Option 'extraHeaders.X-A' must be a string, but is a number"],
    [{ autoAnswer: 'sometimes' }, "Option 'autoAnswer' must be 'off', 'announced', 'headers', 'always' or a function, but is another string"],
    [{ autoAnswer: { whenBusy: 'shout' } }, "Option 'autoAnswer.whenBusy' must be 'ring', 'answer' or 'reject', but is a string"],
    [{ audio: { input: 7 } }, /^Option 'audio\.input' must be 'default', 'none', the id of a device, .* but is a number$/],
    [{ audio: { input: { wav: 'a.wav', lop: true } } }, "Option 'audio.input.lop' must be one of wav, loop, level, but is unknown"],
    [{ audio: { output: new Date() } }, /but is an object \(Date\)$/],
    [{ maxSessions: 0 }, "Option 'maxSessions' must be a whole number of sessions from 1 to 1000000, but is the number 0"],
    [{ maxRinging: 0 }, "Option 'maxRinging' must be a whole number of calls from 1 to 1000, but is the number 0"],
    [{ whenFull: 'away' }, "Option 'whenFull' must be 'busy' or 'unavailable', but is a string"],
    [{ noAnswerTimeout: 10 }, "Option 'noAnswerTimeout' must be a whole number of milliseconds from 1000 to 3600000, but is the number 10"],
    [{ mediaTimeout: 10 }, "Option 'mediaTimeout' must be a whole number of milliseconds from 1000 to 3600000, but is the number 10"],
    [{ mediaTimeout: '1 minute' }, /^Option 'mediaTimeout' must be a whole number of milliseconds from 1000 to 3600000, but is a string$/],
    [{ autoAnswer: { policy: 'hunter2' } }, "Option 'autoAnswer.policy' must be 'off', 'announced', 'headers', 'always' or a function, but is another string"],
    [{ autoAnswer: 'function' }, /^Option 'autoAnswer' must be .* a function or \{/],
    [{ renewable: true }, "Option 'renewable' must be left out, but is unknown"],
    [{ logLevel: null }, /^Option 'logLevel' must be .* but is null$/],
    [{ environment: '' }, "Option 'environment' must be a non-empty string, but is an empty string"],
    [{ environment: 'a b' }, "Option 'environment' must be a domain name, but is another string"],
    [{ realm: '' }, "Option 'realm' must be a non-empty string, but is an empty string"],
    [{ registerExpires: () => {} }, "Option 'registerExpires' must be a whole number of seconds from 1 to 86400, but is a function"],
    [{ codecs: ['opus', 'G722', 'OPUS'] }, "Option 'codecs[2]' must be one of 'opus', 'G722', 'PCMU', 'PCMA', but is a string"],
    [{ codecs: ['opus', 'PCMU', 'opus'] }, "Option 'codecs[2]' must be another codec than before, but is the same again"],
    [{ servers: ['ftp://a'] }, /^Option 'servers\[0\]' must be a ws: or wss: URL/],
    [{ maxSessions: NaN }, /^Option 'maxSessions' must be a whole number .* but is the number NaN$/],
  ]) {
    test(`${Object.keys(wrong)[0]}: ${JSON.stringify(Object.values(wrong)[0])} is refused`, () => {
      const message = refusal({ ...account, ...wrong })
      if (typeof text === 'string') assert.equal(message, text)
      else assert.match(message, text)
    })
  }

  test('a text is never repeated in the error, for it may be a secret', () => {
    assert.doesNotMatch(refusal({ ...account, iceTransportPolicy: 'hunter2' }), /hunter2/)
  })

})
