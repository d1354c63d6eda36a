import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startNat } from './nat.mjs'
import { peers } from './peers.mjs'

const soon = () => AbortSignal.timeout(20_000)

/** A call from the left to the right; the paths that media takes as each side sees it. */
async function call(net, iceServers) {
  const bob = net.phone('right', 'bob', { says: 1000, hears: 600, iceServers })
  await bob.prints(/^registered$/m, soon())
  const alice = net.phone('left', 'alice', { says: 600, hears: 1000, call: 'bob', iceServers })
  const heard = await Promise.all([alice, bob].map((phone) => phone.prints(/^heard (.*)$/m, soon())))
  return heard.map(([, path]) => path)
}

describe('two phones, each behind a NAT', { skip: peers('coturn', 'nat') }, () => {
  test('hear each other at the addresses that a STUN server told them', async (t) => {
    const net = await startNat(t)
    for (const path of await call(net, [net.stun])) assert.match(path, /srflx|prflx/)
  })

  test('that use relays alone tell no address of their networks', async (t) => {
    const net = await startNat(t)
    const more = { iceTransportPolicy: 'relay', logLevel: 'trace' }
    const bob = net.phone('right', 'bob', { says: 1000, hears: 600, iceServers: [net.turn], more, tells: true })
    await bob.prints(/^registered$/m, soon())
    const alice = net.phone('left', 'alice', { says: 600, hears: 1000, call: 'bob', iceServers: [net.turn], more, tells: true })
    const heard = await Promise.all([alice, bob].map((phone) => phone.prints(/^heard (.*)$/m, soon())))
    for (const [, path] of heard) assert.equal(path, 'relay relay')
    for (const [phone, own] of [[alice, '10.1.0.2'], [bob, '10.2.0.2']]) {
      const sent = phone.log.split('\n').flatMap((line) => (line.startsWith('sent ') ? [JSON.parse(line.slice(5))] : []))
      const described = sent.filter((sip) => sip.includes('a=candidate'))
      assert.ok(described.length > 0)
      for (const sip of described) {
        const sdp = sip.slice(sip.indexOf('\r\nv=0'))
        assert.ok(!sdp.includes(own) && !sdp.includes('192.0.2.1 ') && !sdp.includes('192.0.2.2 '), sdp)
        assert.match(sdp, /^c=IN IP4 192\.0\.2\.10\r$/m)
        assert.match(sdp, /^a=candidate:.* 192\.0\.2\.10 \d+ typ relay raddr 0\.0\.0\.0 rport 0/m)
        assert.doesNotMatch(sdp, / typ (host|srflx)/)
        assert.match(sdp, /^a=ssrc:\d+ cname:[^.\s]+\r$/m)
      }
    }
  })

  test('hear each other through a relay where each destination sees another port', async (t) => {
    const net = await startNat(t, { mapping: 'random' })
    for (const path of await call(net, [net.turn])) assert.match(path, /relay/)
  })
})
