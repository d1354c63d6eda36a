// The fleet of examples/fleet in small; npm run fleet has its figures.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { phonesOf } from '../phones.mjs'
import { later, outcomes, placeCall } from './fleet-calls.mjs'
import { spread, startFleet, taken } from './fleet.mjs'
import { peers } from './peers.mjs'

const timeout = 120_000
const all = (talked) => ({ talked, dropped: 0, refused: 0, codes: {} })

async function eventually(isSo, signal) {
  while (!(await isSo())) {
    signal.throwIfAborted()
    await pause(50)
  }
}

describe('A fleet behind Kamailio', { skip: peers('kamailio') }, () => {
  let fleet
  before(async () => (fleet = await startFleet({ processes: 2, calls: 2, failures: 2 })), { timeout })
  after(() => fleet?.stop())

  /** Somebody who calls, once the dispatcher sends to all processes. */
  async function caller(t) {
    const phone = await phonesOf(t).open({ uri: `sip:caller@${fleet.domain}`, servers: fleet.server, register: false, codecs: ['PCMU'] })
    await spread(fleet, phone, t.signal)
    return phone
  }

  async function oneByOne(phone, count) {
    const calls = []
    for (let number = 0; number < count; number++) calls.push(await placeCall(phone, fleet, { hold: 0 }))
    return outcomes(calls)
  }

  test('spreads calls, and replaces a process without a call that is refused or dropped', { timeout }, async (t) => {
    const phone = await caller(t)
    const before = await taken(fleet)
    assert.deepEqual(await oneByOne(phone, 8), all(8))
    for (const [index, count] of (await taken(fleet)).entries()) assert.ok(count - before[index] >= 3, `${count - before[index]} of 8`)

    const { until, release } = later()
    const held = placeCall(phone, fleet, { until })
    await eventually(() => phone.sessions.some((session) => session.active), t.signal)
    const running = () => Promise.all(fleet.members.map(async (member) => (await member.health()).calls))
    // The ends of the others have come everywhere.
    let calls = []
    await eventually(async () => (calls = await running()).reduce((sum, count) => sum + count) === 1, t.signal)
    const index = calls.indexOf(1)
    const old = fleet.members[index]
    const replaced = fleet.replace(index)
    replaced.catch(() => {})
    const meanwhile = []
    do meanwhile.push(await placeCall(phone, fleet, { hold: 0 }))
    while ((await old.health()).status !== 'draining')
    assert.deepEqual(outcomes(meanwhile), all(meanwhile.length))
    assert.equal(await old.status(), 503)
    const [drained] = await taken({ members: [old] })
    assert.deepEqual(await oneByOne(phone, 6), all(6))
    // The new one has its part.
    await spread(fleet, phone, t.signal)
    assert.deepEqual(await taken({ members: [old] }), [drained])
    assert.equal((await old.health()).calls, 1)
    release()
    assert.equal((await held).outcome, 'talked')
    await replaced
    assert.equal(old.child.exitCode, 0)
  })

  test('takes as many calls as it may and refuses exactly the others, and passes over a process that was killed', { timeout }, async (t) => {
    const phone = await caller(t)
    const { until, release } = later()
    const calls = Array.from({ length: 8 }, () => placeCall(phone, fleet, { until }))
    await eventually(() => phone.sessions.length === 4 && phone.sessions.every((session) => session.active), t.signal)
    for (const member of fleet.members) assert.equal((await member.health()).status, 'full')
    release()
    const { talked, refused, codes } = outcomes(await Promise.all(calls))
    assert.deepEqual({ talked, refused }, { talked: 4, refused: 4 }, JSON.stringify(codes))
    for (const code of Object.keys(codes)) assert.match(code, /^503 /)

    await spread(fleet, phone, t.signal)
    await fleet.members.pop().child.stop('SIGKILL')
    assert.deepEqual(await oneByOne(phone, 4), all(4))
  })
})
