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

  test('hear each other through a relay where each destination sees another port', async (t) => {
    const net = await startNat(t, { mapping: 'random' })
    for (const path of await call(net, [net.turn])) assert.match(path, /relay/)
  })
})
