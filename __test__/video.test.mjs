import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { camera, counters, EVERY, frame, screen, shown } from './pictures.mjs'
import { connect, eventually, next, pbxOf } from './video-calls.mjs'
import { VideoSink, VideoSource } from 'offhook'

/** Asserts that each number is there once, in order, from the first on. */
function inOrder(numbers) {
  const expected = numbers.map((_, index) => numbers[0] + index)
  assert.deepEqual(numbers, expected)
}

describe('video', () => {
  test('what is written on one side is read on the other, whole, in order, from a key frame on', async (t) => {
    const [mine, theirs] = [camera(t), camera(t)]
    const { outgoing, incoming } = await connect(t, { video: mine.source }, { video: theirs.source })
    const ears = await Promise.all([screen(t, incoming, await shown(incoming)), screen(t, outgoing, await shown(outgoing))])
    const [fromMine, fromTheirs] = await Promise.all(ears.map(({ frames }) => frames(15)))
    for (const [read, { written }] of [
      [fromMine, mine],
      [fromTheirs, theirs],
    ]) {
      assert.equal(read[0].key, true)
      inOrder(counters(read))
      for (const { data } of read) {
        const sent = written.find((picture) => picture.data.readUInt32BE(12) === data.readUInt32BE(12))
        assert.deepEqual(data, sent.data)
      }
      const steps = read.slice(1).map(({ timestamp }, index) => timestamp - read[index].timestamp)
      for (const step of steps) assert.ok(Math.abs(step - EVERY * 1000) < 100, `${step} µs`)
    }
    const report = await incoming.getStats()
    const video = [...report.values()].filter(({ kind }) => kind === 'video')
    const inbound = video.find(({ type }) => type === 'inbound-rtp')
    assert.ok(inbound.framesReceived >= 15 && inbound.packetsLost === 0, JSON.stringify(inbound))
    assert.deepEqual([inbound.frameWidth, inbound.frameHeight], [320, 180])
    const outbound = video.find(({ type }) => type === 'outbound-rtp')
    assert.ok(outbound.framesSent >= 15 && outbound.active, JSON.stringify(outbound))
    assert.equal(report.get(outbound.codecId).mimeType, 'video/VP8')
  })

  test('is refused where nobody asks for it, and the call goes on', async (t) => {
    const { source } = camera(t)
    const { pending, outgoing, incoming, hear } = await connect(t, { video: source }, {})
    assert.deepEqual([pending.video, pending.screen], [true, false])
    await hear()
    assert.equal(source.active, false)
    assert.deepEqual([outgoing.streams, incoming.streams], [[], []])
    // Nor is it taken later.
    await assert.rejects(outgoing.setScreen(new VideoSource()), { code: 'ERR_VIDEO_FAILED' })
    await outgoing.hold()
    await outgoing.resume()
    await hear()
    assert.equal(source.active, false)
  })

  test('goes one way where the other side only looks', async (t) => {
    const { source } = camera(t)
    const { outgoing, incoming } = await connect(t, { video: 'none' }, { video: source })
    const { frames } = await screen(t, outgoing, await shown(outgoing))
    inOrder(counters(await frames(5)))
    assert.deepEqual(incoming.streams, [])
  })

  test('begins, changes and stops in a call, and each stream comes and goes once', async (t) => {
    const { outgoing, incoming, hear } = await connect(t, {}, { video: 'none', screen: 'none' })
    const told = []
    incoming.on('streamAvailable', ({ id, content }) => told.push(`+${id} ${content}`))
    incoming.on('streamUnavailable', ({ id }) => told.push(`-${id}`))
    const [face, slides, other] = [camera(t), camera(t), camera(t)]
    await outgoing.setVideo(face.source)
    await outgoing.setScreen(slides.source)
    const [faces, slidesSeen] = await Promise.all([
      screen(t, incoming, await shown(incoming)),
      screen(t, incoming, await shown(incoming, 'screen')),
    ])
    await Promise.all([faces.frames(5), slidesSeen.frames(5)])
    await outgoing.setVideo(other.source)
    await eventually(() => !face.source.active)
    await eventually(() => other.source.active)
    for (let key = false; !key; ) [{ key }] = await faces.frames(1)
    await outgoing.setScreen(null)
    await eventually(() => told.length === 3)
    await outgoing.setVideo(null)
    await eventually(() => told.length === 4)
    assert.deepEqual(told, ['+1 camera', '+2 screen', '-2', '-1'])
    await hear()
    await outgoing.setVideo(face.source)
    const again = await shown(incoming)
    assert.equal(again.id, '3')
    const unavailable = next(incoming, 'streamUnavailable')
    const ended = next(incoming, 'terminated')
    await outgoing.end()
    assert.deepEqual(await unavailable, [again])
    await ended
    assert.deepEqual(incoming.streams, [])
    await eventually(() => !face.source.active)
  })

  test('of a camera that is muted, or of a call on hold, nothing is seen', async (t) => {
    const { source, written } = camera(t)
    const { outgoing, incoming } = await connect(t, { video: source }, { video: 'none' })
    const { sink, frames } = await screen(t, incoming, await shown(incoming))
    await frames(3)
    for (const [stop, go] of [
      [() => outgoing.muteVideo(), () => outgoing.unmuteVideo()],
      [() => outgoing.hold(), () => outgoing.resume()],
    ]) {
      await stop()
      await eventually(() => !source.active)
      await sleep(300)
      while (sink.read());
      const before = written.length
      await sleep(300)
      assert.equal(sink.read(), null)
      assert.equal(written.length, before)
      await go()
      const [first] = await frames(1)
      assert.equal(first.key, true)
    }
    assert.equal(incoming.streams.length, 1, 'a stream stands still meanwhile')
  })

  test('a source shows one call, and a sink takes one stream', async (t) => {
    const { source } = camera(t)
    const { outgoing, incoming } = await connect(t, { video: source }, { video: 'none' })
    const { sink } = await screen(t, incoming, await shown(incoming))
    await assert.rejects(outgoing.setScreen(source), { code: /ERR_NO_DEVICE|ERR_VIDEO_FAILED/ })
    const closed = new VideoSource()
    closed.close()
    await assert.rejects(outgoing.setVideo(closed), { code: 'ERR_NO_DEVICE', message: /VideoSource \d+; was it closed/ })
    await eventually(() => source.active)
    await assert.rejects(incoming.setVideoOutput('7', new VideoSink()), { code: 'ERR_SESSION_STATE' })
    const gone = new VideoSink()
    gone.destroy()
    await assert.rejects(incoming.setVideoOutput(incoming.streams[0].id, gone), { code: 'ERR_NO_DEVICE' })
    sink.destroy()
    const again = await screen(t, incoming, incoming.streams[0])
    await again.frames(2)
  })

  test('a source that writes too fast and a sink that nobody reads lose frames, and nothing else', async (t) => {
    const source = new VideoSource({ codecs: ['vp8'] })
    t.after(() => source.close())
    const { incoming, hear } = await connect(t, { video: source }, { video: 'none' })
    const sink = new VideoSink({ queue: 4 })
    t.after(() => sink.destroy())
    await incoming.setVideoOutput((await shown(incoming)).id, sink)
    await eventually(() => source.active)
    let dropped = 0
    for (let count = 0; count < 2000; count += 1) {
      if (!source.write(frame(count, count === 0, 20_000))) dropped += 1
    }
    assert.ok(dropped > 1000, `${dropped} were dropped`)
    await hear()
    // At the pace of a call all arrive, and nobody reads them.
    let count = 2000
    const writing = setInterval(() => source.write(frame(count++, true, 600)), 25)
    t.after(() => clearInterval(writing))
    await eventually(() => sink.dropped > 10)
    await hear()
  })

  test('tells the size of what is seen, and a reader may ask for a key frame', async (t) => {
    const { source } = camera(t)
    const sizes = []
    const begun = (session) => session.on('resolution', (size) => sizes.push(size))
    const { incoming } = await connect(t, { video: source }, { video: 'none' }, { begun })
    const { sink, frames } = await screen(t, incoming, await shown(incoming))
    await eventually(() => sizes.length === 1)
    assert.deepEqual(sizes, [{ id: incoming.streams[0].id, width: 320, height: 180 }])
    await frames(20)
    await sleep(1000)
    while (sink.read());
    const asked = next(source, 'keyFrameRequest')
    sink.requestKeyFrame()
    await asked
  })
})
