// What a process that was killed leaves behind at Kamailio, where the far ends are ours and baresip.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { killed, says } from '../killed.mjs'
import { next, phonesOf } from '../phones.mjs'
import { startBaresip } from './baresip.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { behindRtpengine } from './rtpengine.mjs'

const instanceId = '5d0a7f4e-9c0d-4f0e-8a3f-1f6f2f0b7a11'

const scripts = {
  active: (uri, journal) => `const session = await phone.call('${uri}'); await session.answered\n${says(journal, '"dialog"')}`,
  held: (uri, journal) =>
    `const session = await phone.call('${uri}'); await session.answered; await session.hold()\n${says(journal, '"dialog"', '"held":true')}`,
  ringing: (uri, journal) => `const session = await phone.call('${uri}'); await session.once('progress')\n${says(journal, 'CSeq: 2 CANCEL')}`,
}

function aliceOf(t, kamailio) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-orphans-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const journal = join(folder, 'calls')
  return { uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio.ws, instanceId, journal }
}

describe('calls left behind at Kamailio', { skip: peers('kamailio') }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  /** Bob, and Alice's next process after one that was killed in this state. */
  async function left(t, state) {
    const { open } = phonesOf(t)
    const alice = aliceOf(t, kamailio)
    const uri = `sip:bob@${kamailio.domain}`
    const bob = await open({ uri, password: 'bobpw', servers: kamailio.ws, autoAnswer: state === 'ringing' ? 'off' : 'always' })
    const begun = next(bob, state === 'ringing' ? 'pendingSession' : 'sessionStarted', 30_000)
    await killed(alice, scripts[state](uri, alice.journal))
    const [session] = await begun
    return { bob, session, alice: await open(alice) }
  }

  for (const state of ['active', 'held']) {
    test(`are ended: ${state}`, async (t) => {
      const { bob, alice } = await left(t, state)
      const ended = next(bob, 'sessionEnded')
      await alice.orphans[0].end()
      assert.equal(`${(await ended)[1]}`, 'success')
    })
  }

  test('are ended: ringing there', async (t) => {
    const { bob, alice } = await left(t, 'ringing')
    const cancelled = next(bob, 'cancelPendingSession')
    await alice.orphans[0].end()
    assert.equal((await cancelled)[1].side, 'remote')
  })

  test('are taken over', async (t) => {
    const { bob, session: old, alice } = await left(t, 'active')
    const [again, ended] = [next(bob, 'sessionStarted'), old.once('terminated')]
    const session = await alice.orphans[0].takeOver()
    await session.answered
    const [[heir]] = await Promise.all([again, ended])
    assert.deepEqual(bob.sessions, [heir])
  })
})

describe('calls with baresip left behind', { skip: peers('kamailio', 'rtpengine', 'baresip') }, () => {
  let kamailio
  behindRtpengine((started) => (kamailio = started))

  test('are ended', async (t) => {
    const bob = await startBaresip(kamailio, { user: 'bob', tone: 1000, answer: 'auto' })
    t.after(() => bob.stop())
    const alice = aliceOf(t, kamailio)
    await killed(alice, scripts.active(`sip:bob@${kamailio.domain}`, alice.journal))
    const successor = await phonesOf(t).open(alice)
    const closed = bob.event('CALL_CLOSED')
    await successor.orphans[0].end()
    await closed
  })
})
