// What is found wrong here is wrong, and what is found well is well.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { listDevices } from 'offhook'
import { startCoturn } from '../interop/coturn.mjs'
import { peers } from '../interop/peers.mjs'
import { pbxOf } from '../pbx.mjs'
import { accountEnv, offhook } from './cli.mjs'

/** What the doctor finds, by the names of its checks. */
async function findings(t, args, env) {
  const running = offhook(t, ['doctor', '--json', ...args], { env })
  const code = await running.ended
  assert.equal(running.stderr, '')
  const checks = running.events.filter(({ event }) => event === 'check')
  return { code, running, checks, of: (name) => checks.find(({ check }) => check === name) }
}

/** A UDP port at which nobody answers. */
async function deafPort(t) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return socket.address().port
}

describe('offhook doctor', { timeout: 120_000, concurrency: 2 }, () => {
  test('finds a server, an account and sound that are well', async (t) => {
    const { pbx } = await pbxOf(t)
    const { code, checks, of } = await findings(t, [], accountEnv(pbx, 'alice'))
    for (const name of ['native part', 'sound', 'server', 'registration']) assert.equal(of(name)?.ok, true, name)
    assert.ok(of('server').text.includes(pbx.url))
    const devices = await listDevices()
    for (const [name, kind] of [['microphone', 'audioinput'], ['speaker', 'audiooutput']]) {
      if (!devices.some((device) => device.kind === kind && device.default)) assert.equal(of(name).ok, false)
    }
    assert.equal(code, checks.every(({ ok }) => ok) ? 0 : 1)
  })

  test('says of everything that is not well what helps', async (t) => {
    const { pbx } = await pbxOf(t)
    const { code, checks, of } = await findings(t, [], { ...accountEnv(pbx, 'alice'), OFFHOOK_PASSWORD: 'wrong' })
    assert.equal(code, 1)
    assert.equal(of('server').ok, true)
    assert.equal(of('registration').ok, false)
    assert.match(of('registration').text, /401/)
    for (const { ok, remedy } of checks) assert.equal(remedy === undefined, ok)
  })

  test('tells a server that is not there from an account that is not', async (t) => {
    const { code, of } = await findings(t, [], { OFFHOOK_USER: 'alice@example.com', OFFHOOK_SERVER: 'ws://127.0.0.1:9/ws', OFFHOOK_PASSWORD: 'x' })
    assert.equal(code, 1)
    assert.match(of('server').text, /refused the connection/)
    assert.match(of('registration').text, /there is no connection/)
  })

  test('looks at a server without an account, and at nothing if there is none', async (t) => {
    const { pbx } = await pbxOf(t)
    const { of } = await findings(t, ['--server', pbx.url])
    assert.equal(of('server').ok, true)
    assert.equal(of('registration'), undefined)
    assert.equal((await findings(t, [])).of('server').skipped, true)
  })

  test('says if the native part can not be loaded', async (t) => {
    const { code, of } = await findings(t, [], { OFFHOOK_NATIVE_PATH: '/nowhere/offhook.node' })
    assert.equal(code, 1)
    assert.match(of('native part').text, /Cannot load the native part of offhook/)
  })

  test('finds STUN and TURN servers that do not answer', async (t) => {
    const port = await deafPort(t)
    const args = ['--ice', `stun:127.0.0.1:${port}`, '--ice', `turn:127.0.0.1:${port}`, '--ice', 'stun:nowhere.invalid', '--ice', 'turns:127.0.0.1', '--ice', 'stun:127.0.0.1:99999', '--ice-user', 'relayed']
    const { of } = await findings(t, args, { OFFHOOK_ICE_PASSWORD: 'relay-secret' })
    for (const [url, text] of [[`stun:127.0.0.1:${port}`, /does not answer/], [`turn:127.0.0.1:${port}`, /no TURN server gave a relay|gives no relay/], ['stun:nowhere.invalid', /nowhere\.invalid/], ['turns:127.0.0.1', /./], ['stun:127.0.0.1:99999', /port/i]]) {
      assert.equal(of(url).ok, false, url)
      assert.match(of(url).text, text)
    }
  })

  test('finds a TURN server that takes the password, and one that does not', { skip: peers('coturn') }, async (t) => {
    const coturn = await startCoturn()
    t.after(() => coturn.stop())
    const { urls, username, credential } = coturn.server
    const args = ['--ice', urls, '--ice', urls.replace('turn:', 'stun:'), '--ice-user', username]
    const well = await findings(t, args, { OFFHOOK_ICE_PASSWORD: credential })
    assert.match(well.of(urls).text, /^relays from 127\.0\.0\.1 port \d+$/)
    assert.equal(well.of(urls.replace('turn:', 'stun:')).ok, true)
    const wrong = await findings(t, args, { OFFHOOK_ICE_PASSWORD: `${credential}-not` })
    assert.equal(wrong.of(urls).ok, false)
    assert.ok(!wrong.running.stdout.includes(credential))
  })

  test('ends by Ctrl-C', async (t) => {
    const port = await deafPort(t)
    const running = offhook(t, ['doctor', '--json', '--ice', `stun:127.0.0.1:${port}`])
    await running.event('check', ({ check }) => check === 'speaker')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })
})
