import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WhistleEngine } from 'offhook/compat/whistle'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { eventually, uncaughtBy } from '../phones.mjs'

const number = '+1234567890'
const hooks = ['registered', 'unregistered', 'incoming_call', 'call_ringing', 'call_connected', 'call_disconnected', 'call_ended', 'call_failed', 'connectivity_update', 'info', 'error']

/** A PBX whose user `web` has a token, and an engine that ends with the test and whose hooks are written down. */
async function lumen(t, options) {
  const { pbx, open } = await pbxOf(t, {
    users: ['bob', { name: 'web', token: 'JWT' }],
    extensions: { [number]: { type: 'echo' }, ringing: { type: 'ring' } },
    ...options,
  })
  const engine = new WhistleEngine()
  t.after(() => engine.phone && engine.stop())
  const called = []
  const waiting = new Map()
  const until = (hook) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${hook}, but ${JSON.stringify(called)}`)), 10_000)
    waiting.set(hook, (args) => (clearTimeout(timer), resolve(args)))
  })
  const observed = Object.fromEntries(hooks.map((hook) => [hook, (...args) => {
    called.push(hook)
    waiting.get(hook)?.(args)
    waiting.delete(hook)
  }]))
  const config = {
    ...{ user: 'web', domain: pbx.domain, proxy: '127.0.0.1', port: Number(new URL(pbx.url).port), insecure: true },
    authorization_jwt: `Bearer JWT`,
    phone: { audio: 'none', logger: { debug() {}, log() {}, info() {}, warn() {}, error() {} } },
    ...observed,
  }
  const causing = async (hook, act) => (await Promise.all([until(hook), act()]))[0]
  return { pbx, open, engine, called, config, until, causing }
}

describe('the Lumen façade', { timeout: 60_000 }, () => {
  test("runs the document's sample: start, and dial at once", async (t) => {
    const { pbx, config: given, until } = await lumen(t)
    let engine
    const connected = []
    // The sample, with the commas that it lacks and the gateway of this test.
    var config = {
        'user': 'web',
        'domain': pbx.domain,
        'proxy': '127.0.0.1',
        'port': given.port,
        'authorization_jwt': `Bearer JWT`,

        // optional hooks to customize functionality
        'call_failed': function () {},
        'call_connected': function () { connected.push(true); given.call_connected() },
        'call_disconnected': function () {},
        'call_ended': function () {},
        'incoming_call': function () {},
        insecure: true, phone: given.phone
    };
    const answered = until('call_connected')

    engine = new WhistleEngine();
    engine.start(config);
    engine.dial("+1234567890");

    t.after(() => engine.stop())
    await answered
    const { ear, audio } = voice(900)
    await engine.phone.sessions[0].setInput(audio.mediaStream)
    await engine.phone.sessions[0].setOutput(ear)
    await hears(ear, 900)
    assert.deepEqual(connected, [true])
  })

  test('calls every hook of an outgoing call, call_disconnected too', async (t) => {
    const { engine, called, config, causing, open } = await lumen(t)
    const bob = await open('bob')
    await causing('registered', () => engine.start(config))
    const [pending] = await Promise.all([next(bob, 'pendingSession'), causing('call_ringing', () => engine.dial('bob', { extraHeaders: ['X-Order: 4711'] }))])
    assert.deepEqual(pending[0].headers['x-order'], ['4711'])
    await causing('call_connected', () => bob.acceptPendingSession(pending[0].id))
    const [reason] = await causing('call_ended', () => engine.hangup())
    assert.equal(reason.condition, 'success')
    await causing('unregistered', () => engine.stop())
    assert.deepEqual(called, ['registered', 'call_ringing', 'call_connected', 'connectivity_update', 'call_disconnected', 'call_ended', 'unregistered'])
  })

  test('takes an incoming call and refuses a second', async (t) => {
    const { engine, config, causing, open } = await lumen(t)
    const bob = await open('bob', { displayName: 'Bob' })
    await causing('registered', () => engine.start(config))
    const { ear, audio } = voice(700)
    const [uri, name] = await causing('incoming_call', () => bob.call('web', audio))
    assert.deepEqual([uri, name], ['sip:bob@pbx.test', 'Bob'])
    const second = await bob.call('web')
    await assert.rejects(second.answered, { code: 'ERR_CALL_BUSY' })
    await causing('call_connected', () => engine.answer())
    await engine.phone.sessions[0].setInput({ tone: 500 })
    await hears(ear, 500)
    const [session] = engine.phone.sessions
    for (const [mute, event] of [[true, 'mute'], [false, 'unmute']]) {
      await Promise.all([next(session, event), assert.equal(engine.setMute(mute), true)])
    }
    for (const [hold, event] of [[true, 'hold'], [false, 'resume']]) {
      await Promise.all([next(bob.sessions[0], event), assert.equal(engine.setHold(hold), true)])
    }
    const sent = next(bob.sessions[0], 'info')
    assert.equal(engine.sendInfo('application/json', '{"order":4711}'), true)
    assert.deepEqual(await sent, [{ contentType: 'application/json', body: '{"order":4711}' }])
    const [info] = await causing('info', () => bob.sessions[0].sendInfo({ contentType: 'text/plain', body: 'thanks' }))
    assert.deepEqual(info, { contentType: 'text/plain', body: 'thanks' })
    const dtmf = next(bob.sessions[0], 'dtmf')
    assert.equal(engine.sendDTMF(5), true)
    assert.equal((await dtmf)[0].tone, '5')
    await causing('call_ended', () => bob.sessions[0].end())
  })

  test('sends the JWT in every request, and does not register when told so', async (t) => {
    const { pbx, engine, called, config, causing } = await lumen(t)
    const requests = []
    pbx.on('message', ({ direction, text }) => direction === 'in' && !text.startsWith('SIP/2.0') && requests.push(text))
    engine.start({ ...config, register: false })
    await causing('call_connected', () => engine.dial(number))
    await Promise.all([next(pbx, 'ended'), causing('call_ended', () => engine.hangup())])
    const methods = new Set(requests.map((text) => text.split(' ')[0]))
    assert.deepEqual([...methods], ['INVITE', 'ACK', 'BYE'])
    // The PBX asks for the second, as a proxy does.
    for (const text of requests) assert.match(text, /^(?:Proxy-)?Authorization: Bearer/im)
    assert.ok(!called.includes('registered'))
  })

  test('calls call_failed where nobody answers, is refused, or the gateway is not there', async (t) => {
    const { engine, config, causing } = await lumen(t)
    engine.start(config)
    const [busy] = await causing('call_failed', () => engine.dial('busy'))
    assert.equal(busy.condition, 'busy')
    await causing('call_ringing', () => engine.dial('ringing'))
    const [given] = await causing('call_failed', () => engine.hangup())
    assert.equal(given.condition, 'cancel')
    engine.stop()
    engine.start({ ...config, port: 1 })
    const [error] = await causing('call_failed', () => engine.dial(number))
    assert.match(error.message, /Failed to initialize SDK/)
    const [wrong] = await causing('call_failed', () => engine.dial(number, { extraHeaders: ['X-Customer: 1', 'X-Api-Key 918273645'] }))
    assert.equal(wrong.message, "Option 'extraHeaders[1]' must be 'Name: value', but is a string")
  })

  test('starts anew while the call of before ends', async (t) => {
    const { engine, config, causing, until } = await lumen(t)
    engine.start(config)
    await causing('call_connected', () => engine.dial(number))
    const ringing = until('call_ringing')
    await causing('call_ended', () => {
      engine.stop()
      engine.start(config)
      engine.dial('ringing')
    })
    await ringing
    assert.equal(engine.dial(number), false)
    const [reason] = await causing('call_failed', () => assert.equal(engine.hangup(), true))
    assert.equal(reason.condition, 'cancel')
  })

  test('gives up a call that waits for the connection', async (t) => {
    const { engine, config, causing, called } = await lumen(t)
    engine.start(config)
    engine.dial(number)
    const [error] = await causing('call_failed', () => assert.equal(engine.hangup(), true))
    assert.equal(error.name, 'AbortError')
    assert.ok(!called.includes('error'))
    await causing('call_connected', () => engine.dial(number))
  })

  test('sends the JWT in whatever it asks, also while a call rings and inside it', async (t) => {
    const { pbx, open, engine, config, causing } = await lumen(t)
    const bob = await open('bob')
    const without = []
    const methods = new Set()
    pbx.on('message', ({ direction, user, text }) => {
      if (direction !== 'in' || user !== 'web' || text.startsWith('SIP/2.0')) return
      methods.add(text.split(' ')[0])
      if (!/^(?:Proxy-)?Authorization: Bearer/im.test(text)) without.push(text)
    })
    await causing('registered', () => engine.start(config))
    await causing('call_ringing', () => engine.dial('ringing'))
    await causing('call_failed', () => engine.hangup())
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    await causing('call_connected', () => engine.dial('bob'))
    const [session] = bob.sessions
    await Promise.all([next(session, 'hold'), engine.setHold(true)])
    await Promise.all([next(session, 'info'), engine.sendInfo('text/plain', 'x')])
    await causing('call_ended', () => engine.hangup())
    await causing('unregistered', () => engine.stop())
    // The PBX may tell later than the engine.
    await eventually(() => String([...methods].sort()) === 'ACK,BYE,CANCEL,INFO,INVITE,REGISTER')
    // A CANCEL can't be asked for it, and follows its INVITE (RFC 3261 §22.1).
    assert.deepEqual(without.filter((text) => !text.startsWith('CANCEL')), [])
  })

  test('knows nothing of the call of before when it starts anew', async (t) => {
    const { engine, config, causing, open } = await lumen(t)
    const bob = await open('bob')
    await causing('registered', () => engine.start(config))
    engine.dial('ringing')
    await new Promise((resolve) => setImmediate(resolve))
    engine.stop()
    const before = []
    await causing('registered', () => engine.start({ ...config, unregistered: () => before.push('unregistered') }))
    assert.equal(engine.hangup(), false)
    const call = await causing('incoming_call', async () => void (await bob.call('web')))
    assert.equal(call[0], 'sip:bob@pbx.test')
    await causing('call_failed', () => assert.deepEqual([engine.hangup(), engine.hangup(), engine.answer()], [true, true, false]))
    assert.deepEqual(before, [])
  })

  test('tells unregistered when the connection is lost, and registered when it is back', async (t) => {
    const { pbx, engine, called, config, causing, until } = await lumen(t)
    await causing('registered', () => engine.start(config))
    const lost = until('unregistered')
    const [error] = await causing('error', () => pbx.disconnect('web'))
    await lost
    assert.match(error.message, /^The connection is lost: /)
    await causing('registered', () => engine.phone.reconnect())
    assert.deepEqual(called, ['registered', 'unregistered', 'error', 'registered'])
  })

  test('tells once that it failed to start, and a call tries again', async (t) => {
    const { pbx, engine, called, config, causing } = await lumen(t)
    const [error] = await causing('error', () => engine.start({ ...config, authorization_jwt: 'Bearer another' }))
    assert.equal(error.code, 'ERR_AUTHENTICATION_FAILED')
    await causing('call_failed', () => engine.dial(number))
    await pbx.addUser({ name: 'web', token: 'another' })
    await causing('call_connected', () => engine.dial(number))
    assert.deepEqual(called.filter((name) => !['call_ringing', 'connectivity_update'].includes(name)), ['error', 'error', 'call_failed', 'registered', 'call_connected'])
  })

  test('a hook that throws takes no other with it, nor what a method gives', async (t) => {
    const { engine, called, config, causing } = await lumen(t)
    const fault = new Error('thrown by a hook')
    const faulty = Object.fromEntries(hooks.map((hook) => [hook, (...args) => {
      config[hook](...args)
      throw fault
    }]))
    const uncaught = await uncaughtBy(async () => {
      await causing('registered', () => engine.start({ ...config, ...faulty }))
      await causing('call_connected', () => engine.dial(number))
      assert.equal(engine.start(config), false)
      await causing('call_ended', () => engine.hangup())
      await causing('unregistered', () => engine.stop())
    })
    assert.deepEqual(called.filter((name) => name !== 'call_ringing'), ['registered', 'call_connected', 'connectivity_update', 'error', 'call_disconnected', 'call_ended', 'unregistered'])
    assert.deepEqual(uncaught, called.map(() => fault))
  })

  test('digits and media types that are none are false', async (t) => {
    const { engine, config, causing } = await lumen(t)
    engine.start(config)
    await causing('call_connected', () => engine.dial(number, null))
    for (const [method, ...args] of [['sendDTMF', 'x'], ['sendDTMF', ''], ['sendInfo'], ['dial', number]]) {
      await causing('error', () => assert.equal(engine[method](...args), false, method))
    }
    assert.equal(engine.sendDTMF('a'), true)
  })

  test('returns false, and tells why, where it can do nothing', async (t) => {
    const { engine, config } = await lumen(t)
    const errors = []
    const { warn } = console
    console.warn = (line) => errors.push(line)
    t.after(() => (console.warn = warn))
    for (const [method, ...args] of [['dial', '1'], ['answer'], ['hangup'], ['sendDTMF', '1'], ['setMute', true], ['setHold', true], ['sendInfo', 'text/plain', ''], ['stop'], ['start', { user: 'a' }]]) {
      assert.equal(engine[method](...args), false)
    }
    assert.deepEqual(errors, [
      '[offhook] dial: the engine is stopped',
      '[offhook] answer: no call rings',
      '[offhook] hangup: there is no call',
      '[offhook] sendDTMF: there is no connected call',
      '[offhook] setMute: there is no connected call',
      '[offhook] setHold: there is no connected call',
      '[offhook] sendInfo: there is no connected call',
      '[offhook] stop: the engine is not started',
      '[offhook] start: domain is missing',
    ])
    const told = []
    engine.start({ ...config, error: ({ message }) => told.push(message) })
    assert.equal(engine.start(config), false)
    engine.dial(number)
    assert.equal(engine.dial(number), false)
    assert.deepEqual(told, ['start: the engine is started already', 'dial: the engine is dialing'])
  })

  test('the traffic light turns by what was lost in five seconds', async () => {
    const { TrafficLight } = await import('../../dist/compat/whistle/traffic-light.js')
    const shown = []
    const light = new TrafficLight((connectivity) => shown.push(connectivity))
    light.start()
    const second = (packetsReceived, packetsLost) => light.see({ packetsReceived, packetsLost })
    for (let now = 1; now <= 5; now += 1) second(50 * now, 0)
    for (let now = 6; now <= 10; now += 1) second(50 * now - 5, 5)
    for (let now = 11; now <= 15; now += 1) second(50 * now - 30, 30)
    for (let now = 16; now <= 20; now += 1) second(50 * now - 30, 30)
    assert.deepEqual(shown, ['Green', 'Green', 'Yellow', 'Red', 'Green'])
  })

  test('the traffic light of a call that loses packets is red', async (t) => {
    const { pbx, engine, config } = await lumen(t, { mediaRelay: true, seed: 1 })
    const red = new Promise((resolve) => {
      engine.start({ ...config, connectivity_update: (connectivity) => connectivity === 'Red' && resolve() })
    })
    engine.dial(number)
    await next(pbx, 'answered')
    await pbx.addMediaFault({ user: 'web', direction: 'out', loss: 0.3 })
    await red
  })

  test("the document's example runs: a page, a JWT, a call", async (t) => {
    const main = fileURLToPath(new URL('../../examples/lumen/main.mjs', import.meta.url))
    const example = spawn(process.execPath, [main], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'ignore'] })
    t.after(() => example.kill('SIGKILL'))
    const [line] = await once(example.stdout, 'data')
    const url = new URL(String(line).trim())
    const page = await (await fetch(url)).text()
    assert.match(page, /fetch\(path, \{ method: 'POST' \}\)/)
    const press = async (path) => (await fetch(new URL(path, url), { method: 'POST' })).json()
    const events = async () => (await fetch(new URL('/events', url))).json()
    const until = async (name) => {
      const deadline = Date.now() + 10_000
      while (!(await events()).includes(name)) assert.ok(Date.now() < deadline, `no ${name}`)
    }
    assert.equal(await press('/call'), true)
    await until('call_connected')
    assert.equal(await press('/hangup'), true)
    await until('call_ended')
    const exit = once(example, 'exit')
    example.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  })
})
