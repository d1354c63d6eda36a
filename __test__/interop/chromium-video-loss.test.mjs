// What JsSIP in Chromium films comes to us over a network that loses packets both ways.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { VideoSink } from 'offhook'
import { ImpairedLine } from '../../bench/impairment.mjs'
import { SipRewriter } from '../../bench/rewriter.mjs'
import { shown } from '../pictures.mjs'
import { next, voice } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { startChromium } from './chromium.mjs'
import { counterIn, writeCounterClip } from './counter.mjs'
import { assertInOrder } from './page-video.mjs'
import { peers } from './peers.mjs'

/** Pictures that are to be seen; some ten packets of them are lost then. */
const PICTURES = 100

describe('pictures of JsSIP in Chromium, where packets are lost', { skip: peers('chromium'), timeout: 300_000 }, () => {
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

  for (const loss of [0.05, 0.1]) {
    test(`are whole and in order with ${100 * loss} % of loss: what was lost comes again`, async (t) => {
      const { pbx, make } = await pbxOf(t, { domain: 'example.com' })
      const line = await ImpairedLine.open({ loss })
      const rewriter = await SipRewriter.open(pbx.url, line)
      t.after(() => (rewriter.close(), line.close()))
      const alice = make('alice', { servers: rewriter.url })
      const [page] = await Promise.all([
        chromium.phone({ server: pbx.url, uri: 'sip:bob@example.com', password: 'bob-password' }),
        alice.initialize({ signal: AbortSignal.timeout(5000) }),
      ])
      t.after(() => page.stop())
      const ringing = next(alice, 'pendingSession')
      await page.callWithVideo('sip:alice@example.com', 1000)
      const [{ id }] = await ringing
      const session = await alice.answer(id, { ...voice(600).audio, video: 'none' })
      const sink = new VideoSink({ format: 'I420' })
      t.after(() => sink.destroy())
      await session.setVideoOutput((await shown(session)).id, sink)
      const counts = []
      const signal = AbortSignal.timeout(120_000)
      while (counts.length < PICTURES) {
        const picture = sink.read()
        if (!picture) await once(sink, 'readable', { signal })
        const count = picture ? counterIn(picture.data, picture.width, picture.height) : undefined
        if (count !== undefined && count !== counts.at(-1)) counts.push(count)
      }
      assertInOrder(counts)
      const [video] = [...(await session.getStats()).values()].filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
      assert.ok(video.nackCount > 0, JSON.stringify(video))
      assert.ok(video.retransmittedPacketsReceived > 0, JSON.stringify(video))
      // Were nothing repaired, each loss would cost a key frame.
      assert.ok(video.pliCount < video.nackCount, JSON.stringify(video))
      t.diagnostic(`${video.freezeCount} freezes of ${video.totalFreezesDuration} s, ${video.framesReceived} frames, ${video.packetsLost} lost`)
      await page.hangUp()
    })
  }
})
