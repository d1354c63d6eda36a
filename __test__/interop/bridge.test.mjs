// A page with buttons in Chromium, whose phone is in Node.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { serve } from 'offhook/bridge'
import { pbxOf } from '../pbx.mjs'
import { eventually } from '../phones.mjs'
import { launchChromium } from './chromium.mjs'
import { peers } from './peers.mjs'

/** What a desktop's page is made of: buttons, and a line that says how it stands. */
const page = `
  import { connect } from 'offhook/bridge/client'

  const phone = connect(new WebSocket(\`ws://\${location.host}/phone\`))
  const show = (id, text) => (document.getElementById(id).textContent = text)
  const render = () => {
    const { bridge, registered, sessions, pendingSessions } = phone.state
    show('phone', \`\${bridge} \${registered ? 'registered' : ''}\`)
    show('calls', sessions.map(({ address, state, held, muted }) => [address, state, held && 'held', muted && 'muted'].filter(Boolean).join(' ')).join(', '))
    show('rings', pendingSessions.map(({ address }) => address).join(', '))
  }
  phone.subscribe(render)
  phone.on('sessionEnded', ({ address }, reason) => show('ended', \`\${address} \${reason}\`))
  const devices = { mediaStream: 'none', audioElement: 'none' }
  const buttons = {
    call: () => phone.call('bob', devices),
    answer: () => phone.answer(phone.state.pendingSessions[0].id, devices),
    hold: () => phone.sessions[0].hold(),
    resume: () => phone.sessions[0].resume(),
    mute: () => phone.sessions[0].mute(),
    digit: () => phone.sessions[0].sendDtmf('7'),
    end: () => phone.sessions[0].end(),
    wrong: () => phone.call('bob', { timeout: -1 }),
  }
  for (const [name, press] of Object.entries(buttons)) {
    const button = document.createElement('button')
    button.id = button.textContent = name
    button.onclick = () => press().catch(({ code }) => show('error', code))
    document.body.append(button)
  }
  render()
`
const html = '<!doctype html><meta charset="utf-8"><p id="phone"></p><p id="calls"></p><p id="rings"></p><p id="ended"></p><p id="error"></p><script type="module" src="/page.js"></script>'

async function bundled(options) {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    ...options,
  })
  return outputFiles[0].text
}

describe('a page that drives a phone', { skip: peers('chromium'), timeout: 120_000 }, () => {
  let browser
  before(async () => (browser = await launchChromium()))
  after(() => browser.close())

  /** Alice's desktop with its page, and Bob. */
  async function desktop(t) {
    const { open } = await pbxOf(t, { users: ['alice', 'bob'] })
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => open(name)))
    const code = await bundled()
    const server = createServer(({ url }, response) => {
      const script = url === '/page.js'
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? code : html)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => serve(alice, socket))
    const view = await browser.newPage()
    const complaints = []
    view.on('pageerror', (error) => complaints.push(String(error)))
    t.after(async () => {
      await view.close()
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      assert.deepEqual(complaints, [])
    })
    await view.goto(`http://127.0.0.1:${server.address().port}/`)
    const shows = (id, text) => view.waitForFunction(([id, text]) => document.getElementById(id).textContent === text, [id, text], { timeout: 10_000 })
    await shows('phone', 'open registered')
    return { alice, bob, view, shows, press: (name) => view.click(`#${name}`) }
  }

  test('its buttons call, hold, mute, send digits and hang up', async (t) => {
    const { bob, press, shows } = await desktop(t)
    const digits = []
    bob.on('sessionStarted', (session) => session.on('dtmf', ({ tone }) => digits.push(tone)))
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none' }))
    await press('call')
    await shows('calls', 'bob active')
    await press('hold')
    await shows('calls', 'bob active held')
    await press('resume')
    await shows('calls', 'bob active')
    await press('mute')
    await shows('calls', 'bob active muted')
    await press('digit')
    await eventually(() => digits.length === 1)
    await press('end')
    await shows('ended', 'bob success')
    await shows('calls', '')
    await press('wrong')
    await shows('error', 'ERR_INVALID_OPTION')
  })

  test('it is loaded again in a call, and shows it at once', async (t) => {
    const { alice, bob, view, press, shows } = await desktop(t)
    const outgoing = await bob.call('alice', { mediaStream: 'none' })
    await shows('rings', 'bob')
    await press('answer')
    await shows('calls', 'bob active')
    await press('mute')
    await view.reload()
    await shows('calls', 'bob active muted')
    assert.equal(alice.sessions[0].state, 'active')
    await outgoing.end()
    await shows('ended', 'bob success')
  })

  test('what it loads has less than 10 kB', async () => {
    const text = await bundled({ stdin: undefined, entryPoints: [fileURLToPath(new URL('../../bridge/client.mjs', import.meta.url))], minify: true })
    assert.ok(text.length < 10_000, `${text.length} octets, ${gzipSync(text).length} compressed`)
  })
})
