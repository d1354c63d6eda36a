import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { eventually } from '../phones.mjs'
import { leapingClock } from './leaping-clock.mjs'
import { joining, startLaptop } from './moving.mjs'
import { peers } from './peers.mjs'
import { moves } from './reliability.mjs'

const soon = (seconds = 60) => AbortSignal.timeout(seconds * 1000)

/** A call from the laptop to the world that is heard on both sides. */
async function talking(t, job = {}, transport) {
  const net = await startLaptop(t, transport)
  const bob = net.phone('bob', {})
  await bob.prints(/^registered /m, soon())
  const alice = net.phone('alice', { ...job, call: 'bob' })
  await Promise.all([alice, bob].map((phone) => phone.prints(/^sound after/m, soon())))
  await sleep(1000)
  return { ...net, alice, bob }
}

/** When a phone has printed lines like this since that moment, in milliseconds after it. */
function times(phone, pattern, since) {
  const lines = phone.log.matchAll(new RegExp(`^${pattern} (\\d+)$`, 'gm'))
  return [...lines].map((line) => Number(line.at(-1)) - since).filter((at) => at >= 0)
}

/** The first of them, which is waited for. */
async function first(phone, pattern, since, seconds = 20) {
  const end = Date.now() + seconds * 1000
  while (Date.now() < end) {
    const [at] = times(phone, pattern, since)
    if (at !== undefined) return at
    await sleep(20)
  }
  throw new Error(`no "${pattern}" within ${seconds} s:\n${phone.log}`)
}

/** Both sides hear each other now. */
async function hear(...phones) {
  const now = Date.now()
  for (const phone of phones) await first(phone, 'hears', now, 30)
}

/** Changes the network of a call; says when sound was back on each side for good, in milliseconds after the new way was there; 0 if it was not away. */
async function moved(t, { laptop, world, alice, bob }, { leaving = [], elsewhere = [], joining: coming, most = 2000 }) {
  const before = Date.now()
  laptop(...leaving)
  world(...elsewhere)
  laptop(...coming)
  const there = Date.now()
  await first(alice, 'interrupted false', before)
  await sleep(1500)
  await hear(alice, bob)
  const back = [alice, bob].map((phone) => Math.max(0, ...times(phone, 'sound after \\d+', there)))
  const interrupted = ['true', 'false'].map((is) => times(alice, `interrupted ${is}`, there - 60_000).at(-1) - 60_000)
  t.diagnostic(`heard again after ${back.join(' and ')} ms; interrupted from ${interrupted.join(' to ')} ms`)
  assert.doesNotMatch(alice.log + bob.log, /^ended/m)
  for (const ms of back) assert.ok(ms < most, `sound was back after ${ms} ms`)
}

describe('a laptop in a call', { skip: peers('nat') }, () => {
  test('goes from one interface to the other', async (t) => {
    const leaving = ['ip address flush dev wlan', 'ip link set wlan down']
    await moved(t, await talking(t), { leaving, joining: joining('wwan') })
  })

  for (const state of Object.keys(moves.interface.outcomes)) {
    test(`at Kamailio, ${state}: goes from one interface to the other`, { skip: peers('kamailio') }, async (t) => {
      const [transport] = state.toLowerCase().split(' ').reverse()
      const leaving = ['ip address flush dev wlan', 'ip link set wlan down']
      // How soon is measured without Kamailio; here it is whether.
      await moved(t, await talking(t, {}, transport), { leaving, joining: joining('wwan'), most: 15_000 })
    })
  }

  test('gets another address', async (t) => {
    await moved(t, await talking(t), { leaving: ['ip address flush dev wlan'], joining: joining('wlan', 3) })
  })

  test('is without a network for a while, and has the same address again', async (t) => {
    const net = await talking(t)
    net.laptop('ip address flush dev wlan', 'ip link set wlan down')
    await first(net.alice, 'interrupted true', Date.now() - 3000)
    await sleep(4000)
    await moved(t, net, { joining: joining('wlan') })
  })

  test('takes a VPN, which lets nothing else out, and leaves it again', async (t) => {
    const net = await talking(t)
    const drops = (device) => ['nft flush ruleset', `nft add table inet vpn`, 'nft add chain inet vpn in "{ type filter hook input priority 0; }"', `nft add rule inet vpn in iifname ${device} ip saddr != 10.99.${device === 'wwan' ? 2 : 1}.0/24 drop`]
    await moved(t, net, { elsewhere: drops('wwan'), joining: joining('wwan') })
    await moved(t, net, { elsewhere: drops('wlan'), joining: ['ip route replace default via 10.99.1.1 dev wlan', 'ip link set wwan down', 'ip address flush dev wwan'] })
  })

  test('has slept for a quarter of an hour by its clocks: it registers anew, and the call goes on', async (t) => {
    const { env, leap } = leapingClock(t)
    const net = await talking(t, { watched: true, env })
    const before = Date.now()
    leap(900)
    await first(net.alice, 'network true', before)
    await first(net.alice, 'sends REGISTER', before)
    await sleep(1500)
    for (const phone of [net.alice, net.bob]) {
      // A machine as busy as those of tests may be late with an answer, and goes on.
      await eventually(() => [...phone.log.matchAll(/^interrupted (true|false)/gm)].at(-1)?.[1] !== 'true', 20_000)
      assert.doesNotMatch(phone.log, /^ended/m)
    }
    await hear(net.alice, net.bob)
  })

  test('is not disturbed by addresses that come and go beside it', async (t) => {
    const net = await talking(t, { watched: true })
    const begun = Date.now()
    // Another way out, as a VPN's; the connection and the call stay on the one that they have.
    net.laptop(...joining('wwan'))
    await first(net.alice, 'network true', begun)
    await sleep(1500)
    const before = Date.now()
    net.laptop('for i in $(seq 100); do', 'ip link add pod type veth peer name dop', 'ip address add 172.18.$i.1/24 dev pod', 'ip link set pod up', 'ip link set dop up', 'sleep 0.06', 'ip link delete pod', 'done')
    await first(net.alice, 'network false', before)
    await sleep(1500)
    const since = (pattern) => times(net.alice, pattern, before).length
    t.diagnostic(`${since('network false')} changes were noticed`)
    assert.deepEqual([since('network true'), since('sends [A-Z]+'), since('disconnected .*'), since('interrupted true'), since('ended .*')], [0, 0, 0, 0, 0], net.alice.log)
  })
})
