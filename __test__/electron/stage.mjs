import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, createServer as createVite } from 'vite'
import { WebSocketServer } from 'ws'
import { launchChromium } from '../interop/chromium.mjs'
import { eventually } from '../phones.mjs'
import { app, BrowserWindow, invoke, ipcMain, powerMonitor, reset, session, stage } from './fake/index.mjs'
import { MessagePortMain } from './fake/ports.mjs'

export { app, BrowserWindow, invoke, ipcMain, powerMonitor, session, stage }

const root = fileURLToPath(new URL('../..', import.meta.url))
const screenshots = join(root, 'target', 'screenshots')
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const inWindow = readFileSync(new URL('window.js', import.meta.url), 'utf8')

/** The example as somebody has it who copied and installed it, but for Electron, in a folder of its own. */
export function installed(changes) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-electron-'))
  cpSync(join(root, 'examples', 'electron'), folder, { recursive: true, filter: (path) => !/\/(?:node_modules|dist)$/.test(path) })
  for (const scope of ['@types', '@vitejs']) mkdirSync(join(folder, 'node_modules', scope), { recursive: true })
  const links = { offhook: root, electron: fileURLToPath(new URL('fake', import.meta.url)), ...changes }
  for (const name of ['@types/node', '@types/react', '@types/react-dom', '@vitejs/plugin-react', 'react', 'react-dom', 'typescript', 'vite']) links[name] = join(root, 'node_modules', name)
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, 'node_modules', name), 'dir')
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

/** The example, built, with Chromium: `start(t)` runs its main process and gives its first window's page. */
export async function startExample({ camera } = {}) {
  const { folder, remove } = installed()
  await build({ root: join(folder, 'page'), configFile: join(folder, 'vite.config.js'), logLevel: 'error' })
  const preload = readFileSync(join(folder, 'main', 'preload.cjs'), 'utf8')
  const browser = await launchChromium({ camera })
  let runs = 0
  return {
    folder,
    async start(t, { data, colorScheme = 'light', viewport = { width: 1040, height: 720 } } = {}) {
      const kept = data ?? mkdtempSync(join(tmpdir(), 'offhook-electron-data-'))
      const site = await servePage(join(folder, 'dist'))
      const context = await browser.newContext({ colorScheme, viewport, permissions: ['notifications', 'camera'] })
      await context.addInitScript(`${inWindow};globalThis.electron && (function (require) {${preload}})(() => globalThis.electron)`)
      context.setDefaultTimeout(60_000)
      const complaints = []
      const views = []
      reset({ folder: kept, open: (window) => openPage({ context, site, window, complaints, views }) })
      t.after(async () => {
        app.quit()
        await stage.quit
        await context.close()
        site.close()
        if (!data) rmSync(kept, { recursive: true })
        if (complaints.length > 0) throw new Error(complaints.join('\n'))
      })
      runs += 1
      await import(`${pathToFileURL(join(folder, 'main', 'main.js'))}?${runs}`)
      await eventually(() => views.length > 0, 60_000).catch(() => assert.fail(`no window was shown: ${complaints.join('\n')}`))
      return { views, view: () => views.at(-1), data: kept }
    },
    /** The page as Vite serves it to whoever works on it. */
    async served(t) {
      const server = await createVite({ root: join(folder, 'page'), configFile: join(folder, 'vite.config.js'), logLevel: 'error', server: { host: '127.0.0.1', port: 0, fs: { strict: false } } })
      await server.listen()
      const view = await browser.newPage()
      t.after(() => Promise.all([view.close(), server.close()]))
      await view.addInitScript(`window.desktop = { ready() {}, onAccount: (listener) => listener({ state: 'signed-out' }) }`)
      await view.goto(server.resolvedUrls.local[0])
      return view
    },
    async stop() {
      await browser.close()
      remove()
    },
  }
}

/** Keeps a picture of a page for whoever wants to look at it: target/screenshots. */
export async function shoot(view, name) {
  mkdirSync(screenshots, { recursive: true })
  await view.screenshot({ path: join(screenshots, `electron-${name}.png`), animations: 'disabled' })
}

async function servePage(dist) {
  const server = createServer(({ url }, response) => {
    const path = url === '/' ? '/index.html' : url
    try {
      const body = readFileSync(join(dist, path))
      response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream').end(body)
    } catch {
      response.writeHead(404).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new WebSocketServer({ server })
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    sockets,
    close() {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
    },
  }
}

/** A page that shows a window, and what the main process says to it. */
async function openPage({ context, site, window, complaints, views }) {
  const early = []
  const page = { say: (...said) => early.push(said) }
  // The page says that it is ready before this has come back.
  window.webContents.page = page
  site.sockets.removeAllListeners('connection')
  site.sockets.on('connection', (socket) => {
    page.say = speaker(socket, window.webContents)
    for (const said of early.splice(0)) page.say(...said)
  })
  const view = await context.newPage()
  view.on('pageerror', (error) => complaints.push(String(error)))
  view.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  view.on('crash', () => window.webContents.emit('render-process-gone', {}, { reason: 'crashed' }))
  await view.goto(site.url)
  views.push(view)
  return page
}

/** Carries messages, and those of the ports among them, over a WebSocket. */
function speaker(socket, webContents) {
  const ports = []
  socket.on('message', (text) => {
    const { port, message, ...said } = JSON.parse(text, octets)
    if (port === undefined) void webContents.heard(said)
    else ports[port].postMessage(message)
  })
  socket.on('close', () => ports.forEach((port) => port.close()))
  const send = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message, text))
  return (message, given = []) => {
    const ids = given.map(({ raw }) => {
      const port = new MessagePortMain(raw)
      const id = ports.push(port) - 1
      port.on('message', ({ data }) => send({ port: id, message: data }))
      port.start()
      return id
    })
    send({ ...message, given: ids })
  }
}

function text(_, value) {
  return value instanceof Uint8Array ? { octets: Buffer.from(value).toString('base64') } : value
}

function octets(_, value) {
  return typeof value?.octets === 'string' ? new Uint8Array(Buffer.from(value.octets, 'base64')) : value
}
