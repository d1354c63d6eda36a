// What a page may do wrong, or in bad faith, at the port by which it drives a phone.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { SoftphoneError } from 'offhook'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { WebSocket, WebSocketServer } from 'ws'
import { byHand, desk } from './bridges.mjs'
import { connect as call, eventually, next } from './phones.mjs'
import { pbxOf } from './pbx.mjs'

/** A page's end of a WebSocket, open, of which nobody has said anything yet. */
async function socketTo(t, phone) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
  t.after(() => (socket.terminate(), server.close()))
  const [phoneSide] = await once(server, 'connection')
  const served = serve(phone, phoneSide)
  await once(socket, 'open')
  return { socket, served }
}

describe('a page can not', () => {
  test('call what is not its to call', async (t) => {
    const { ask } = await byHand(t)
    const refused = [
      [{ of: 'phone' }, 'destroy'],
      [{ of: 'phone' }, 'constructor'],
      [{ of: 'phone' }, 'capture', ['/tmp/a.pcapng']],
      [{ of: 'phone' }, 'setAccessToken', ['token']],
      [{ of: 'phone' }, 'setPassword', ['password']],
      [{ of: 'phone' }, 'setIceServers', [[]]],
      [{ of: 'phone' }, 'removeAllListeners'],
      [{ of: '__proto__' }, 'call', ['bob']],
      [{ of: 'session' }, 'end'],
      [undefined, 'call', ['bob']],
      [{ of: 'phone' }, { toString: 'call' }],
    ]
    for (const [index, [to, method, args]] of refused.entries()) {
      const { error } = await ask(index + 1, to, method, args)
      assert.equal(error?.code, 'ERR_INVALID_ARGUMENT', JSON.stringify([to, method]))
    }
  })

  test('have a file read or written', async (t) => {
    const { phone, alice, bob } = await desk(t)
    const files = [
      { mediaStream: { wav: '/etc/passwd' } },
      { audioElement: [{ wav: '/tmp/heard.wav' }] },
      { video: { y4m: '/etc/passwd' } },
      { mediaStream: { mix: [{ wav: '/etc/passwd' }] } },
      { mediaStream: { device: 'default', wav: '/etc/passwd' } },
    ]
    for (const options of files) await assert.rejects(phone.call('bob', options), { code: 'ERR_INVALID_ARGUMENT', message: /a page chooses a device/ })
    await assert.rejects(phone.setAudioDevice({ input: { wav: '/etc/passwd' } }), { code: 'ERR_INVALID_ARGUMENT' })
    await call(alice, bob, 'bob')
    await eventually(() => phone.sessions.length === 1)
    await assert.rejects(phone.sessions[0].setOutput({ wav: '/tmp/heard.wav' }), { code: 'ERR_INVALID_ARGUMENT' })
    await assert.rejects(phone.sessions[0].hold({ music: { wav: '/etc/passwd' } }), { code: 'ERR_INVALID_ARGUMENT' })
  })

  test('see a credential', async (t) => {
    const { alice, heard, answer, say, open } = await byHand(t)
    const bob = await open('bob')
    await answer('welcome')
    say({ kind: 'listen', to: { of: 'phone' }, event: 'trace', wanted: true })
    await eventually(() => alice.listenerCount('trace') > 1)
    await alice.register()
    const ringing = next(bob, 'pendingSession')
    await alice.call('bob', { mediaStream: 'none' })
    await ringing
    await eventually(() => heard.some(({ event }) => event?.name === 'trace'))
    const all = JSON.stringify(heard)
    assert.match(all, /REGISTER/)
    assert.doesNotMatch(all, /secret|response=\\?"[0-9a-f]{8}/i)
  })

  test('flood the phone with commands', async (t) => {
    const { say, answer, heard, alice } = await byHand(t)
    await answer('welcome')
    for (let number = 1; number <= 500; number += 1) say({ kind: 'call', number, to: { of: 'phone' }, method: 'sendOptions', args: ['nobody'] })
    await eventually(() => heard.filter(({ kind }) => kind === 'reply').length === 500)
    assert.ok(heard.filter(({ error }) => error?.code === 'ERR_BUSY').length >= 400)
    assert.equal(alice.connected, true)
  })

  test('be of another version', async (t) => {
    const { served, answer } = await byHand(t, { version: 7 })
    const { error } = await answer('refused')
    assert.equal(error.code, 'ERR_BRIDGE')
    assert.match(error.message, /version 7/)
    assert.deepEqual(await served.closed, { reason: 'refused' })
  })

  test('disturb it by messages that are none of its own', async (t) => {
    const { alice, port, ask, say, answer } = await byHand(t)
    const traced = alice.listenerCount('trace')
    await answer('welcome')
    const hostile = { toString: 1, valueOf: 1 }
    say({ kind: 'listen', to: { of: 'phone', id: hostile }, event: 'trace', wanted: true })
    say({ kind: 'listen', to: { of: 'phone', id: 'x' }, event: 'trace', wanted: true })
    say({ kind: 'listen', to: hostile, event: hostile, wanted: true })
    say({ kind: hostile })
    say({ kind: 'call', number: 5, to: { of: 'phone' }, method: hostile, args: hostile })
    const odd = [null, 7, 'hello', {}, { offhook: 'bridge' }, { offhook: 'publish', kind: 'hello' }, { kind: 'hello' }, [1], { offhook: 'bridge', kind: 'unheard-of' }]
    for (const message of odd) port.postMessage(message)
    for (const message of [{ kind: 'call' }, { kind: 'listen' }, { kind: 'taken', number: Infinity }, { kind: 'abort', number: {} }, { kind: 'listen', to: { of: 'phone' }, event: 'pendingSession', wanted: true }]) say(message)
    const { value } = await ask(1, { of: 'phone' }, 'listDevices')
    assert.ok(Array.isArray(value))
    assert.equal(alice.listenerCount('trace'), traced)
    say({ kind: 'hello', version: hostile, page: hostile })
    assert.match((await answer('refused')).error.message, /version object/)
  })

  for (const page of ['an object', 'a text', 'nothing']) {
    test(`be known by ${page} instead of a number`, async (t) => {
      const { alice, say, ask } = await byHand(t, { page: { 'an object': {}, 'a text': 'x', 'nothing': undefined }[page] })
      // It was passed over: nobody has said hello.
      say({ kind: 'call', number: 1, to: { of: 'phone' }, method: 'listDevices', args: [] })
      say({ kind: 'hello', version: 1, page: 2 })
      const { page: whose, value } = await ask(2, { of: 'phone' }, 'listDevices')
      assert.deepEqual([whose, Array.isArray(value), alice.connected], [2, true, true])
    })
  }

  test('end the process by what no reply can be written of', async (t) => {
    const { alice } = await desk(t)
    const { socket, served } = await socketTo(t, alice)
    const heard = []
    socket.on('message', (text) => heard.push(JSON.parse(text)))
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const more of [`"page":${deep}`, `"page":1,"more":${deep}`]) socket.send(`{"offhook":"bridge","kind":"hello","version":1,${more}}`)
    for (const [number, args] of [[1, '[]'], [2, `[${deep}]`]]) {
      socket.send(`{"offhook":"bridge","kind":"call","number":${number},"to":{"of":"phone"},"method":"listDevices","args":${args}}`)
    }
    await eventually(() => heard.filter(({ kind }) => kind === 'reply').length === 2)
    const [first, second] = heard.filter(({ kind }) => kind === 'reply').sort((one, other) => one.number - other.number)
    assert.ok(Array.isArray(first.value))
    assert.equal(second.error.code, 'ERR_INVALID_ARGUMENT')
    socket.terminate()
    assert.deepEqual(await served.closed, { reason: 'lost' })
    assert.equal(alice.connected, true)
  })

  test('end the process at a port that takes no reply', async (t) => {
    const { alice } = await desk(t)
    const port = new EventEmitter()
    let breaks = false
    port.postMessage = () => {
      if (breaks) throw new DOMException('It could not be cloned', 'DataCloneError')
    }
    const served = serve(alice, port)
    const say = (message) => port.emit('message', { offhook: 'bridge', ...message })
    say({ kind: 'hello', version: 1, page: 1 })
    breaks = true
    say({ kind: 'call', number: 1, to: { of: 'phone' }, method: 'listDevices', args: [] })
    assert.deepEqual(await served.closed, { reason: 'lost' })
    assert.equal(alice.connected, true)
  })

  test('block the process by values without end', async (t) => {
    const { alice, ask, answer } = await byHand(t)
    await answer('welcome')
    const shared = (levels, make) => Array.from({ length: levels }).reduce((inner) => make(inner), [])
    const letters = 'x'.repeat(100_000)
    const given = {
      'objects that are shared': [shared(60, (inner) => [inner, inner])],
      'the same, under names': [shared(60, (inner) => ({ inner, other: inner }))],
      'shared, and not deep': [Array(101).fill(Array(100).fill(0))],
      'octets': [new Uint8Array(20_000_000)],
      'a buffer': [new ArrayBuffer(8)],
      'a text that is an object': [Object(letters)],
      'an array of holes': [new Array(4_000_000_000)],
      'one that shares its texts': [Array(50).fill(letters)],
      'names of great length': [{ [letters.repeat(11)]: 1 }],
      'a map': [new Map([[1, 2]])],
    }
    for (const [number, [name, args]] of Object.entries(given).entries()) {
      const { error } = await ask(number + 1, { of: 'phone' }, 'listDevices', args)
      assert.equal(error?.code, 'ERR_INVALID_ARGUMENT', name)
      assert.match(error.message, /a page gives to a method (at most|only)/)
    }
    const { error } = await ask(99, { of: 'phone' }, 'listDevices', new Array(4_000_000_000))
    assert.equal(error.code, 'ERR_INVALID_ARGUMENT')
    assert.equal(alice.connected, true)
  })

  test('end it by a frame that breaks the rules of WebSocket', async (t) => {
    const { alice } = await desk(t)
    const { socket, served } = await socketTo(t, alice)
    socket._socket.write(Buffer.from([0xff, 0xff]))
    assert.deepEqual(await served.closed, { reason: 'lost' })
    assert.equal(alice.connected, true)
  })

  test('fill its memory by asking without listening', async (t) => {
    const { alice, served, say, heard } = await byHand(t)
    for (let index = 0; index < 5000; index += 1) say({ kind: 'hello', version: 1, page: index })
    assert.deepEqual(await served.closed, { reason: 'lost' })
    assert.ok(heard.length <= 4096 + 1, `${heard.length} messages`)
    assert.equal(alice.connected, true)
  })

  test("see what the application's own functions throw", async (t) => {
    const { open } = await pbxOf(t, { users: ['alice'] })
    const alice = await open('alice')
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    serve(alice, port1)
    const phone = connect(port2)
    await phone.ready
    const told = phone.once('error')
    await eventually(() => alice.listenerCount('error') === 1)
    const cause = new SoftphoneError('The access token could not be fetched', { code: 'ERR_ACCESS_TOKEN', type: 'invalid_token', cause: new Error('client_secret=hunter2') })
    alice.emit('error', new SoftphoneError('Failed to initialize SDK', { code: 'ERR_ACCESS_TOKEN', type: 'initialization', cause }), { code: 'ERR_ACCESS_TOKEN', type: 'initialization' })
    const [error] = await told
    assert.equal(error.cause.code, 'ERR_ACCESS_TOKEN')
    assert.equal(error.cause.cause, undefined)
    assert.doesNotMatch(JSON.stringify([error.cause, error.stack]), /hunter2|softphone\.js/)
  })
})
