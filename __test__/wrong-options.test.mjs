// Every option and argument, with every kind of value that it can't have: the text names it in the user's words.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { AudioSink, AudioSource, Softphone, SoftphoneError } from 'offhook'
import { Pbx } from 'offhook/testing'
import { optionNames } from '../dist/wire.js'
import { next, pbxOf } from './pbx.mjs'
import { silent } from './phones.mjs'

// A path may be any text: what is kept beside such a file goes here.
const folder = mkdtempSync(join(tmpdir(), 'offhook-options-'))
process.chdir(folder)
after(() => rmSync(folder, { recursive: true }))

/** What the engine's reader of JSON would say, of fields that no user knows. */
const engineWords = /`|missing field|invalid (type|value|length)|unknown (variant|field)|did not match|expected one of|at line \d|untagged/

/** One of each kind; what an option may be of these is not tried. */
const kinds = {
  null: null,
  'an empty string': '',
  'a line break': 'a\r\nb',
  'a space': ' ',
  NaN: NaN,
  'a negative number': -1,
  'a fraction': 1.5,
  'a huge number': Number.MAX_SAFE_INTEGER,
  'a bigint': 10n,
  true: true,
  'a symbol': Symbol('symbol'),
  'a function': () => {},
  'an empty array': [],
  'an array of undefined': [undefined],
  'an empty object': {},
  'an object of undefined': { undefined },
  'a wav of undefined': { wav: undefined },
  'a device of undefined': { device: undefined },
  'a tone of undefined': { tone: undefined },
  'a header of undefined': { 'X-A': undefined },
  'a header with a name that is none': { 'Bad Name': 'x' },
  'a header of the phone': { Via: 'x' },
  'a date': new Date(),
  'a map': new Map([['X-A', 'b']]),
}

function named(error, option, what) {
  const text = `${option}, ${what}: ${error.message}`
  assert.ok(error instanceof SoftphoneError, text)
  assert.match(error.code, /^ERR_INVALID_(OPTION|ARGUMENT)$/, text)
  assert.doesNotMatch(error.message, engineWords, text)
  const last = option.split('.').at(-1)
  // Each of the two needs the other.
  if (/^tls\.(cert|key)$/.test(option) && /^Option 'tls\.(cert|key)' must be given with tls\./.test(error.message)) return
  assert.ok(error.message.startsWith(`Option '${option}`) || error.message.startsWith(`Bad argument "${option}`) || new RegExp(`^${last} must `).test(error.message), text)
}

