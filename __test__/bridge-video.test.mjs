// Pictures over a bridge: what a page films and sees goes by the one port that it has to its phone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { VideoSink } from 'offhook'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { videoPort } from 'offhook/bridge/video'
import { channels } from './bridges.mjs'
import { eventually, next } from './phones.mjs'
import { pbxOf } from './pbx.mjs'
import { EVERY, camera, frame, shown } from './pictures.mjs'

/** Alice's page, and Bob, who takes pictures and shows some. */
async function desk(t, channel = channels['a MessagePort']) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const { phoneSide, pageSide, close } = await channel()
  t.after(close)
  serve(alice, phoneSide)
  const phone = connect(pageSide)
  await phone.ready
  /** What the page's camera is to the phone. */
  const shows = () => {
    const given = []
    const { call } = alice
    alice.call = (target, options) => (given.push(options.video), call.call(alice, target, options))
    return () => given[0]
  }
  return { alice, bob, phone, close, pageSide, source: shows() }
}

/** Does by a port what `publish()` of offhook/renderer does: a picture each 100 ms while it is wanted. */
function film(t, port) {
  const at = { active: false, ended: false, lost: false, key: true, number: 0 }
  const say = (message) => port.postMessage({ offhook: 'publish', ...message })
  port.addEventListener('message', ({ data: { offhook, kind, ...rest } }) => {
    assert.equal(offhook, 'publish')
    if (kind === 'hello') say({ kind: 'hello', codecs: ['vp8'] })
    if (kind === 'state') Object.assign(at, rest)
    if (kind === 'keyFrame') at.key = true
    if (kind === 'end') at.ended = true
  })
  port.addEventListener('close', () => (at.lost = true))
  say({ kind: 'hello', codecs: ['vp8'] })
  const timer = setInterval(() => {
    if (!at.active) return
    at.number += 1
    const { data, ...picture } = frame(at.number, at.key)
    at.key = false
    say({ kind: 'frame', number: at.number, ...picture, data: new Uint8Array(data) })
  }, EVERY)
  t.after(() => clearInterval(timer))
  return Object.assign(at, { end: () => say({ kind: 'end' }) })
}

/** Does by a port what `render()` of offhook/renderer does. */
function watch(port) {
  const seen = []
  const say = (message) => port.postMessage({ offhook: 'render', ...message })
  port.addEventListener('message', ({ data: { offhook, kind, number, ...picture } }) => {
    assert.equal(offhook, 'render')
    if (kind === 'hello') say({ kind: 'hello' })
    if (kind !== 'frame') return
    assert.ok(picture.data instanceof Uint8Array)
    seen.push(picture)
    say({ kind: 'taken', number })
  })
  say({ kind: 'hello' })
  return { seen, sees: (count) => eventually(() => seen.length >= count) }
}

