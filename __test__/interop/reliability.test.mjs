// Calls in several states at once, and a real server that stands still or dies: the page docs/reliability.md has the cells.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { drain, hears } from '../sound.mjs'
import { connect, eventually, next, phonesOf } from '../phones.mjs'
import { startKamailio } from './kamailio.mjs'
import { startCoturn } from './coturn.mjs'
import { startImpairment } from './impairment.mjs'
import { peers } from './peers.mjs'
import { rows, transports, troubles, troublesBeside } from './reliability.mjs'

// Each waits for half a minute and more, for whoever gives up; so several wait at once.
describe('Alice and Bob have a call in each state', { skip: peers('kamailio'), concurrency: 4 }, () => {
  const uri = (user) => `sip:${user}@sip.test`

  /** Both phones, and their calls by state; a call that is not answered is Bob's and Alice's half of it. */
  async function scene(t, transport, kamailios) {
    const { open } = phonesOf(t)
    const servers = kamailios.map((kamailio, priority) => ({ url: kamailio[transport], priority }))
    const account = (user) => ({ uri: uri(user), password: `${user}pw`, servers, tls: { ca: kamailios.map(({ ca }) => ca) } })
    const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob'))])
    const active = await connect(alice, bob, uri('bob'))
    const held = await connect(alice, bob, uri('bob'))
    await held.outgoing.hold()
    const [[there], out] = await Promise.all([next(bob, 'pendingSession'), alice.call(uri('bob'))])
    const [[here], away] = await Promise.all([next(alice, 'pendingSession'), bob.call(uri('alice'))])
    return { alice, bob, active, held, 'ringing there': { id: there.id, callee: bob, session: out }, 'ringing here': { id: here.id, callee: alice, session: away } }
  }

  /** Each side hears the other, from now on. */
  async function hear({ callerEar, calleeEar }) {
    drain(callerEar)
    drain(calleeEar)
    await Promise.all([hears(callerEar, 1000, 30_000), hears(calleeEar, 600, 30_000)])
  }

  /** Whoever is back sooner than the other party is told by 480 that it is not there yet. */
  async function resume(session) {
    const end = Date.now() + 30_000
    for (;;) {
      const error = await session.resume().then(
        () => undefined,
        (reason) => reason,
      )
      if (!error) return
      if (error.sip?.code !== 480 || Date.now() > end) throw error
      await new Promise((passed) => setTimeout(passed, 500))
    }
  }

  /** How often each event of a kind came for each session. */
  function counted(phone) {
    const ends = new Map()
    const note = (id) => ends.set(id, (ends.get(id) ?? 0) + 1)
    phone.on('sessionEnded', ({ id }) => note(id))
    phone.on('cancelPendingSession', note)
    return ends
  }

  for (const { name, strike, shared: isShared, outcomes } of troubles) {
    for (const transport of transports) {
      test(`over ${transport}: ${name}`, async (t) => {
        const kamailios = await Promise.all(Array.from({ length: isShared ? 2 : 1 }, () => startKamailio({ shared: isShared })))
        t.after(() => Promise.all(kamailios.map((kamailio) => kamailio.stop())))
        const calls = await scene(t, transport, kamailios)
        const { alice, bob, active, held } = calls
        const ends = [counted(alice), counted(bob)]
        await hear(active)
        await strike(kamailios[0])
        await eventually(() => [alice, bob].every((phone) => phone.registered), 40_000)
        const whole = ({ outgoing, incoming }) => [outgoing, incoming].every(({ state, interrupted }) => state === 'active' && !interrupted)
        await eventually(() => whole(active) && whole(held), 40_000)
        await hear(active)
        assert.ok(held.outgoing.held && held.incoming.remoteHeld)
        await resume(held.outgoing)
        await hear(held)
        for (const state of ['ringing there', 'ringing here']) {
          const { id, callee, session } = calls[state]
          if (outcomes[state] === 'goes on') {
            await callee.answer(id)
            await session.answered
            await session.end()
          } else {
            await assert.rejects(session.answered)
            await eventually(() => !callee.pendingSessions.some((pending) => pending.id === id))
          }
        }
        await Promise.all([active.outgoing.end(), held.incoming.end()])
        await eventually(() => alice.sessions.length + bob.sessions.length === 0)
        const again = await connect(bob, alice, uri('alice'))
        await again.outgoing.end()
        await eventually(() => alice.sessions.length === 0)
        for (const ended of ends) assert.deepEqual([...ended.values()].filter((times) => times !== 1), [])
      })
    }
  }
})

describe('Alice and Bob have a call whose sound is relayed', { skip: peers('kamailio', 'coturn') }, () => {
  for (const { name, strike, isDirect } of troublesBeside) {
    test(name, async (t) => {
      const [kamailio, ...relays] = await Promise.all([startKamailio(), startCoturn(), startCoturn()])
      const ways = await Promise.all(relays.map(({ port }) => startImpairment(port)))
      t.after(async () => {
        for (const way of ways) way.close()
        await Promise.all([kamailio, ...relays].map((server) => server.stop()))
      })
      const { open } = phonesOf(t)
      const iceServers = relays.map(({ server }, index) => (isDirect ? server : { ...server, urls: `turn:127.0.0.1:${ways[index].port}` }))
      const account = (user) => ({ uri: `sip:${user}@sip.test`, password: `${user}pw`, servers: kamailio.ws, iceServers, iceTransportPolicy: 'relay' })
      const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob'))])
      const call = await connect(alice, bob, 'sip:bob@sip.test')
      const hear = async () => {
        drain(call.callerEar)
        drain(call.calleeEar)
        await Promise.all([hears(call.callerEar, 1000, 60_000), hears(call.calleeEar, 600, 60_000)])
      }
      await hear()
      const began = Date.now()
      const check = await strike({
        relays,
        relayOf: async () => {
          const report = await call.outgoing.getStats()
          const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport')
          return report.get(report.get(selectedCandidatePairId).localCandidateId)
        },
        received: () =>
          Promise.all(
            [call.outgoing, call.incoming].map(async (session) => {
              const report = await session.getStats()
              return [...report.values()].find(({ type }) => type === 'inbound-rtp').packetsReceived
            }),
          ),
        async suffer(shares, milliseconds) {
          for (const way of ways) way.suffer(shares)
          await new Promise((passed) => setTimeout(passed, milliseconds))
          for (const way of ways) way.suffer({})
          const done = ways.map((way) => way.done)
          for (const kind of Object.keys(shares)) assert.ok(done.some((counts) => counts[kind === 'loss' ? 'lost' : kind] > 100), JSON.stringify(done))
        },
      })
      await hear()
      await check?.()
      t.diagnostic(`heard again ${Date.now() - began} ms after the beginning`)
      assert.deepEqual([call.outgoing, call.incoming].map(({ state }) => state), ['active', 'active'])
      await call.outgoing.hold()
      await call.outgoing.resume()
      await hear()
      await call.outgoing.end()
      await eventually(() => alice.sessions.length + bob.sessions.length === 0)
    })
  }
})

test('docs/reliability.md shows these cells', () => {
  const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')
  const [, shown] = /<!-- kamailio:begin -->\n([^]*?)<!-- kamailio:end -->/.exec(page)
  assert.equal(shown, `${rows().join('\n')}\n`, 'node scripts/reliability.mjs')
})