describe('the options of a phone', () => {
  // A journal needs an instance that stays.
  const account = { uri: 'sip:alice@example.com', servers: 'wss://example.com/ws', instanceId: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', logger: silent }
  /** The engine's names of the objects of options, and the options that are such. */
  const owners = { audioOptions: 'audio', autoAnswerOptions: 'autoAnswer', dtmfOptions: 'dtmf', opusOptions: 'opus', sessionTimersOptions: 'sessionTimers', portRangeOptions: 'portRange', tlsOptions: 'tls', toneOptions: 'tones', listenOptions: 'listen', placeOption: 'listen.udp', listenTlsOptions: 'listen.tls', iceServer: 'iceServers[0]', weightedServer: 'servers[0]' }
  const right = { 'iceServers[0]': { urls: 'stun:a' }, 'servers[0]': { url: 'wss://a' } }
  // Each end of a range needs the other.
  const whole = { portRange: { min: 40000, max: 40001 } }
  const listens = { 'listen.udp': { port: 5060 }, 'listen.tls': { port: 5061, cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' } }
  const holder = (owner, object) => {
    const [first, inner] = owner.split('.')
    if (first !== 'listen') return elsewhere(owner, object)
    return { peers: ['127.0.0.1'], listen: inner ? { [inner]: { ...listens[owner], ...object } } : object }
  }
  const elsewhere = (owner, object) => (whole[owner] ? { [owner]: { ...whole[owner], ...object } } : right[owner] ? { [owner.slice(0, -3)]: [{ ...right[owner], ...object }] } : { [owner]: object })
  const { options: top, ...inside } = optionNames
  const objects = Object.entries(inside).flatMap(([object, names]) => names.map((name) => [owners[object], name]))

  test('are all tried', () => {
    assert.deepEqual(Object.keys(inside).sort(), Object.keys(owners).sort())
    assert.ok(top.length > 40 && objects.length > 20)
  })

  async function refusals(option, optionsWith) {
    let refused = 0
    for (const [what, value] of Object.entries(kinds)) {
      let phone
      try {
        phone = new Softphone(optionsWith(value))
      } catch (error) {
        refused += 1
        named(error, option, what)
      }
      await phone?.destroy()
    }
    return refused
  }

  for (const option of ['logger', ...top]) {
    test(`${option} is named by the error of each wrong kind`, async () => {
      const refused = await refusals(option, (value) => ({ ...account, [option]: value }))
      assert.ok(refused >= 13, `${refused} of ${Object.keys(kinds).length} kinds were refused`)
    })
  }

  for (const [option, member] of objects) {
    test(`${option}.${member} is named by the error of each wrong kind`, async () => {
      const refused = await refusals(`${option}.${member}`, (value) => ({ ...account, ...holder(option, { [member]: value }) }))
      assert.ok(refused >= 13, `${refused} of ${Object.keys(kinds).length} kinds were refused`)
    })
  }

  test('inside lists and headers the member is named', () => {
    for (const [wrong, text] of [
      [{ servers: [{ url: undefined }] }, "Option 'servers[0].url' must be a non-empty string, but is undefined"],
      [{ servers: ['wss://a', ''] }, "Option 'servers[1]' must be "],
      [{ iceServers: [{ urls: undefined }] }, "Option 'iceServers[0].urls' must be "],
      [{ iceServers: [{ urls: 'turn:turn.example.com' }] }, "Option 'iceServers[0]' must be "],
      [{ tls: { cert: '-----BEGIN CERTIFICATE-----' } }, "Option 'tls.key' must be given with tls.cert"],
      [{ tls: { ca: [undefined] } }, "Option 'tls.ca[0]' must be "],
      [{ audio: { input: { wav: undefined } } }, "Option 'audio.input.wav' must be a non-empty string, but is undefined"],
      [{ audio: { output: { device: undefined } } }, "Option 'audio.output.device' must be a non-empty string, but is undefined"],
      [{ tones: { ring: { wav: undefined } } }, "Option 'tones.ring.wav' must be a non-empty string, but is undefined"],
      [{ holdMusic: { tone: undefined } }, "Option 'holdMusic.tone' must be a number from 20 to 20000, but is undefined"],
      [{ extraHeaders: { 'X-A': undefined } }, "Option 'extraHeaders.X-A' must be a string, but is undefined"],
      [{ extraHeaders: { 'X-A': 1 } }, "Option 'extraHeaders.X-A' must be a string, but is a number"],
      [{ extraHeaders: { 'Bad Name': 'x' } }, "Option 'extraHeaders.Bad Name' must be named by a token such as 'X-Customer', but is named otherwise"],
      [{ extraHeaders: { Via: 'x' } }, "Option 'extraHeaders.Via' must be a header that SIP leaves to applications, but is one that the phone writes itself"],
      [{ extraHeaders: { 'X-A': 'a\nb' } }, "Option 'extraHeaders.X-A' must be a string without control characters, but is a string with one"],
      [{ autoAnswer: { trustedPeers: [undefined] } }, "Option 'autoAnswer.trustedPeers[0]' must be a non-empty string, but is undefined"],
      [{ notifies: [undefined] }, "Option 'notifies[0]' must be a non-empty string, but is undefined"],
      [{ notifies: ['not a token'] }, "Option 'notifies' must be "],
    ]) {
      assert.throws(() => new Softphone({ ...account, ...wrong }), ({ message }) => (assert.ok(message.startsWith(text), message), true))
    }
  })

  test('who is missing is said in the words of what was given', () => {
    const uri = "Option 'uri' must be a SIP URI such as 'sip:alice@example.com', but is missing"
    const token = 'Access token is required to create an instance of the SDK'
    const unset = undefined
    for (const [options, message] of [
      [{ uri: unset, password: 'secret', servers: 'wss://x/ws' }, uri],
      [{ password: 'secret' }, uri],
      [{ environment: 'mypurecloud.com' }, token],
      [{ accessToken: unset, environment: 'mypurecloud.com', orgId: '0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55' }, token],
      [{}, `${token}, or the option 'uri' for a SIP account`],
      [{ uri: unset, password: unset, servers: unset }, `${token}, or the option 'uri' for a SIP account`],
    ]) {
      assert.throws(() => new Softphone(options), { message, code: 'ERR_INVALID_OPTION' })
    }
  })

  test('a password and a token of functions are two, as those that are written are', () => {
    const given = () => 'x'
    const text = "Option 'accessToken' must be absent if another of 'password', 'ha1' and 'accessToken' is given, but is given as well"
    for (const [password, accessToken] of [[given, given], [given, 'x'], ['x', given], ['x', 'x']]) {
      assert.throws(() => new Softphone({ uri: 'sip:alice@pbx.test', password, accessToken, allowInsecure: true }), { message: text, code: 'ERR_INVALID_OPTION' })
    }
    const ha1 = '0123456789abcdef0123456789abcdef'
    assert.throws(() => new Softphone({ uri: 'sip:alice@pbx.test', password: given, ha1 }), { code: 'ERR_INVALID_OPTION', message: text.replace("'accessToken' must", "'ha1' must") })
    assert.throws(() => new Softphone({ password: given }), { code: 'ERR_INVALID_OPTION', message: "Option 'uri' must be a SIP URI such as 'sip:alice@example.com', but is missing" })
  })

  test('a password that is not given is named when the server asks for one', async (t) => {
    const { pbx } = await pbxOf(t)
    const phone = new Softphone({ ...pbx.account('alice'), password: undefined, logger: silent })
    t.after(() => phone.destroy())
    const { cause, code } = await phone.initialize().catch((error) => error)
    assert.equal(code, 'ERR_AUTHENTICATION_FAILED')
    assert.equal(cause.message, "The registrar answered 401 Unauthorized: none of the options 'password', 'ha1' and 'accessToken' is given")
  })
})

describe('the options of methods', { timeout: 60_000 }, () => {
  /** Each option of each method, and the first kinds that it may be. */
  const audio = { mediaStream: [], audioElement: [] }
  const placing = { ...audio, headers: ['an empty object'], conversationId: ['a space'], displayName: ['an empty string', 'a space'], preferredIdentity: [], anonymous: ['true'], userToUser: ['a space', 'a line break'], autoAnswer: ['true', 'an empty object'], timeout: ['a huge number'], voiceActivity: ['an empty object'], signal: [] }
  const via = { via: [], signal: [] }
  const refusing = { code: [], reason: ['an empty string', 'a space'], signal: [] }
  const methods = {
    call: [placing, ({ phone }, options) => phone.call('busy', options)],
    startSoftphoneSession: [{ ...placing, phoneNumber: [] }, ({ phone }, options) => phone.startSoftphoneSession({ phoneNumber: 'busy', ...options })],
    rejectPendingSession: [{ ...refusing, cause: [] }, ({ phone, id }, options) => phone.rejectPendingSession(id, options)],
    redirectPendingSession: [{ code: [], reason: [], signal: [] }, ({ phone, id }, options) => phone.redirectPendingSession(id, 'bob', options)],
    expectCall: [{ conversationId: ['a space', 'a line break'], timeout: ['a huge number'], signal: [] }, ({ phone }, options) => phone.expectCall({ conversationId: 'c', ...options })],
    sendMessage: [{ contentType: [], headers: ['an empty object'], signal: [] }, ({ phone }, options) => phone.sendMessage('nobody', 'x', options)],
    sendOptions: [{ headers: ['an empty object'], signal: [] }, ({ phone }, options) => phone.sendOptions('nobody', options)],
    subscribe: [{ expires: [], accept: ['an empty array'], headers: ['an empty object'], signal: [] }, ({ phone }, options) => phone.subscribe('nobody', 'dialog', options)],
    setAudioDevice: [{ input: [], output: [], ring: [] }, ({ phone }, options) => phone.setAudioDevice(options)],
    conference: [{ input: [], output: [] }, ({ phone }, options) => phone.conference([], options)],
    hold: [{ ...via, music: [] }, ({ session }, options) => session.hold(options)],
    resume: [via, ({ session }, options) => session.resume(options)],
    sendDtmf: [{ duration: [], gap: [], via: [], signal: [] }, ({ session }, options) => session.sendDtmf('1', options)],
    sendInfo: [{ contentType: [], body: ['an empty string', 'a space', 'a line break'], signal: [] }, ({ session }, options) => session.sendInfo({ contentType: 'text/plain', ...options })],
    end: [{ reason: [], cause: [], text: ['an empty string', 'a space'], signal: [] }, ({ session }, options) => session.end({ reason: 'success', ...options })],
    initialize: [{ signal: [] }, ({ phone }, options) => phone.initialize(options)],
  }

  /** A phone with a call that rings and one that is answered. */
  async function rig(t) {
    const { open } = await pbxOf(t)
    const [phone, bob] = [await open('alice'), await open('bob')]
    const session = await phone.call('echo')
    await session.answered
    const [[{ id }]] = await Promise.all([next(phone, 'pendingSession'), bob.call('alice')])
    return { phone, session, id, bob }
  }

  for (const [method, [options, act]] of Object.entries(methods)) {
    test(`${method} names what is wrong`, async (t) => {
      const here = await rig(t)
      here.phone.on('error', () => {})
      for (const [option, taken] of Object.entries(options)) {
        // A system's device may be called anything.
        const isDevice = ['mediaStream', 'audioElement', 'input', 'output', 'ring', 'music'].includes(option)
        const may = isDevice ? ['a space', 'a line break'] : taken
        for (const [what, value] of Object.entries(kinds)) {
          if (may.includes(what) || (['phoneNumber', 'preferredIdentity'].includes(option) && what === 'a space')) continue
          const error = await act(here, { [option]: value }).then(() => assert.fail(`${method} took ${option}: ${what}`), (error) => error)
          if (error.code === 'ERR_ASSERTION') throw error
          named(error, option, what)
        }
      }
      assert.equal(here.session.active, true)
      assert.deepEqual(here.phone.pendingSessions.map(({ id }) => id), [here.id])
    })
  }

  test('those of whoever tells others are named, and whoever asked waits', async (t) => {
    const { open } = await pbxOf(t)
    const [host, alice] = [await open('bob', { notifies: ['conference'] }), await open('alice')]
    const asked = next(host, 'subscriptionRequest')
    const subscription = alice.subscribe('bob', 'conference')
    const [{ id }] = await asked
    const tries = async (options, act) => {
      for (const [option, taken] of Object.entries(options)) {
        for (const [what, value] of Object.entries(kinds)) {
          if (taken.includes(what)) continue
          const error = await act({ [option]: value }).then(() => assert.fail(`${option}: ${what} was taken`), (error) => error)
          if (error.code === 'ERR_ASSERTION') throw error
          named(error, option, what)
        }
      }
    }
    const long = 'x'.repeat(70_000)
    await tries({ expires: [], contentType: [], body: ['an empty string', 'a space', 'a line break'] }, (options) => host.acceptSubscription(id, options))
    await tries({ code: [], reason: ['an empty string', 'a space'], signal: [] }, (options) => host.rejectSubscription(id, options))
    await assert.rejects(host.rejectSubscription(id, { reason: long }), /^SoftphoneError: reason must have 1 KiB at most/)
    await assert.rejects(host.acceptSubscription(id, { contentType: `text/${long}` }), /contentType must be a media type/)
    const notifier = await host.acceptSubscription(id, { body: 'one' })
    await subscription
    await tries({ contentType: [] }, (options) => notifier.notify('two', options))
    for (const wrong of [null, 'text/plain', 42, []]) {
      await assert.rejects(notifier.notify('two', wrong), /Option 'options of notify' must be an object/)
    }
    await assert.rejects(notifier.notify('two', { contenttype: 'text/plain' }), { message: "Option 'contenttype' must be one of contentType, but is unknown" })
    for (const [what, value] of Object.entries(kinds)) {
      if (what === 'a space' || what === 'a line break' || what === 'an empty string') await assert.rejects(notifier.terminate(value), /^SoftphoneError: reason must be a word/)
      else await assert.rejects(notifier.terminate(value), /^SoftphoneError: Bad argument "reason": expected a word/)
    }
    assert.equal(notifier.ended, false)
  })

  test('arguments are named, with what they are', async (t) => {
    const { phone, session, id } = await rig(t)
    phone.on('error', () => {})
    const target = (error) => /^(Bad argument "target": expected a SIP address or a number, got |target must be )/.test(error.message)
    for (const wrong of [undefined, null, '', 42, {}, 'a\r\nb']) {
      for (const act of [
        () => phone.call(wrong),
        () => phone.sendMessage(wrong, 'x'),
        () => phone.sendOptions(wrong),
        () => phone.subscribe(wrong, 'dialog'),
        () => phone.redirectPendingSession(id, wrong),
        () => session.transfer(wrong),
      ]) {
        await assert.rejects(act(), (error) => error instanceof SoftphoneError && target(error))
      }
    }
    const wrong = undefined
    for (const [act, text] of [
      [() => phone.sendMessage('bob', wrong), 'Bad argument "body": expected a string, got undefined'],
      [() => phone.subscribe('bob', wrong), `Bad argument "event": expected an event package such as 'dialog', got undefined`],
      [() => phone.setAccessToken(wrong), 'Bad argument "token": expected a non-empty string, got undefined'],
      [() => phone.setPassword(wrong), 'Bad argument "password": expected a non-empty string, got undefined'],
      [() => phone.setVolume(wrong), 'Bad argument "volume": expected a number from 0 to 100, got undefined'],
      [() => phone.setIceServers(wrong), /^Option 'iceServers' must be an array/],
      [() => phone.conference(wrong), 'Bad argument "sessions": expected an array of sessions, got undefined'],
      [() => phone.rejectPendingSession(wrong), "Option 'id' must be the id of a pending session, but is undefined"],
      [() => phone.acceptCallRequest(wrong), `Bad argument "id": expected the id of a 'callRequested', got undefined`],
      [() => session.setInput(wrong), /^Option 'input' must be .* but is undefined$/],
      [() => session.setAudioProcessing(wrong), "Option 'options of setAudioProcessing' must be an object, but is undefined"],
      [() => session.setAudioProcessing({ echoCancellation: 'yes' }), "Option 'echoCancellation' must be a boolean, but is a string"],
      [async () => (await phone.conference([])).setAudioProcessing({ echoCancellation: 'yes' }), "Option 'echoCancellation' must be a boolean, but is a string"],
      [() => phone.setAudioProcessing({ echoCanceller: true }), "Option 'echoCanceller' must be one of echoCancellation, noiseSuppression, autoGainControl, but is unknown"],
      [() => phone.call('bob', { audio: { noiseSuppression: 1 } }), "Option 'audio.noiseSuppression' must be a boolean, but is a number"],
      [() => phone.call('bob', { audio: 'none' }), "Option 'audio' must be an object with echoCancellation, noiseSuppression, autoGainControl, but is a string"],
      [() => session.setOutput({ wav: wrong }), "Option 'output.wav' must be a non-empty string, but is undefined"],
      [() => session.sendDtmf(wrong), 'Bad argument "tones": expected a string of the digits 0-9, *, # and A-D, got undefined'],
      [() => session.attendedTransfer(wrong), 'Bad argument "other": expected a session, got undefined'],
      [() => session.sendInfo({}), `Bad argument "contentType": expected a media type such as 'text/plain', got undefined`],
      [() => phone.startSoftphoneSession({}), "Option 'phoneNumber' must be a number or SIP address, but is undefined"],
    ]) {
      await assert.rejects(async () => act(), typeof text === 'string' ? { message: text } : ({ message }) => text.test(message))
    }
  })

  for (const Stream of [AudioSource, AudioSink]) {
    test(`those of ${Stream.name} are named`, () => {
      for (const option of ['rate', 'queue']) {
        for (const [what, value] of Object.entries(kinds)) {
          if (what === 'a fraction' && option === 'queue') continue
          try {
            new Stream({ [option]: value }).destroy()
            assert.fail(`${Stream.name} took ${option}: ${what}`)
          } catch (error) {
            if (error.code === 'ERR_ASSERTION') throw error
            named(error, option, what)
          }
        }
      }
    })
  }
})

describe('an acceptance whose options are wrong', { timeout: 30_000 }, () => {
  for (const [what, options] of Object.entries({
    'a file without a name': { mediaStream: { wav: undefined } },
    'an output that is none': { audioElement: 42 },
    'a header that the phone writes itself': { headers: { Via: 'x' } },
    'an option that there is not': { mediastream: 'none' },
    nothing: null,
  })) {
    test(`refuses the call with 500 and tells error: ${what}`, async (t) => {
      const { open } = await pbxOf(t)
      const [bot, bob] = [await open('alice', { autoAnswer: 'off' }), await open('bob')]
      bot.on('pendingSession', ({ id }) => bot.acceptPendingSession(id, options))
      const [told, cancelled] = [next(bot, 'error'), next(bot, 'cancelPendingSession')]
      const call = await bob.call('alice')
      await assert.rejects(call.answered, ({ sip }) => sip.code === 500)
      const [[error], [, { side }]] = await Promise.all([told, cancelled])
      assert.match(error.code, /^ERR_INVALID_/)
      assert.doesNotMatch(error.message, engineWords)
      assert.deepEqual([side, bot.pendingSessions], ['local', []])
    })
  }

  test('rejects answer(), and refuses the call as well', async (t) => {
    const { open } = await pbxOf(t)
    const [bot, bob] = [await open('alice', { autoAnswer: 'off' }), await open('bob')]
    const [[{ id }], call] = await Promise.all([next(bot, 'pendingSession'), bob.call('alice')])
    const refused = assert.rejects(call.answered, ({ sip }) => sip.code === 500)
    await assert.rejects(bot.answer(id, { mediaStream: { wav: undefined } }), { message: "Option 'mediaStream.wav' must be a non-empty string, but is undefined" })
    await refused
  })

  test('behind one that was right does nothing', async (t) => {
    const { open } = await pbxOf(t)
    const [bot, bob] = [await open('alice', { autoAnswer: 'off' }), await open('bob')]
    bot.on('pendingSession', ({ id }) => {
      bot.acceptPendingSession(id)
      bot.acceptPendingSession(id, { audioElement: 42 })
    })
    const told = next(bot, 'error')
    const call = await bob.call('alice')
    await call.answered
    assert.match((await told)[0].message, /^Option 'audioElement' must be /)
    assert.equal(bot.sessions.length, 1)
  })
})

describe('the options of the embedded PBX', () => {
  const starting = ['domain', 'users', 'authentication', 'algorithms', 'nonceLifetime', 'minExpires', 'maxExpires', 'extensions', 'mediaRelay', 'seed']
  for (const option of starting) {
    test(`${option} is named by the error of each wrong kind`, async () => {
      let refused = 0
      for (const [what, value] of Object.entries(kinds)) {
        const pbx = await Pbx.start({ [option]: value }).catch((error) => {
          refused += 1
          named(error, option, what)
        })
        await pbx?.close()
      }
      assert.ok(refused >= 13, `${refused} kinds were refused`)
    })
  }

  test('what a call, a fault or an extension needs is named', async (t) => {
    const { pbx } = await pbxOf(t)
    for (const [act, text] of [
      [() => pbx.originate({ to: 'alice', with: undefined }), /^Option 'with' must be /],
      [() => pbx.originate(), /^Option 'options of originate' must be an object/],
      [() => pbx.hangUp(), /^Option 'the call to hang up' must be an object/],
      [() => pbx.addFault({ user: 'alice' }), /^Option 'action' must be /],
      [() => pbx.addUser({ password: 'x' }), /^Option 'name' must be /],
      [() => Pbx.start({ users: [{ name: undefined }] }), /^Option 'users\[0\]\.name' must be /],
      [() => Pbx.start({ extensions: { a: { type: 'prompt', path: undefined } } }), /^Option 'extensions\.a\.path' must be /],
      [() => Pbx.start({ extensions: { a: { type: 'tone' } } }), /^Option 'extensions\.a\.frequency' must be /],
      [() => Pbx.start({ extensions: { a: { type: 'refuse' } } }), /^Option 'extensions\.a\.code' must be /],
      [() => Pbx.start({ extensions: { a: {} } }), /^Option 'extensions\.a\.type' must be /],
    ]) {
      await assert.rejects(async () => act(), (error) => error instanceof SoftphoneError && text.test(error.message))
    }
  })
})
