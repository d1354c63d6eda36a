// What is wrong, missing or misspelt in what a façade is given, told by the name that its user wrote.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BandwidthRtc, Rooms } from 'offhook/compat/bandwidth'
import { ExotelWebClient } from 'offhook/compat/exotel'
import { PureCloudWebrtcSdk } from 'offhook/compat/purecloud'
import { WhistleEngine } from 'offhook/compat/whistle'
import { XcWebrtc } from 'offhook/compat/xivo'
import { optionNames } from '../../dist/wire.js'
import { pbxOf } from '../pbx.mjs'
import { failure, meeting } from './bandwidth-harness.mjs'

const engineWords = /`|missing field|invalid type|unknown variant|expected one of|at line \d/
/** Kinds that no member of a façade may have. */
const kinds = { null: null, NaN, 'a symbol': Symbol('s'), 'a map': new Map(), 'an array': [[]], 'a line break': 'a\r\nb' }

/** Each option of a phone, as its member of `phone`, with something that it can't be. */
function* wrongPhones() {
  const owners = { audioOptions: 'audio', autoAnswerOptions: 'autoAnswer', dtmfOptions: 'dtmf', opusOptions: 'opus', sessionTimersOptions: 'sessionTimers', portRangeOptions: 'portRange', tlsOptions: 'tls', toneOptions: 'tones', listenOptions: 'listen', placeOption: 'listen.udp', listenTlsOptions: 'listen.tls' }
  const lists = { iceServer: ['iceServers', { urls: 'stun:a' }], weightedServer: ['servers', { url: 'wss://a' }] }
  // Each end of a range needs the other.
  const tls = { port: 5061, cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' }
  const others = { portRange: { min: 40000, max: 40001 }, 'listen.udp': { port: 5060 }, 'listen.tls': tls }
  const { options, ...inside } = optionNames
  const holder = (owner, object) => {
    const [first, inner] = owner.split('.')
    const held = { ...others[owner], ...object }
    return { [first]: inner ? { [inner]: held } : held, ...(first === 'listen' && { peers: ['127.0.0.1'] }) }
  }
  for (const wrong of [null, NaN, Symbol('s'), new Map(), [[]], -1, 10n]) {
    for (const option of [...options, 'misspelt']) yield [option, { [option]: wrong }]
    for (const [object, names] of Object.entries(inside)) {
      const [list, right] = lists[object] ?? []
      if (list) for (const name of names) yield [`${list}[0].${name}`, { [list]: [{ ...right, [name]: wrong }] }]
      else for (const name of names) yield [`${owners[object]}.${name}`, holder(owners[object], { [name]: wrong })]
    }
  }
}

function loggerOf() {
  const lines = []
  return { lines, logger: { debug() {}, log() {}, info() {}, error() {}, warn: (line) => lines.push(line) } }
}

describe("Exotel's account", () => {
  const account = { userName: 'alice', authUser: 'alice', sipdomain: 'example.com', domain: 'example.com:443', displayname: 'A', secret: 's', port: '443', security: 'wss' }
  const told = (more) => {
    const { lines, logger } = loggerOf()
    const client = new ExotelWebClient()
    const made = client.initWebrtc({ ...account, ...more, phone: more.phone ?? { audio: 'none', logger } }, () => {}, () => {})
    return { made, client, line: lines.at(-1) ?? '' }
  }
  const silence = (t) => t.mock.method(console, 'warn', () => {})

  for (const member of ['userName', 'authUser', 'sipdomain', 'domain', 'displayname', 'displayName', 'secret', 'port', 'security', 'endpoint', 'sipUri', 'contactHost']) {
    test(`${member} is named by what is said of each wrong kind`, async () => {
      for (const [what, value] of Object.entries(kinds)) {
        // What another member says instead, or what only names the phone here, is never sent.
        if (['displayName', 'userName'].includes(member) && what === 'a line break') continue
        const { made, client, line } = told({ [member]: value })
        await client.destroy()
        assert.equal(made, false, what)
        assert.ok(line.includes(`'${member}'`) || line.includes(`'${member.toLowerCase()}'`) || line.endsWith(`${member} is missing`), `${what}: ${line}`)
        assert.doesNotMatch(line, engineWords)
      }
    })
  }

  test('an empty secret, which an unset variable makes, is told', () => {
    assert.match(told({ secret: '' }).line, /Option 'secret' must be a non-empty string, but is an empty string$/)
  })

  test('a secret that came as a number is not shown', () => {
    assert.match(told({ secret: 918273645 }).line, /Option 'secret' must be a non-empty string, but is a number$/)
  })

  test('the name to show is called as it was given', () => {
    assert.match(told({ displayname: undefined, displayName: 'a\nb' }).line, /Option 'displayName' must be /)
    assert.match(told({ displayName: undefined, displayname: 'a\nb' }).line, /Option 'displayname' must be /)
  })

  test('a misspelt member is told, and has no effect', async () => {
    const { made, client, line } = told({ dispalyname: 'Alice' })
    await client.destroy()
    assert.deepEqual([made, line], [true, "[offhook] initWebrtc: 'dispalyname' is unknown and has no effect"])
  })

  test('an option of the phone is named as one', (t) => {
    const warn = silence(t)
    assert.equal(told({ phone: { audio: 42 } }).made, false)
    assert.match(warn.mock.calls[0].arguments[0], /Option 'phone\.audio' must be /)
  })

  test('every option of the phone is named as one, whatever it is', async () => {
    for (const [option, wrong] of wrongPhones()) {
      const { lines, logger } = loggerOf()
      const client = new ExotelWebClient()
      assert.equal(client.initWebrtc({ ...account, phone: { audio: 'none', logger, ...wrong } }, () => {}, () => {}), false, option)
      assert.ok(lines.at(-1).includes(`Option 'phone.${option}`), `${option}: ${lines.at(-1)}`)
      assert.doesNotMatch(lines.at(-1), engineWords)
      await client.destroy()
    }
  })

  test('what MakeCall asks with is named, and no segment of a path climbs', async () => {
    const { client } = told({})
    const parameters = { To: '1', CallerId: '2' }
    const api = { apiKey: 'k', apiToken: 't', accountSid: 'sid', baseUrl: 'http://127.0.0.1:1' }
    for (const [wrong, text] of [
      [{ apiKey: undefined }, /^Option 'apiKey' must be a non-empty string, but is undefined$/],
      [{ accountSid: '' }, /^Option 'accountSid' must be /],
      [{ baseUrl: 'api.exotel.com' }, /^Option 'baseUrl' must be an http: or https: URL, but is a string$/],
      [{ accountSid: '..' }, /names nothing in a path/],
    ]) {
      await assert.rejects(client.MakeCall({ ...api, ...wrong }, parameters), ({ message }) => text.test(message))
    }
    await client.destroy()
  })
})

