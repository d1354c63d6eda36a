import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable']

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--ignore-certificate-errors',
]

/** The path of a Chromium of the system's, or undefined. */
export function chromiumInstalled() {
  return executables.find((path) => existsSync(path))
}

/**
 * Starts Chromium and a page server; `phone()` opens a page with a JsSIP phone of its own.
 *
 * `camera` is a y4m clip. With `mdns` Chromium hides its addresses behind `.local` names, as it does for pages without a microphone.
 */
export async function startChromium({ mdns = false, camera } = {}) {
  const site = await serve(await bundle())
  const browser = await launchChromium({ mdns, camera })
  return {
    version: browser.version(),
    phone: (options) => openPhone(browser, site, options),
    async stop() {
      await browser.close()
      await new Promise((closed) => site.close(closed))
    },
  }
}

/** Starts Chromium without any page; `camera` is a y4m clip that its fake camera plays over and over. */
export function launchChromium(options) {
  return chromium.launch({ executablePath: chromiumInstalled(), headless: true, args: chromiumFlags(options) })
}

/** What it is started with. */
export function chromiumFlags({ mdns = false, camera } = {}) {
  return [
    ...flags,
    ...(mdns ? [] : ['--disable-features=WebRtcHideLocalIpsWithMdns']),
    ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
  ]
}

/** Opens a page and registers its phone: `{ server, uri, password, codecs?, certificate?: 'RSA' | 'ECDSA', sessionTimers? }`. */
async function openPhone(browser, site, options) {
  const context = await browser.newContext()
  const page = await context.newPage()
  const console = []
  page.on('console', (message) => console.push(message.text()))
  page.on('pageerror', (error) => console.push(String(error)))
  await page.goto(`http://127.0.0.1:${site.address().port}/`)
  await page.evaluate((given) => {
    window.phone = new window.Phone()
    return window.phone.start(given)
  }, options)
  const remote =
    (method) =>
    (...args) =>
      page.evaluate(([name, given]) => window.phone[name](...given), [method, args])
  const phone = {
    console,
    /** Waits for the next event of this name, or of one of these. */
    event: (names, deadline = 5000) => remote('event')([names].flat(), deadline),
    call: remote('call'),
    callWithVideo: remote('callWithVideo'),
    answer: remote('answer'),
    answerWithVideo: remote('answerWithVideo'),
    addScreen: remote('addScreen'),
    removeScreen: remote('removeScreen'),
    look: remote('look'),
    seen: remote('seen'),
    sightings: remote('sightings'),
    pictures: remote('pictures'),
    reject: remote('reject'),
    hangUp: remote('hangUp'),
    sendDtmf: remote('sendDtmf'),
    hold: remote('hold'),
    unhold: remote('unhold'),
    onHold: remote('onHold'),
    renegotiate: remote('renegotiate'),
    refuseCrossingOffers: remote('refuseCrossingOffers'),
    sendInfo: remote('sendInfo'),
    sendMessage: remote('sendMessage'),
    refer: remote('refer'),
    hears: (frequency, deadline = 5000) => remote('hears')(frequency, deadline),
    hearsOnly: (wanted, frequencies, deadline = 10_000) => remote('hearsOnly')(wanted, frequencies, deadline),
    received: remote('received'),
    evaluate: (what, given) => page.evaluate(what, given),
    async stop() {
      await remote('stop')().catch(() => {})
      await context.close()
    },
  }
  const { name, cause } = await phone.event(['registered', 'registrationFailed'])
  if (name === 'registered') return phone
  await phone.stop()
  throw new Error(`registration failed: ${cause}`)
}

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    define: { global: 'globalThis' },
    logLevel: 'error',
  })
  return outputFiles[0].text
}

function serve(script) {
  const pages = {
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><script src="/page.js"></script>'],
    '/page.js': ['text/javascript', script],
  }
  const server = createServer((request, response) => {
    const [type, body] = pages[request.url] ?? ['text/plain', '']
    response.writeHead(body ? 200 : 404, { 'content-type': `${type}; charset=utf-8` }).end(body)
  })
  return new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(server)))
}