describe('pictures of a page', () => {
  for (const [name, channel] of Object.entries(channels)) {
    test(`go both ways over ${name}, and end with its ports`, async (t) => {
      const { bob, phone, source } = await desk(t, channel)
      const theirs = camera(t)
      bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none', video: theirs.source }))
      const mine = videoPort(phone)
      const filming = film(t, mine)
      const session = await phone.call('bob', { mediaStream: 'none', audioElement: 'none', video: mine })
      await session.answered
      const [other] = bob.sessions
      const sink = new VideoSink()
      t.after(() => sink.destroy())
      await other.setVideoOutput((await shown(other)).id, sink)
      const [first] = await once(sink, 'data')
      assert.deepEqual([first.codec, first.key], ['vp8', true])

      await eventually(() => session.streams.length === 1)
      const port = videoPort(phone)
      const { seen, sees } = watch(port)
      await session.setVideoOutput(session.streams[0].id, port)
      await sees(5)
      assert.equal(seen[0].key, true)
      assert.deepEqual(Buffer.from(seen[0].data), theirs.written.find(({ data }) => Buffer.from(seen[0].data).equals(data))?.data)

      await session.setVideo('none')
      await eventually(() => !filming.active)
      await session.setVideo(mine)
      await eventually(() => filming.active)
      filming.end()
      await eventually(() => source().closed)
      await session.end()
    })
  }

  test('the screen comes beside the camera, and null ends a line', async (t) => {
    const { bob, phone } = await desk(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none', video: 'none', screen: 'none' }))
    const [camera, screen] = [videoPort(phone), videoPort(phone)]
    const [filming, showing] = [film(t, camera), film(t, screen)]
    const session = await phone.call('bob', { mediaStream: 'none', video: camera, screen: 'none' })
    await session.answered
    await session.setScreen(screen)
    await eventually(() => filming.active && showing.active)
    await eventually(() => bob.sessions[0].streams.length === 2)
    await session.setScreen(null)
    await eventually(() => bob.sessions[0].streams.length === 1 && !showing.active)
    assert.equal(filming.active, true)
  })

  test('end when the page is gone, and the call goes on', async (t) => {
    const { alice, bob, phone, close, source } = await desk(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none', video: 'none' }))
    const port = videoPort(phone)
    const filming = film(t, port)
    const session = await phone.call('bob', { mediaStream: 'none', video: port })
    await session.answered
    await eventually(() => filming.active)
    const [other] = bob.sessions
    const sink = new VideoSink()
    t.after(() => sink.destroy())
    await other.setVideoOutput((await shown(other)).id, sink)
    await once(sink, 'data')
    close()
    await eventually(() => filming.lost && source().closed)
    assert.equal(alice.sessions[0].state, 'active')
    const resumed = camera(t)
    await alice.sessions[0].setVideo(resumed.source)
    await eventually(() => resumed.source.active)
  })

  test('can not be of more streams than fit, of two directions at one port, or of no port', async (t) => {
    const { alice, bob, phone, pageSide } = await desk(t)
    const ringing = next(bob, 'pendingSession')
    const port = videoPort(phone)
    const session = await phone.call('bob', { mediaStream: 'none', video: port })
    await ringing
    await assert.rejects(session.setVideoOutput('x', port), { code: 'ERR_INVALID_ARGUMENT', message: /one direction/ })
    await assert.rejects(session.setVideo({ 'offhook:is': 'video', port: 'x' }), { code: 'ERR_INVALID_ARGUMENT' })
    await assert.rejects(session.setVideo({ y4m: '/etc/passwd' }), { code: 'ERR_INVALID_ARGUMENT', message: /a page chooses/ })
    await assert.rejects(session.setVideoOutput('x', { ivf: '/tmp/seen.ivf' }), { code: 'ERR_INVALID_ARGUMENT', message: /a page chooses/ })
    await assert.rejects(phone.call('bob', { video: { session, stream: 'x' } }), { code: 'ERR_INVALID_ARGUMENT' })
    for (let count = 1; count < 64; count += 1) await assert.rejects(session.setVideoOutput('x', videoPort(phone)), { code: 'ERR_SESSION_STATE' })
    await assert.rejects(session.setVideoOutput('x', videoPort(phone)), { code: 'ERR_BUSY', message: /64 streams/ })
    for (const said of [undefined, 7, { port: 1 }, { port: 1, data: 7 }, { port: {}, data: { offhook: 'publish', kind: 'frame' } }]) pageSide.postMessage({ offhook: 'bridge', kind: 'video', ...said })
    const odd = { offhook: 'publish', kind: 'frame', number: 1, codec: 'av1', key: true, timestamp: 0, data: 'x' }
    pageSide.postMessage({ offhook: 'bridge', kind: 'video', port: port.port, data: odd })
    const failed = await new Promise((resolve) => port.addEventListener('message', ({ data }) => data.kind === 'end' && resolve(data)))
    assert.equal(failed.kind, 'end')
    assert.equal(alice.connected, true)
    assert.ok(Array.isArray(await phone.listDevices()))
    await session.end()
  })
})
