// Calls in several states at once, and a real server that stands still or dies: the page docs/reliability.md has the cells.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { drain, hears } from '../sound.mjs'
import { connect, eventually, next, phonesOf } from '../phones.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { rows, transports, troubles } from './reliability.mjs'

describe('Alice and Bob have a call in each state', { skip: peers('kamailio') }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  const uri = (user) => `sip:${user}@${kamailio.domain}`

  /** Both phones, and their calls by state; a call that is not answered is Bob's and Alice's half of it. */
  async function scene(t, transport) {
    const { open } = phonesOf(t)
    const account = (user) => ({ uri: uri(user), password: `${user}pw`, servers: kamailio[transport], tls: { ca: kamailio.ca } })
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

  /** How often each event of a kind came for each session. */
  function counted(phone) {
    const ends = new Map()
    const note = (id) => ends.set(id, (ends.get(id) ?? 0) + 1)
    phone.on('sessionEnded', ({ id }) => note(id))
    phone.on('cancelPendingSession', note)
    return ends
  }

  for (const { name, strike, losesTheWay, outcomes } of troubles) {
    for (const transport of transports) {
      test(`over ${transport}: ${name}`, async (t) => {
        const calls = await scene(t, transport)
        const { alice, bob, active, held } = calls
        const ends = [counted(alice), counted(bob)]
        await hear(active)
        await strike(kamailio)
        await eventually(() => [alice, bob].every((phone) => phone.registered), 40_000)
        const whole = ({ outgoing, incoming }) => [outgoing, incoming].every(({ state, interrupted }) => state === 'active' && !interrupted)
        await eventually(() => whole(active) && whole(held), 40_000)
        await hear(active)
        assert.ok(held.outgoing.held && held.incoming.remoteHeld)
        if (losesTheWay) await assert.rejects(held.outgoing.resume(), (error) => error.sip?.code === 500)
        else {
          await held.outgoing.resume()
          await hear(held)
        }
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
        if (losesTheWay) await Promise.all([active.incoming.end(), held.outgoing.end()])
        await eventually(() => alice.sessions.length + bob.sessions.length === 0)
        const again = await connect(bob, alice, uri('alice'))
        await again.outgoing.end()
        await eventually(() => alice.sessions.length === 0)
        for (const ended of ends) assert.deepEqual([...ended.values()].filter((times) => times !== 1), [])
      })
    }
  }
})

test('docs/reliability.md shows these cells', () => {
  const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')
  const [, shown] = /<!-- kamailio:begin -->\n([^]*?)<!-- kamailio:end -->/.exec(page)
  assert.equal(shown, `${rows().join('\n')}\n`, 'node scripts/reliability.mjs')
})
