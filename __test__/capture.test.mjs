// phone.capture(): what goes over the network, in a file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { peers } from './interop/peers.mjs'
import { next, pbxOf } from './pbx.mjs'
import { connect } from './phones.mjs'

function fileOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-capture-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'call.pcapng')
}

/** The payloads of UDP over IPv4 and IPv6 in a pcapng file of ours. */
function datagrams(path) {
  const file = readFileSync(path)
  const found = []
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== 6) continue
    const packet = file.subarray(at + 28, at + 28 + file.readUInt32LE(at + 20))
    found.push(packet.subarray(packet[0] >> 4 === 4 ? 28 : 48))
  }
  return found
}

const isSip = (payload) => /^(?:SIP\/2\.0|[A-Z]+ sips?:)/.test(payload.toString('latin1'))

describe('phone.capture()', () => {
  test('writes SIP without its secrets, and media without protection, until it is stopped', { timeout: 60_000 }, async (t) => {
    const path = fileOf(t)
    const { open, make } = await pbxOf(t)
    const [alice, bob] = [make('alice'), await open('bob')]
    const capture = await alice.capture(path)
    await alice.initialize()
    const { outgoing } = await connect(alice, bob, 'bob')
    await next(outgoing, 'stats', 10_000)
    await capture.stop()
    const all = datagrams(path)
    const sip = all.filter(isSip).map(String)
    for (const start of ['REGISTER ', 'SIP/2.0 401', 'INVITE ', 'SIP/2.0 200 OK', 'ACK ']) assert.ok(sip.some((text) => text.startsWith(start)), start)
    assert.ok(sip.some((text) => text.includes('Authorization: Digest …')))
    for (const text of sip) assert.ok(!/response=|a=ice-pwd:[^…]/.test(text), text)
    const rtp = all.filter((payload) => !isSip(payload))
    assert.ok(rtp.length > 50, `${rtp.length} packets`)
    assert.ok(rtp.every((payload) => payload[0] >> 6 === 2))
    const size = readFileSync(path).length
    await next(outgoing, 'stats', 10_000)
    assert.equal(readFileSync(path).length, size, 'nothing more is written')
    await capture.stop()
    // Another begins anew, and the first one can't stop it.
    const again = await alice.capture(path)
    await capture.stop()
    await outgoing.end()
    await again.stop()
    assert.ok(datagrams(path).map(String).some((text) => text.startsWith('BYE ')))
  })

  test('is an error if it can not be written, or twice at once, and calls go on', { timeout: 60_000 }, async (t) => {
    const path = fileOf(t)
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const call = await alice.call('echo')
    await call.answered
    const refused = await alice.capture(join(path, 'none', 'call.pcapng')).catch((error) => error)
    assert.ok(refused instanceof SoftphoneError)
    assert.equal(refused.code, 'ERR_CAPTURE_FAILED')
    assert.ok(refused.message.includes(path), refused.message)
    for (const wrong of [undefined, '', 5, 'a\0b']) await assert.rejects(alice.capture(wrong), { code: 'ERR_INVALID_ARGUMENT' }, String(wrong))
    const capture = await alice.capture(path)
    await assert.rejects(alice.capture(`${path}2`), { code: 'ERR_CAPTURE_FAILED' })
    assert.ok(!existsSync(`${path}2`))
    await capture.stop()
    assert.equal(call.state, 'active')
  })

  test('ends with the phone, and is whole then', async (t) => {
    const path = fileOf(t)
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const capture = await alice.capture(path)
    const call = await alice.call('echo')
    await call.answered
    await alice.destroy()
    await capture.stop()
    assert.ok(datagrams(path).map(String).some((text) => text.startsWith('BYE ')))
    await assert.rejects(alice.capture(path), { code: 'ERR_DESTROYED' })
  })

  test('on a disk without room is refused, and calls go on', { skip: !existsSync('/dev/full') && 'this system has no full disk to write to' }, async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    // It takes what is not flushed, and nothing else.
    await assert.rejects(alice.capture('/dev/full'), { code: 'ERR_CAPTURE_FAILED' })
    const call = await alice.call('echo')
    await call.answered
    assert.equal(call.state, 'active')
  })
})

describe('tshark', { skip: peers('tshark') }, () => {
  const tshark = (path, ...args) => execFileSync('tshark', ['-r', path, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

  test('reads the SIP dialog and both RTP streams of a capture', { timeout: 120_000 }, async (t) => {
    const path = fileOf(t)
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { codecs: ['PCMA'] }), open('bob')])
    const capture = await alice.capture(path)
    const { outgoing } = await connect(alice, bob, 'bob')
    for (let second = 0; second < 2; second++) await next(outgoing, 'stats', 10_000)
    await outgoing.end()
    await capture.stop()
    const methods = tshark(path, '-Y', 'sip', '-T', 'fields', '-e', 'sip.Method').split('\n')
    for (const method of ['INVITE', 'ACK', 'BYE']) assert.ok(methods.includes(method), method)
    assert.match(tshark(path, '-Y', 'sdp', '-T', 'fields', '-e', 'sdp.media'), /audio/)
    const rtp = tshark(path, '-Y', 'rtp', '-T', 'fields', '-e', 'rtp.ssrc', '-e', 'rtp.p_type').trim().split('\n')
    assert.ok(rtp.length > 100, `${rtp.length} packets`)
    const streams = [...new Set(rtp)]
    assert.equal(streams.length, 2, streams.join())
    assert.equal(tshark(path, '-Y', '_ws.malformed'), '')
  })
})
