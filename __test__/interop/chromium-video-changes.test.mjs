// What becomes of pictures while a call with JsSIP in Chromium changes, and through a gateway without BUNDLE.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { camera, screen, shown } from '../pictures.mjs'
import { eventually, next, phonesOf, voice } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { drain, hears } from '../sound.mjs'
import { startChromium } from './chromium.mjs'
import { writeCounterClip } from './counter.mjs'
import { startHeldSocket } from './held-socket.mjs'
import { startKamailio } from './kamailio.mjs'
import { assertMirrored, mirror, seesMore } from './mirror.mjs'
import { peers } from './peers.mjs'
import { startRtpengine } from './rtpengine.mjs'

/** For a suite: Chromium with a camera that counts. */
function counting() {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-camera-'))
  const suite = {}
  before(async () => {
    const clip = writeCounterClip(join(folder, 'camera.y4m'), { width: 320, height: 240, rate: 15 })
    suite.chromium = await startChromium({ camera: clip })
  })
  after(async () => {
    await suite.chromium?.stop()
    rmSync(folder, { recursive: true })
  })
  return suite
}

describe('video with JsSIP in Chromium, in a call that changes', { skip: peers('chromium'), timeout: 300_000 }, () => {
  const suite = counting()

  /** A call of Bob's, who is a page with a camera, that Alice takes, who is ours. */
  async function talking(t, options = {}) {
    const { pbx, open } = await pbxOf(t, { domain: 'example.com' })
    const [page, alice] = await Promise.all([
      suite.chromium.phone({ server: pbx.url, uri: 'sip:bob@example.com', password: 'bob-password' }),
      open('alice'),
    ])
    t.after(() => page.stop())
    const ringing = next(alice, 'pendingSession')
    await page.callWithVideo('sip:alice@example.com', 1000)
    const [{ id }] = await ringing
    const { ear, audio } = voice(600)
    const session = await alice.answer(id, { ...audio, ...options })
    await page.event('confirmed')
    const hear = () => {
      drain(ear)
      return Promise.all([hears(ear, 1000), page.hears(600)])
    }
    return { page, session, hear }
  }

  test('it holds and resumes, and each sees nothing meanwhile and goes on', async (t) => {
    const view = mirror(t, 'vp8')
    const { page, session, hear } = await talking(t, { video: view.source })
    await assertMirrored(page, session, view, 'vp8')
    for (let round = 0; round < 2; round++) {
      const held = next(session, 'hold')
      await page.hold()
      await held
      await eventually(() => !view.source.active)
      const resumed = next(session, 'resume')
      await page.unhold()
      await resumed
      await seesMore(page, 10)
    }
    assert.equal(session.streams.length, 1)
    await hear()
  })

  test('both offer again and again, and pictures and sound go on', async (t) => {
    const view = mirror(t, 'vp8')
    const { page, session, hear } = await talking(t, { video: view.source })
    await assertMirrored(page, session, view, 'vp8')
    for (let round = 0; round < 3; round++) {
      await page.renegotiate(false)
      await session.hold()
      await session.resume()
      await page.renegotiate(true)
      await seesMore(page, 10)
    }
    assert.equal(session.streams.length, 1)
    await hear()
  })

  test('a screen comes beside the camera, goes, and comes again where it stood', async (t) => {
    const view = mirror(t, 'vp8')
    const { page, session, hear } = await talking(t, { video: view.source, screen: 'none' })
    await assertMirrored(page, session, view, 'vp8')
    const told = []
    session.on('streamAvailable', ({ id, content }) => told.push(`+${content} ${id}`))
    session.on('streamUnavailable', ({ id }) => told.push(`- ${id}`))
    for (let round = 1; round <= 3; round++) {
      await page.addScreen()
      const slides = await screen(t, session, await shown(session, 'screen'))
      await slides.frames(3, 30_000)
      await page.removeScreen()
      await eventually(() => told.length === 2 * round, 10_000)
    }
    assert.deepEqual(told, ['+screen 2', '- 2', '+screen 3', '- 3', '+screen 4', '- 4'])
    await seesMore(page, 10)
    await hear()
  })

  test('our screen is stopped and begins anew in the middle of the call', async (t) => {
    const view = mirror(t, 'vp8')
    const { page, session, hear } = await talking(t, { video: view.source })
    await assertMirrored(page, session, view, 'vp8')
    const mine = camera(t)
    for (let round = 0; round < 3; round++) {
      await session.setScreen(mine.source)
      await eventually(() => mine.source.active, 10_000)
      await session.setScreen(null)
      await eventually(() => !mine.source.active)
    }
    await session.setVideo('none')
    await eventually(() => !view.source.active)
    await session.setVideo(view.source)
    await seesMore(page, 10)
    await hear()
  })
})

