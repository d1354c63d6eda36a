import assert from 'node:assert/strict'
import { test } from 'node:test'
import { next, voice } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { hears } from '../sound.mjs'

/** Bob lets Alice hear 1000 Hz before he answers. */
async function announced(t) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const [mine, theirs] = [voice(600), voice(1000)]
  const pending = next(bob, 'pendingSession')
  const outgoing = await alice.call('bob', mine.audio)
  const [{ id }] = await pending
  const started = next(bob, 'sessionStarted')
  bob.acceptPendingSession(id, { ...theirs.audio, autoConnectSession: false })
  const [incoming] = await started
  const early = new Promise((resolve) => outgoing.on('progress', (progress) => progress.earlyMedia && resolve(progress)))
  await incoming.sendEarlyMedia()
  await Promise.all([hears(mine.ear, 1000), incoming.sendEarlyMedia()])
  return { outgoing, incoming, mine, theirs, early: await early, bob }
}

test('the caller hears an announcement before the call is answered, and then the call', async (t) => {
  const { outgoing, incoming, mine, theirs, early } = await announced(t)
  assert.equal(early.code, 183)
  assert.deepEqual([outgoing.state, incoming.state], ['pending', 'pending'])
  await incoming.accept()
  await outgoing.answered
  await Promise.all([hears(mine.ear, 1000), hears(theirs.ear, 600)])
  await assert.rejects(incoming.sendEarlyMedia(), { code: 'ERR_SESSION_STATE' })
  await assert.rejects(outgoing.sendEarlyMedia(), { code: 'ERR_SESSION_STATE' })
})

test('a call is accepted although the announcement has not got through yet', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoConnectSessions: false })])
  const pending = next(bob, 'pendingSession')
  const outgoing = await alice.call('bob')
  const started = next(bob, 'sessionStarted')
  bob.acceptPendingSession((await pending)[0].id)
  const [incoming] = await started
  await Promise.all([incoming.sendEarlyMedia(), incoming.accept()])
  await outgoing.answered
})

test('a call that was announced to is rejected: one end on either side', async (t) => {
  const { outgoing, incoming, bob } = await announced(t)
  const ends = []
  incoming.on('terminated', (session, reason) => ends.push(`${reason}`))
  const ended = next(bob, 'sessionEnded')
  await incoming.reject({ code: 603 })
  await ended
  await assert.rejects(outgoing.answered, { code: 'ERR_CALL_DECLINE' })
  assert.deepEqual(ends, ['decline'])
})

test('levels are told of both sides, while somebody listens', async (t) => {
  const { open } = await pbxOf(t)
  const alice = await open('alice')
  // A sine at −6 dBFS has 0.5 / √2 of full scale.
  const session = await alice.call('tone', { mediaStream: { tone: 700, level: -6 } })
  await session.answered
  const loud = ({ local, remote }) => Math.abs(local - 0.354) < 0.01 && remote > 0.01 && remote < 1
  const levels = []
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`heard ${JSON.stringify(levels)}`)), 8000)
    session.on('level', (level) => {
      levels.push(level)
      if (!loud(level)) return
      clearTimeout(late)
      resolve()
    })
  })
  await session.mute()
  const [muted] = await next(session, 'level')
  assert.ok(muted.local > 0.3, 'what the input gives is told although it is muted')
  session.removeAllListeners('level')
  await session.unmute()
  const [again] = await next(session, 'level')
  assert.ok(again.remote > 0)
})