describe("Lumen's configuration", () => {
  const told = (more) => {
    const { lines, logger } = loggerOf()
    const engine = new WhistleEngine()
    const started = engine.start({ user: 'web', domain: 'example.com', phone: { audio: 'none', logger }, ...more })
    if (started) engine.stop()
    return { started, line: lines.at(0) ?? '' }
  }

  for (const member of ['user', 'domain', 'proxy', 'port', 'insecure', 'authorization_jwt', 'register', 'debug', 'call_failed', 'error']) {
    test(`${member} is named by what is said of each wrong kind`, () => {
      for (const [what, value] of Object.entries(kinds)) {
        const { started, line } = told({ [member]: value })
        assert.equal(started, false, what)
        assert.ok(line.includes(`'${member}'`) || line.endsWith(`${member} is missing`), `${what}: ${line}`)
        assert.doesNotMatch(line, engineWords)
      }
    })
  }

  test('a token that is not there is told', () => {
    for (const authorization_jwt of ['', 'Bearer ', `Bearer ${undefined}`]) {
      assert.equal(told({ authorization_jwt }).line, "[offhook] start: Option 'authorization_jwt' must be 'Bearer ' and a token, but is " + (authorization_jwt ? 'a string' : 'an empty string'))
    }
  })

  test('every option of the phone is named as one, whatever it is', () => {
    for (const [option, wrong] of wrongPhones()) {
      const { lines, logger } = loggerOf()
      const engine = new WhistleEngine()
      assert.equal(engine.start({ user: 'web', domain: 'example.com', phone: { audio: 'none', logger, ...wrong } }), false, option)
      assert.ok(lines.at(-1).includes(`Option 'phone.${option}`), `${option}: ${lines.at(-1)}`)
      assert.doesNotMatch(lines.at(-1), engineWords)
    }
  })

  test('a token that came as a number is not shown, and is called by its own name', () => {
    assert.match(told({ authorization_jwt: 918273645 }).line, /Option 'authorization_jwt' must be .*, but is a number$/)
    const jwt = 'Bearer e30.eyJzdWIiOiJ1c2VyIn0.e30'
    const { lines, logger } = loggerOf()
    told({ authorization_jwt: jwt, phone: { servers: 'ws://127.0.0.1:1', logger } })
    told({ phone: { foo: 1, logger } })
    assert.match(lines[0], /Option 'phone\.servers' must be wss: URLs if authorization_jwt is used/)
    assert.match(lines[1], /Option 'phone\.foo' must be one of accessToken, /)
  })

  test('a misspelt hook is told', () => {
    assert.deepEqual(told({ call_conected() {} }), { started: true, line: "[offhook] start: 'call_conected' is unknown and has no effect" })
  })
})

