import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { launchChromium } from './chromium.mjs'
import { readCounter, writeCounterClip } from './counter.mjs'
import { socketPort } from './socket-port.mjs'

const root = new URL('../../', import.meta.url)

const html = `<!doctype html><meta charset="utf-8"><canvas></canvas><video muted></video><script type="module">
  import * as renderer from '/renderer/index.mjs'
  import { socketPort } from '/__test__/interop/socket-port.mjs'
  window.renderer = renderer
  window.portOf = async (path) => {
    const socket = new WebSocket(\`ws://\${location.host}\${path}\`)
    await new Promise((resolve) => (socket.onopen = resolve))
    return socketPort(socket)
  }
</script>`

/**
 * Chromium with a camera that counts its pictures, and pages with `renderer` and `portOf(path)`: the other end of that port comes out
 * of `port(path)` here.
 */
export async function startPages({ clip = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-camera-'))
  const camera = writeCounterClip(join(folder, 'camera.y4m'), clip)
  const server = createServer(serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new WebSocketServer({ server })
  const arrived = new EventEmitter()
  const ports = new Map()
  sockets.on('connection', (socket, { url }) => {
    const port = Object.assign(socketPort(socket), { socket })
    ports.set(url, [...(ports.get(url) ?? []), port])
    arrived.emit(url)
  })
  const browser = await launchChromium({ camera })
  const blank = async (t) => {
    const page = await browser.newPage()
    t.after(() => page.close())
    page.complaints = []
    page.on('pageerror', (error) => page.complaints.push(String(error)))
    await page.addInitScript(`globalThis.readCounter = ${readCounter}`)
    return page
  }
  return {
    /** A page without anything in it; it can read counters. */
    blank,
    async stop() {
      await browser.close()
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      rmSync(folder, { recursive: true })
    },
    /** A page, which is closed at the end of the test; `before` runs in it before anything else. */
    async page(t, { before } = {}) {
      const page = await blank(t)
      if (before) await page.addInitScript(before)
      await page.goto(`http://127.0.0.1:${server.address().port}/`)
      await page.waitForFunction(() => window.portOf)
      return page
    },
    /** The next port of that path that was not taken yet. */
    async port(path) {
      while (!ports.get(path)?.length) await once(arrived, path)
      return ports.get(path).shift()
    },
  }
}

function serve({ url }, response) {
  if (url === '/') return response.setHeader('content-type', 'text/html').end(html)
  // Nothing but what the package publishes for pages, under the names that its modules give each other.
  if (!/^\/(?:renderer\/index|dist\/renderer\/\w+|__test__\/interop\/socket-port)\.mjs$/.test(url)) return response.writeHead(404).end()
  response.setHeader('content-type', 'text/javascript').end(readFileSync(fileURLToPath(new URL(url.slice(1), root))))
}

/** Stands in for a VideoSource: keeps what is written, and hands it on to its sinks. */
export class Source extends EventEmitter {
  active = true
  codec = undefined
  frames = []
  sinks = new Set()

  write(frame) {
    this.frames.push(frame)
    this.emit('frame', frame)
    for (const sink of this.sinks) sink.take(frame)
    return true
  }

  set(state) {
    Object.assign(this, state)
    this.emit('active', this.active, this.codec)
  }
}

/** Stands in for a VideoSink of encoded frames: what does not fit is dropped, up to the next key frame. */
export class Sink extends Readable {
  dropped = 0
  keyFrameRequests = 0
  #waiting = []
  #wantsKey = true
  #hungry = false
  #source

  constructor(source) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#source = source
    source.sinks.add(this)
  }

  requestKeyFrame() {
    this.keyFrameRequests += 1
    this.#source.emit('keyFrameRequest')
  }

  take(frame) {
    if (this.#waiting.length >= 4) {
      this.dropped += this.#waiting.length
      this.#waiting = []
      this.#wantsKey = true
      this.requestKeyFrame()
    }
    if (this.#wantsKey && !frame.key) return void (this.dropped += 1)
    this.#wantsKey = false
    this.#waiting.push(frame)
    if (this.#hungry) this._read()
  }

  _read() {
    const frame = this.#waiting.shift()
    this.#hungry = !frame
    if (frame) this.push(frame)
  }
}
