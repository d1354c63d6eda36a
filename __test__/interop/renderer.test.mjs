// Pages with cameras and canvases, and Node between them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connectVideoSink, connectVideoSource } from 'offhook/renderer/host'
import { COUNTED } from './counter.mjs'
import { assertInOrder, seen, sees, startCamera, startScreen, stats, until } from './page-video.mjs'
import { Sink, Source, startPages } from './pages.mjs'
import { peers } from './peers.mjs'

describe('pages with video', { skip: peers('chromium'), timeout: 170_000 }, () => {
  let pages
  before(async () => (pages = await startPages()))
  after(() => pages.stop())

  /** A page whose camera is written to a source. */
  async function filmed(t, source, { camera = {}, options } = {}) {
    const page = await pages.page(t, options)
    await page.evaluate(startCamera, camera)
    const connection = connectVideoSource(await pages.port('/camera'), source)
    return { page, connection }
  }

  /** A page that shows what comes out of a source. */
  async function watched(t, source, { screen = {}, options } = {}) {
    const page = await pages.page(t, options)
    await page.evaluate(startScreen, screen)
    const sink = new Sink(source)
    const port = await pages.port('/screen')
    return { page, sink, port, connection: connectVideoSink(port, sink) }
  }

  for (const codec of ['vp8', 'h264']) {
    for (const target of ['canvas', 'video']) {
      test(`a page's camera is seen in another page's ${target}, in order, by ${codec}`, async (t) => {
        const source = Object.assign(new Source(), { codec })
        const filming = await filmed(t, source)
        const watching = await watched(t, source, { screen: { target } })
        assertInOrder(await sees(watching.page, 40))
        const { received, shown, width, height } = await stats(watching.page, 'rendering')
        assert.deepEqual([width, height], [640, 480])
        assert.ok(shown > received / 2, `${shown} of ${received}`)
        assert.ok(source.frames.every((frame) => frame.codec === codec && frame.data.constructor === Uint8Array))
        assert.deepEqual([filming.page.complaints, watching.page.complaints], [[], []])
      })
    }
  }

  test('browsers that neither process nor generate tracks do it by video elements and canvases', async (t) => {
    const options = { before: 'delete window.MediaStreamTrackProcessor; delete window.MediaStreamTrackGenerator' }
    const source = new Source()
    await filmed(t, source, { options })
    await until(() => source.frames.length > 20, 'a page that is hidden by none publishes')
    const watching = await watched(t, source, { screen: { target: 'video' }, options })
    await until(async () => (await stats(watching.page, 'rendering')).shown > 10, 'pictures are shown')
  })

  test('the page says what it can encode, in its order, or in the order that it is given', async (t) => {
    const { connection } = await filmed(t, Object.assign(new Source(), { active: false }))
    assert.deepEqual([...(await connection.codecs)].sort(), ['h264', 'vp8'])
    const other = await filmed(t, new Source(), { camera: { options: { codecs: ['h264', 'vp8'] } } })
    assert.deepEqual(await other.connection.codecs, ['h264', 'vp8'])
  })

  test('nothing is encoded while nobody wants it, and a key frame comes first when somebody does', async (t) => {
    const source = Object.assign(new Source(), { active: false })
    const { page } = await filmed(t, source)
    await until(async () => (await stats(page, 'publication')).captured > 15, 'the camera goes')
    assert.equal(source.frames.length, 0)
    source.set({ active: true, codec: 'vp8' })
    await until(() => source.frames.length > 5, 'it is encoded')
    assert.equal(source.frames[0].key, true)
    source.set({ active: false })
    await until(async () => (await stats(page, 'publication')).codec === undefined, 'it stops')
    source.frames = []
    source.set({ active: true, codec: 'h264' })
    await until(() => source.frames.some(({ codec }) => codec === 'h264'), 'it goes on by the other codec')
    assert.equal(source.frames.find(({ codec }) => codec === 'h264').key, true)
  })

  test('a key frame comes when it is asked for, of a still screen as well', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    const page = await pages.page(t)
    await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 321, height: 241 })
      const context = canvas.getContext('2d')
      window.publication = window.renderer.publish(await window.portOf('/camera'), canvas.captureStream())
      // A canvas gives a picture when it is drawn: here once.
      context.fillRect(0, 0, 50, 50)
    })
    connectVideoSource(await pages.port('/camera'), source)
    const keys = () => source.frames.filter(({ key }) => key).length
    await until(() => keys() >= 1, 'the first picture is a key frame')
    const before = keys()
    source.emit('keyFrameRequest')
    await until(() => keys() > before, 'the same picture comes again')
    const times = source.frames.map(({ timestamp }) => timestamp)
    assert.deepEqual(times, [...new Set(times)].sort((one, other) => one - other))
    // H.264 knows no odd sizes: a row and a column are left out.
    const { width, height } = await stats(page, 'publication')
    assert.deepEqual([width, height], [320, 240])
    source.set({ codec: 'h264' })
    source.emit('keyFrameRequest')
    await until(() => source.frames.some(({ codec, key }) => codec === 'h264' && key), 'also by H.264')
  })

  test('the bitrate is obeyed, by smaller pictures where needed', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    const { page } = await filmed(t, source)
    const watching = await watched(t, source)
    await sees(watching.page, 5)
    source.emit('bitrate', 60_000)
    await until(async () => (await stats(watching.page, 'rendering')).width < 640, 'the pictures get smaller')
    source.frames = []
    await until(() => source.frames.length > 60, 'it goes on')
    const [first, last] = [source.frames[0], source.frames.at(-1)]
    const rate = (source.frames.slice(1).reduce((sum, { data }) => sum + data.length, 0) * 8) / ((last.timestamp - first.timestamp) / 1e6)
    assert.ok(rate < 120_000, `${rate} bit/s`)
    source.emit('bitrate', 2_000_000)
    await until(async () => (await stats(watching.page, 'rendering')).width === 640, 'they get larger again')
    assert.deepEqual((await stats(page, 'publication')).width, 640)
    assertInOrder(await seen(watching.page))
  })

  test('a phone that takes nothing gets a few pictures, and the next once it does', async (t) => {
    const page = await pages.page(t)
    await page.evaluate(startCamera)
    const port = await pages.port('/camera')
    let frames = []
    port.onmessage = ({ data }) => data.kind === 'frame' && frames.push(data.number)
    port.postMessage({ offhook: 'publish', kind: 'state', active: true, codec: 'vp8' })
    await until(async () => (await stats(page, 'publication')).dropped > 20, 'pictures are dropped before they are encoded')
    const { length } = frames
    assert.ok(length >= 8 && length <= 12, `${length} pictures`)
    const { dropped } = await stats(page, 'publication')
    await until(async () => (await stats(page, 'publication')).dropped > dropped + 10, 'more are dropped')
    assert.equal(frames.length, length)
    port.postMessage({ offhook: 'publish', kind: 'taken', number: length })
    await until(() => frames.length > length + 5, 'more come')
  })

  test('a page that is busy loses pictures, and no memory, and sees the present afterwards', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    await filmed(t, source)
    const { page, sink } = await watched(t, source)
    await sees(page, 5)
    await page.evaluate(() => {
      const until = performance.now() + 2000
      while (performance.now() < until);
    })
    await until(() => sink.dropped > 0, 'pictures are dropped')
    const { length } = await seen(page)
    const counts = await sees(page, length + 10)
    // What was lost may be more than half of what the counter counts, so the jump over it looks like a step back.
    const steps = counts.slice(1).map((count, index) => (count - counts[index] + COUNTED) % COUNTED)
    const lost = steps.indexOf(Math.max(...steps)) + 1
    assertInOrder(counts.slice(0, lost))
    assertInOrder(counts.slice(lost))
  })

  test('what can not be decoded costs a key frame', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    await filmed(t, source)
    const { page, sink, connection } = await watched(t, source)
    await sees(page, 5)
    const asked = sink.keyFrameRequests
    sink.push({ codec: 'vp8', key: true, timestamp: 0, data: new Uint8Array(100).fill(255) })
    await until(() => sink.keyFrameRequests > asked, 'a key frame is asked for')
    const { length } = await seen(page)
    assertInOrder((await sees(page, length + 10)).slice(length))
    sink.push({ codec: 'h264', key: true, timestamp: 0, data: Uint8Array.of(0, 0, 0, 1, 0x65, 1, 2, 3) })
    const { length: now } = await seen(page)
    await sees(page, now + 10)
    assert.deepEqual(page.complaints, [])
    connection.close()
  })

  test('another camera may take its place, and the size of the pictures change', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    const { page: filming } = await filmed(t, source)
    const { page } = await watched(t, source)
    await sees(page, 5)
    await filming.evaluate(async () => {
      const other = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } })
      window.publication.replace(other)
      for (const track of window.stream.getTracks()) track.stop()
    })
    await until(async () => (await stats(page, 'rendering')).width === 320, 'the pictures are those of the other one')
    // It is drawn with the page's next frame.
    const drawn = () => page.evaluate(() => `${document.querySelector('canvas').width} x ${document.querySelector('canvas').height}`)
    await until(async () => (await drawn()) === '320 x 240', 'the canvas is as large as they are')
    // One clock for both of them, which is the page's.
    const times = source.frames.map(({ timestamp }) => timestamp)
    assert.deepEqual(times, [...times].sort((one, other) => one - other))
    const now = await filming.evaluate(() => performance.now() * 1000)
    assert.ok(Math.abs(times.at(-1) - now) < 3e6, `${times.at(-1)} µs, now ${now}`)
  })

  test('each side learns that a track has ended, or that the other has closed', async (t) => {
    const source = new Source()
    const one = await filmed(t, source)
    await one.page.evaluate(() => window.renderer.render(new MessageChannel().port1, document.querySelector('canvas')).close())
    await one.page.evaluate(() => window.stream.getVideoTracks()[0].dispatchEvent(new Event('ended')))
    await one.page.evaluate(() => window.stream.getVideoTracks()[0].stop())
    assert.deepEqual(await one.connection.closed, { reason: 'ended' })
    const two = await filmed(t, source)
    two.connection.close()
    await until(async () => (await two.page.evaluate(() => window.publicationEnd))?.reason === 'ended', 'the page learns of it')
    assert.equal(await two.page.evaluate(() => window.stream.getVideoTracks()[0].readyState), 'live')
    const three = await watched(t, source)
    three.sink.push(null)
    await until(async () => (await three.page.evaluate(() => window.renderingEnd)) === 'ended', 'the page learns of the end')
    const four = await watched(t, source)
    await four.page.evaluate(() => window.rendering.close())
    assert.deepEqual(await four.connection.closed, { reason: 'ended' })
  })

  test('a picture that is tried out while the publication ends is let go', async (t) => {
    const page = await pages.page(t)
    const left = await page.evaluate(async () => {
      const open = new Set()
      window.VideoFrame = class extends VideoFrame {
        constructor(...args) {
          super(...args)
          open.add(this)
        }
        close() {
          open.delete(this)
          super.close()
        }
      }
      // The first picture is tried for as long as it is held up here.
      const { flush } = VideoEncoder.prototype
      const goOn = await new Promise((tried) => {
        VideoEncoder.prototype.flush = async function () {
          await new Promise((resolve) => tried(resolve))
          return flush.call(this)
        }
        navigator.mediaDevices.getUserMedia({ video: true }).then((camera) => {
          window.publication = window.renderer.publish(new MessageChannel().port1, camera)
        })
      })
      window.publication.close()
      goOn()
      await window.publication.closed
      for (let tries = 0; open.size > 0 && tries < 20; tries += 1) await new Promise((passed) => setTimeout(passed, 100))
      return open.size
    })
    assert.equal(left, 0)
  })

  test('a page that is loaded again goes on where it was', async (t) => {
    const source = Object.assign(new Source(), { codec: 'vp8' })
    const { page } = await filmed(t, source)
    const watching = await watched(t, source)
    await sees(watching.page, 5)
    await page.reload()
    await page.waitForFunction(() => window.portOf)
    await page.evaluate(startCamera)
    connectVideoSource(await pages.port('/camera'), source)
    await watching.page.reload()
    await watching.page.waitForFunction(() => window.portOf)
    await watching.page.evaluate(startScreen)
    connectVideoSink(await pages.port('/screen'), new Sink(source))
    assertInOrder(await sees(watching.page, 10))
  })

  test('what can be neither published nor shown is told', async (t) => {
    const page = await pages.page(t)
    const errors = await page.evaluate(async () => {
      const { publish, render } = window.renderer
      const { port1 } = new MessageChannel()
      const video = await navigator.mediaDevices.getUserMedia({ video: true })
      const audio = new AudioContext().createMediaStreamDestination().stream
      const canvas = document.createElement('canvas')
      canvas.getContext('webgl')
      const tries = [
        () => publish(port1, audio),
        () => publish(port1, undefined),
        () => publish({}, video),
        () => publish({ postMessage() {} }, video),
        () => publish(port1, video, { codecs: ['av1'] }),
        () => publish(port1, video, { codecs: [] }),
        () => publish(port1, video, { maxBitrate: '1' }),
        () => publish(port1, video, { bitrate: 1 }),
        () => render(port1, document.body),
        () => render(port1, undefined),
        () => render(undefined, document.querySelector('canvas')),
      ]
      return tries.map((attempt) => {
        try {
          attempt().close()
          return 'nothing'
        } catch ({ name, message }) {
          return `${name}: ${message}`
        }
      })
    })
    for (const error of errors) assert.match(error, /^TypeError: .*(video|port|Option '(codecs|maxBitrate|bitrate)'|canvas)/)
  })
})