describe("XiVO's init", () => {
  test('names the argument or the member of the line that is wrong', async () => {
    const line = { name: 'alice', password: 'p', sipProxyName: 'example.com' }
    for (const [args, text] of [
      [[line, undefined, true, 443], /^Option 'name' must be a non-empty string, but is undefined$/],
      [[line, 'alice', true, undefined], /^Option 'websocketPort' must be a port, 1 to 65535, but is undefined$/],
      [[line, 'alice', true, 'x'], /^Option 'websocketPort' must be /],
      [[line, 'alice', true, 443, 42], /^Option 'token' must be /],
      [[line, 'alice', true, 443, 't', undefined, ''], /^Option 'ip' must be /],
      [[line, 'alice', true, 443, 't', undefined, 'a b'], /^Option 'ip' with 'websocketPort' must be a ws: or wss: URL/],
      [[{ ...line, name: 'a b' }, 'alice', true, 443, 't', undefined, '127.0.0.1'], /^Option 'LineConfig\.name' with 'LineConfig\.sipProxyName' must be a SIP URI/],
      [[{ ...line, password: '' }, 'alice', true, 443, 't', undefined, '127.0.0.1'], /^Option 'LineConfig\.password' must be /],
      [[{ ...line, sipProxyName: '../x' }, 'alice', true, 443, 't', undefined, '127.0.0.1'], /^Option 'LineConfig\.name' with 'LineConfig\.sipProxyName' must be /],
    ]) {
      const xc = new XcWebrtc()
      const reasons = []
      xc.setCustomLogger({ log() {}, info() {}, error() {}, warn() {} })
      xc.setPhoneOptions({ audio: 'none' })
      xc.disableICE()
      xc.setHandler('general', ({ data }) => reasons.push(data?.reason))
      await xc.initByLineConfig(...args)
      await xc.stop()
      assert.equal(reasons.length, 1)
      assert.match(reasons[0], text)
    }
  })
})

