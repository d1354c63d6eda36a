// Pages at both ends of a call: camera, WebCodecs, port, engine, network, engine, port, WebCodecs, canvas.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { VideoSink, VideoSource } from 'offhook'
import { connectVideoSink, connectVideoSource } from 'offhook/renderer/host'
import { shown } from '../pictures.mjs'
import { connect } from '../video-calls.mjs'
import { COUNTED } from './counter.mjs'
import { assertInOrder, sees, startCamera, startScreen, stats, until } from './page-video.mjs'
import { startPages } from './pages.mjs'
import { peers } from './peers.mjs'

describe('calls between pages', { skip: peers('chromium'), timeout: 170_000 }, () => {
  let pages
  before(async () => (pages = await startPages()))
  after(() => pages.stop())

  /** A page whose camera a source has. */
  async function filmed(t, source) {
    const page = await pages.page(t)
    await page.evaluate(startCamera)
    return { page, connection: connectVideoSource(await pages.port('/camera'), source) }
  }

  /** A page that shows what a session's other side films. */
  async function watched(t, session) {
    const page = await pages.page(t)
    await page.evaluate(startScreen)
    const sink = new VideoSink()
    t.after(() => sink.destroy())
    connectVideoSink(await pages.port('/screen'), sink)
    await session.setVideoOutput((await shown(session)).id, sink)
    return { page, sink }
  }

  for (const codec of ['vp8', 'h264']) {
    test(`a page's camera is seen in the page of the other side, in order, by ${codec}`, async (t) => {
      const source = new VideoSource({ codecs: [codec] })
      t.after(() => source.close())
      const filming = await filmed(t, source)
      const { incoming, hear } = await connect(t, { video: source }, { video: 'none' })
      const watching = await watched(t, incoming)
      const started = performance.now()
      const counts = await sees(watching.page, 60)
      const seconds = (performance.now() - started) / 1000
      assertInOrder(counts)
      const steps = counts.slice(1).map((count, index) => (count - counts[index] + COUNTED) % COUNTED)
      t.diagnostic(`${(60 / seconds).toFixed(1)} pictures a second are seen; the longest jump is of ${Math.max(...steps)} pictures`)
      const { codec: decoded, width, height, keyFrameRequests } = await stats(watching.page, 'rendering')
      assert.equal(decoded, codec)
      // As large as the network is known to bear by then.
      assert.ok(width <= 640 && Math.abs(width / height - 4 / 3) < 0.02, `${width} by ${height}`)
      assert.ok(keyFrameRequests <= 2, `${keyFrameRequests} key frames are asked for`)
      assert.equal((await stats(filming.page, 'publication')).codec, codec)
      await hear()
      assert.deepEqual([filming.page.complaints, watching.page.complaints], [[], []])
    })
  }

  test('a camera that is muted is encoded no more, and seen again', async (t) => {
    const source = new VideoSource()
    t.after(() => source.close())
    const { page, connection } = await filmed(t, source)
    assert.deepEqual([...(await connection.codecs)].sort(), ['h264', 'vp8'])
    const { outgoing, incoming } = await connect(t, { video: source }, { video: 'none' })
    const watching = await watched(t, incoming)
    await sees(watching.page, 5)
    await outgoing.muteVideo()
    await until(async () => (await stats(page, 'publication')).codec === undefined, 'nothing is encoded')
    const { length } = await sees(watching.page, 5)
    await outgoing.unmuteVideo()
    assertInOrder(await sees(watching.page, length + 10))
    await outgoing.end()
    await until(async () => (await stats(page, 'publication')).codec === undefined, 'nothing is encoded after the call')
  })

  test('a page that is loaded again during the call films and sees on', async (t) => {
    const source = new VideoSource({ codecs: ['vp8'] })
    t.after(() => source.close())
    const { page, connection } = await filmed(t, source)
    const { incoming } = await connect(t, { video: source }, { video: 'none' })
    const watching = await watched(t, incoming)
    await sees(watching.page, 5)
    connection.close()
    for (const one of [page, watching.page]) {
      await one.reload()
      await one.waitForFunction(() => window.portOf)
    }
    await page.evaluate(startCamera)
    connectVideoSource(await pages.port('/camera'), source)
    await watching.page.evaluate(startScreen)
    connectVideoSink(await pages.port('/screen'), watching.sink)
    assertInOrder(await sees(watching.page, 10))
  })
})