describe('video with JsSIP in Chromium, when both offer at once', { skip: peers('chromium'), timeout: 240_000 }, () => {
  const suite = counting()

  async function both(t) {
    const { pbx, open } = await pbxOf(t, { domain: 'example.com' })
    const line = await startHeldSocket(t, pbx.url)
    const [page, alice] = await Promise.all([
      suite.chromium.phone({ server: line.url, uri: 'sip:bob@example.com', password: 'bob-password' }),
      open('alice'),
    ])
    t.after(() => page.stop())
    return { page, alice, line }
  }

  async function called(t, options) {
    const { page, alice, line } = await both(t)
    const session = await alice.call('bob', options)
    await page.event('incoming')
    await page.answerWithVideo(1000)
    await session.answered
    return { page, line, session }
  }

  async function calling(t, options) {
    const { page, alice, line } = await both(t)
    const ringing = next(alice, 'pendingSession')
    await page.callWithVideo('sip:alice@example.com', 1000)
    const [{ id }] = await ringing
    const session = await alice.answer(id, options)
    await page.event('confirmed')
    return { page, line, session }
  }

  for (const [how, established] of [['is called', called], ['calls', calling]]) {
    test(`${how}, and its screen and ours come both`, async (t) => {
      const [view, slides] = [mirror(t, 'vp8'), camera(t)]
      const { ear, audio } = voice(600)
      const { page, line, session } = await established(t, { ...audio, video: view.source, screen: 'none' })
      await assertMirrored(page, session, view, 'vp8')
      await page.refuseCrossingOffers()
      const begin = line.said.length
      const offers = () => line.said.slice(begin).filter((message) => /^INVITE /.test(message) && message.includes('m=video')).length
      line.hold()
      const theirs = page.addScreen()
      await eventually(() => offers() === 1, 20_000)
      const ours = session.setScreen(slides.source)
      await eventually(() => offers() === 2, 20_000)
      line.release()
      await Promise.all([theirs, ours])
      assert.ok(line.said.some((message) => message.startsWith('SIP/2.0 491')), 'they met')
      const seen = await screen(t, session, await shown(session, 'screen'))
      await seen.frames(3, 30_000)
      await eventually(() => slides.source.active, 20_000)
      await seesMore(page, 10)
      drain(ear)
      await Promise.all([hears(ear, 1000), page.hears(600)])
    })
  }
})

describe('video with JsSIP in Chromium, through Kamailio and rtpengine', { skip: peers('chromium', 'kamailio', 'rtpengine'), timeout: 180_000 }, () => {
  const suite = counting()
  let rtpengine
  let kamailio
  before(async () => {
    rtpengine = await startRtpengine()
    kamailio = await startKamailio({ rtpengine, allMedia: true })
  })
  after(() => Promise.all([kamailio?.stop(), rtpengine?.stop()]))

  const uri = (user) => `sip:${user}@${kamailio.domain}`

  async function both(t) {
    const [page, alice] = await Promise.all([
      suite.chromium.phone({ server: kamailio.ws, uri: uri('bob'), password: 'bobpw' }),
      phonesOf(t).open({ uri: uri('alice'), password: 'alicepw', servers: kamailio.ws }),
    ])
    t.after(() => page.stop())
    return { page, alice }
  }

  test('it is called, and sees its own camera', async (t) => {
    const { page, alice } = await both(t)
    const view = mirror(t, 'vp8')
    const { ear, audio } = voice(600)
    const session = await alice.call(uri('bob'), { ...audio, video: view.source })
    await page.event('incoming')
    await page.answerWithVideo(1000)
    await session.answered
    await assertMirrored(page, session, view, 'vp8')
    await session.hold()
    await session.resume()
    await seesMore(page, 10)
    drain(ear)
    await Promise.all([hears(ear, 1000), page.hears(600)])
  })

  test('it calls, and sees its own camera', async (t) => {
    const { page, alice } = await both(t)
    const view = mirror(t, 'vp8')
    const ringing = next(alice, 'pendingSession')
    await page.callWithVideo(uri('alice'), 1000)
    const [{ id }] = await ringing
    const { ear, audio } = voice(600)
    const session = await alice.answer(id, { ...audio, video: view.source })
    await assertMirrored(page, session, view, 'vp8')
    drain(ear)
    await Promise.all([hears(ear, 1000), page.hears(600)])
    await page.hold()
    await page.unhold()
    await seesMore(page, 10)
  })
})
