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
import { writeCounterClip } from './counter.mjs'
import { assertMirrored, mirror, seesMore } from './mirror.mjs'
import { peers } from './peers.mjs'

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
    await seesMore(page, 10)
  })
})
