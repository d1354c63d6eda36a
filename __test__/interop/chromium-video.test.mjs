// Pictures between us and JsSIP in Chromium, whose fake camera counts its pictures.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { screen, shown } from '../pictures.mjs'
import { eventually, next, voice } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { drain, hears } from '../sound.mjs'
import { startChromium } from './chromium.mjs'
import { COUNTED, writeCounterClip } from './counter.mjs'
import { peers } from './peers.mjs'
import { VideoSink, VideoSource } from 'offhook'

describe('video with JsSIP in Chromium', { skip: peers('chromium'), timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-camera-'))
  let chromium
  before(async () => {
    const camera = writeCounterClip(join(folder, 'camera.y4m'), { width: 320, height: 240, rate: 15 })
    chromium = await startChromium({ camera })
  })
  after(async () => {
    await chromium?.stop()
    rmSync(folder, { recursive: true })
  })

  /** Alice is ours, and Bob a page. */
  async function both(t) {
    const { pbx, open } = await pbxOf(t, { domain: 'example.com' })
    const [page, alice] = await Promise.all([
      chromium.phone({ server: pbx.url, uri: 'sip:bob@example.com', password: 'bob-password' }),
      open('alice'),
    ])
    t.after(() => page.stop())
    return { page, alice }
  }

  /** What is shown is what comes: the other side sees its own camera. */
  function mirror(t, codec) {
    const source = new VideoSource({ codecs: [codec] })
    const sink = new VideoSink()
    t.after(() => {
      source.close()
      sink.destroy()
    })
    source.on('keyFrameRequest', () => sink.requestKeyFrame())
    const frames = []
    sink.on('data', (frame) => {
      frames.push(frame)
      source.write(frame)
    })
    return { source, sink, frames }
  }

  /** What is seen are the camera's pictures in their order, and none is behind one that came after it. */
  function assertInOrder(counts) {
    const steps = counts.slice(1).map((count, index) => (count - counts[index] + COUNTED) % COUNTED)
    assert.deepEqual(steps.filter((step) => step > COUNTED / 2), [], counts.join(' '))
  }

  async function assertMirrored(page, session, { sink, frames }, codec) {
    const { id } = await shown(session)
    await session.setVideoOutput(id, sink)
    await page.look()
    const until = Date.now() + 30_000
    let seen = []
    while (seen.length < 30 && Date.now() < until) {
      await new Promise((passed) => setTimeout(passed, 250))
      seen = await page.seen()
    }
    assert.ok(seen.length >= 30, `${seen.length} pictures were seen: ${JSON.stringify([await page.pictures(), frames.length])}`)
    assertInOrder(seen)
    for (const { codec: used } of await page.pictures()) assert.equal(used, `video/${codec === 'vp8' ? 'VP8' : 'H264'}`)
    assert.equal(frames[0].key, true)
    assert.ok(frames.every((frame) => frame.codec === codec))
  }

  for (const codec of ['vp8', 'h264']) {
    test(`is called with ${codec}, and sees its own camera`, async (t) => {
      const { page, alice } = await both(t)
      const view = mirror(t, codec)
      const { ear, audio } = voice(600)
      const session = await alice.call('bob', { ...audio, video: view.source })
      await page.event('incoming')
      await page.answerWithVideo(1000)
      await session.answered
      await assertMirrored(page, session, view, codec)
      drain(ear)
      await Promise.all([hears(ear, 1000), page.hears(600)])
    })

    test(`calls with ${codec}, and sees its own camera`, async (t) => {
      const { page, alice } = await both(t)
      const view = mirror(t, codec)
      const ringing = next(alice, 'pendingSession')
      await page.callWithVideo('sip:alice@example.com', 1000)
      const [{ id, video, screen: offered }] = await ringing
      assert.deepEqual([video, offered], [true, false])
      const { ear, audio } = voice(600)
      const session = await alice.answer(id, { ...audio, video: view.source })
      await assertMirrored(page, session, view, codec)
      drain(ear)
      await Promise.all([hears(ear, 1000), page.hears(600)])
    })
  }

  test('shows a screen beside its camera, where we wish for one, and ends it', async (t) => {
    const { page, alice } = await both(t)
    const ringing = next(alice, 'pendingSession')
    await page.callWithVideo('sip:alice@example.com', 1000)
    const [{ id }] = await ringing
    const session = await alice.answer(id, { video: 'none', screen: 'none' })
    const told = []
    session.on('streamAvailable', ({ content }) => told.push(`+${content}`))
    session.on('streamUnavailable', ({ content }) => told.push(`-${content}`))
    const face = await screen(t, session, await shown(session))
    await face.frames(3, 30_000)
    await page.addScreen()
    const slides = await screen(t, session, await shown(session, 'screen'))
    await slides.frames(3, 30_000)
    await page.removeScreen()
    await eventually(() => told.includes('-screen'))
    await face.frames(3, 30_000)
    await page.hangUp()
    await eventually(() => told.includes('-camera'))
    assert.deepEqual(told.filter((word) => word !== '+camera'), ['+screen', '-screen', '-camera'])
  })

  test('is refused its video, and is talked to', async (t) => {
    const { page, alice } = await both(t)
    const ringing = next(alice, 'pendingSession')
    await page.callWithVideo('sip:alice@example.com', 1000)
    const [{ id }] = await ringing
    const { ear, audio } = voice(600)
    const session = await alice.answer(id, audio)
    await Promise.all([hears(ear, 1000), page.hears(600)])
    assert.deepEqual(session.streams, [])
    assert.deepEqual((await page.pictures()).filter(({ type }) => type === 'inbound-rtp'), [])
  })

  test('takes our video in a running call, and sees nothing while it is on hold', async (t) => {
    const { page, alice } = await both(t)
    const view = mirror(t, 'vp8')
    const { audio } = voice(600)
    const session = await alice.call('bob', { ...audio, video: 'none' })
    await page.event('incoming')
    await page.answerWithVideo(1000)
    await session.answered
    await session.setVideo(view.source)
    await assertMirrored(page, session, view, 'vp8')
    await session.hold()
    await eventually(() => !view.source.active)
    await session.resume()
    await eventually(() => view.source.active)
    const before = (await page.seen()).length
    const until = Date.now() + 20_000
    while ((await page.seen()).length < before + 10) {
      assert.ok(Date.now() < until, 'it goes on')
      await new Promise((passed) => setTimeout(passed, 250))
    }
  })
})
