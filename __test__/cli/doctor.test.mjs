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
  return { code, running, checks, of: (name) => checks.find((check) => check.name === name) }
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
    for (const name of ['native', 'call', 'websocket', 'registration']) assert.equal(of(name)?.status, 'ok', name)
    assert.ok(of('websocket').found.includes(pbx.url))
    const devices = await listDevices()
    for (const [name, kind] of [['microphone', 'audioinput'], ['speaker', 'audiooutput']]) {
      if (!devices.some((device) => device.kind === kind && device.default)) assert.equal(of(name).status, 'failed')
    }
    assert.equal(code, checks.some(({ status }) => status === 'failed') ? 1 : 0)
  })

  test('says of everything that is not well what helps', async (t) => {
    const { pbx } = await pbxOf(t)
    const { code, checks, of } = await findings(t, [], { ...accountEnv(pbx, 'alice'), OFFHOOK_PASSWORD: 'wrong' })
    assert.equal(code, 1)
    assert.equal(of('websocket').status, 'ok')
    assert.equal(of('registration').code, 'registration-credentials')
    assert.match(of('registration').found, /401/)
    for (const { status, advice } of checks) if (status !== 'skipped') assert.equal(advice === null, status === 'ok')
  })

  test('tells a server that is not there from an account that is not', async (t) => {
    const { code, of } = await findings(t, [], { OFFHOOK_USER: 'alice@example.com', OFFHOOK_SERVER: 'ws://127.0.0.1:9/ws', OFFHOOK_PASSWORD: 'x' })
    assert.equal(code, 1)
    assert.equal(of('tcp').code, 'tcp-refused')
    assert.equal(of('registration').code, 'not-tried')
  })

  test('looks at a server without an account, and at nothing if there is none', async (t) => {
    const { pbx } = await pbxOf(t)
    const { of } = await findings(t, ['--server', pbx.url])
    assert.equal(of('websocket').status, 'ok')
    assert.equal(of('registration').code, 'not-wanted')
    assert.equal((await findings(t, [])).of('server').status, 'skipped')
  })

  test('says if the native part can not be loaded', async (t) => {
    const { code, of } = await findings(t, [], { OFFHOOK_NATIVE_PATH: '/nowhere/offhook.node' })
    assert.equal(code, 1)
    assert.equal(of('native').code, 'native-missing')
    assert.match(of('native').found, /Cannot load the native part of offhook/)
  })

  test('finds STUN and TURN servers that do not answer', async (t) => {
    const port = await deafPort(t)
    const args = ['--ice', `stun:127.0.0.1:${port}`, '--ice', `turn:127.0.0.1:${port}`, '--ice', 'stun:nowhere.invalid', '--ice-user', 'relayed']
    const { checks } = await findings(t, args, { OFFHOOK_ICE_PASSWORD: 'relay-secret' })
    const codes = checks.filter(({ name }) => ['stun', 'turn', 'udp'].includes(name)).map(({ code }) => code)
    assert.deepEqual(codes.sort(), ['stun-not-found', 'stun-timeout', 'turn-timeout', 'udp-unanswered'])
  })

  test('finds a TURN server that takes the password, and one that does not', { skip: peers('coturn') }, async (t) => {
    const coturn = await startCoturn()
    t.after(() => coturn.stop())
    const { urls, username, credential } = coturn.server
    const args = ['--ice', urls, '--ice', urls.replace('turn:', 'stun:'), '--ice-user', username]
    const well = await findings(t, args, { OFFHOOK_ICE_PASSWORD: credential })
    assert.match(well.of('turn').found, /relays from 127\.0\.0\.1:\d+$/)
    assert.equal(well.of('stun').status, 'ok')
    assert.match(well.of('relay').found, /packets came back/)
    const wrong = await findings(t, args, { OFFHOOK_ICE_PASSWORD: `${credential}-not` })
    assert.equal(wrong.of('turn').code, 'turn-credentials')
    assert.ok(!wrong.running.stdout.includes(credential))
  })

  test('says each in a line with its code, and below it what helps', async (t) => {
    const running = offhook(t, ['doctor'], { env: { OFFHOOK_USER: 'alice@example.com', OFFHOOK_SERVER: 'ws://127.0.0.1:9/ws?token=s3cret', OFFHOOK_PASSWORD: 'hunter2' } })
    assert.equal(await running.ended, 1)
    assert.match(running.stdout, /^FAIL {2}tcp: ws:\/\/127\.0\.0\.1:9\/ws refuses the connection \[tcp-refused\]\n {6}Nothing listens at that port/m)
    assert.match(running.stdout, /^ {2}-- {2}websocket: not tried \[not-tried\]$/m)
    assert.doesNotMatch(running.stdout + running.stderr, /s3cret|hunter2/)
  })

  test('ends by Ctrl-C', async (t) => {
    const port = await deafPort(t)
    const running = offhook(t, ['doctor', '--json', '--ice', `stun:127.0.0.1:${port}`])
    await running.event('check', ({ name }) => name === 'call')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })
})