describe("Bandwidth's options", { timeout: 30_000 }, () => {
  test('of connect are named, also those of the account', async (t) => {
    const { invite } = await meeting(t)
    const { token } = await invite('Ann')
    const rtc = new BandwidthRtc('silent')
    for (const [options, text] of [
      [{ websocketUrl: undefined, output: { wav: undefined } }, /^'connect' failed: Option 'output\.wav' must be a non-empty string, but is undefined$/],
      [{ output: 42 }, /^'connect' failed: Option 'output' must be /],
      [{ websocketUrl: '' }, /^'connect' failed: Option 'websocketUrl' must be a non-empty string/],
      [{ websocketUrl: 'https://x' }, /^'connect' failed: Option 'websocketUrl' must be a ws: or wss: URL/],
      [{ account: 'alice' }, /^'connect' failed: Option 'account' must be an account with a uri, but is a string$/],
      [{ account: { uri: 'a b' } }, /^'connect' failed: Option 'account\.uri' must be a SIP URI/],
      [{ iceServer: [] }, /^'connect' failed: Option 'iceServer' must be one of .*, but is unknown$/],
      [{ iceServers: [{}] }, /^'connect' failed: Option 'iceServers\[0\]\.urls' must be /],
      [null, /^'connect' failed: Option 'options of connect' must be an object, but is null$/],
    ]) {
      const error = await failure(rtc.connect({ deviceToken: token }, options))
      assert.equal(error.name, 'BandwidthRtcError')
      assert.match(error.message, text)
    }
  })

  test('of the rooms are named', async (t) => {
    const { open } = await pbxOf(t)
    const phone = await open('alice')
    for (const [options, text] of [
      [undefined, /^Option 'address' must be /],
      [{ address: undefined }, /^Option 'address' must be /],
      [{ address: 'sip:a@b', maxParticipant: 5 }, /^Option 'maxParticipant' must be one of .*, but is unknown$/],
      [{ address: 'sip:a@b', waiting: { wav: undefined } }, /^Option 'waiting\.wav' must be a non-empty string, but is undefined$/],
      [{ address: 'sip:a@b', purgeAfter: '1' }, /^Option 'purgeAfter' must be /],
    ]) {
      assert.throws(() => new Rooms(phone, options), ({ name, message }) => name === 'BandwidthRtcError' && text.test(message))
    }
  })
})

describe('the options of the PureCloud façade', () => {
  test('are named as they were given', () => {
    for (const [wrong, text] of [
      [{ wsHost: 'http://x' }, "Option 'wsHost' must be a ws: or wss: URL"],
      [{ servers: 'http://x' }, "Option 'servers' must be a ws: or wss: URL"],
      [{ wsHost: 'wss://x', servers: 'http://x' }, "Option 'servers' must be a ws: or wss: URL"],
      [{ wsHost: 'ws://x' }, "Option 'wsHost' must be wss: URLs if accessToken is used"],
      [{ iceServers: [{ url: 'xx' }] }, "Option 'iceServers[0].url' must be "],
      [{ iceServers: [{ urls: 'stun:a' }, { url: 'xx' }] }, "Option 'iceServers[1].url' must be "],
      [{ iceServers: [{ urls: 'xx' }] }, "Option 'iceServers[0].urls' must be "],
    ]) {
      const given = { accessToken: 'e30.eyJzdWIiOiJ1c2VyIn0.e30', environment: 'mypurecloud.com', logger: { debug() {}, info() {}, warn() {}, error() {} }, ...wrong }
      assert.throws(() => new PureCloudWebrtcSdk(given), ({ message }) => (assert.ok(message.startsWith(text), message), true))
    }
  })
})

describe("the account of Bandwidth's connect", () => {
  test('is named, or what else was given', async () => {
    const claims = { v: 'sip1', sub: 'a', room: 'sip:r@example.com', key: 'k', exp: 10_000_000_000 }
    const deviceToken = ['{}', JSON.stringify(claims), '{}'].map((part) => Buffer.from(part).toString('base64url')).join('.')
    const uri = 'sip:alice@example.com'
    for (const [options, text] of [
      [{ account: { uri, foo: 1 } }, "Option 'account.foo' must be one of "],
      [{ account: { uri, servers: 'http://x' } }, "Option 'account.servers' must be "],
      [{ account: { uri }, servers: 'http://x' }, "Option 'servers' must be "],
      [{ account: { uri }, websocketUrl: 'http://x', servers: 'wss://x' }, "Option 'websocketUrl' must be "],
      [{ account: { uri: 'x' } }, "Option 'account.uri' must be "],
      [{ account: {}, password: 'x' }, "Option 'account.uri' must be "],
      [{ account: { uri, password: 'p', ha1: 'x' } }, "Option 'account.ha1' must be absent if another of 'account.password', 'account.ha1' and 'account.accessToken' is given"],
    ]) {
      const error = await new BandwidthRtc('error').connect({ deviceToken }, options).catch((reason) => reason)
      assert.ok(error.message.startsWith(`'connect' failed: ${text}`), error.message)
    }
  })
})
