import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, next } from '../phones.mjs'
import { hears, pbxOf, voice } from '../pbx.mjs'

/** Alice has called Bob; Carol answers everybody with 1800 Hz. */
async function three(t) {
  const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => open(name)))
  const call = await connect(alice, bob, 'bob')
  const { ear, audio } = voice(1800)
  const answer = ({ id, autoAnswer }) => autoAnswer || carol.acceptPendingSession(id, audio)
  carol.on('pendingSession', answer)
  return { alice, bob, carol, carolEar: ear, refuse: () => carol.off('pendingSession', answer), ...call }
}

test('a blind transfer: the application agrees, the parties talk, the transferor is out', async (t) => {
  const { bob, carol, carolEar, outgoing, incoming } = await three(t)
  const progress = []
  outgoing.on('transferProgress', ({ code }) => progress.push(code))
  const mine = voice(1400)
  const onward = new Promise((resolve, reject) => {
    incoming.once('transferRequested', ({ target, referredBy, attended }) => {
      assert.match(target, /^sip:carol@/)
      assert.match(referredBy, /^<sip:alice@.*>$/)
      assert.equal(attended, false)
      incoming.acceptTransfer(mine.audio).then(resolve, reject)
    })
  })
  await outgoing.transfer('carol')
  assert.equal(outgoing.state, 'ended')
  assert.deepEqual([progress[0], progress.at(-1)], [100, 200])
  await (await onward).answered
  await Promise.all([hears(carolEar, 1400), hears(mine.ear, 1800)])
  assert.deepEqual([bob.sessions.length, carol.sessions.length], [1, 1])
})

test('an attended transfer: nobody is left out before the parties are connected', async (t) => {
  const { alice, bob, carol, carolEar, outgoing, incoming } = await three(t)
  const consultation = await alice.call('carol', { mediaStream: 'none' })
  await consultation.answered
  const asked = next(incoming, 'transferRequested')
  const done = outgoing.attendedTransfer(consultation)
  assert.equal((await asked)[0].attended, true)
  assert.deepEqual([outgoing.state, consultation.state], ['active', 'active'])
  const pending = next(carol, 'pendingSession')
  const mine = voice(1400)
  await incoming.acceptTransfer(mine.audio)
  const [{ replaces, autoAnswerSource }] = await pending
  assert.equal(autoAnswerSource, 'replaces')
  assert.equal(typeof replaces, 'string')
  await done
  assert.deepEqual([outgoing.state, consultation.state], ['ended', 'ended'])
  await Promise.all([hears(carolEar, 1400), hears(mine.ear, 1800)])
  assert.deepEqual([alice.sessions.length, bob.sessions.length, carol.sessions.length], [0, 1, 1])
})

test('an attended transfer to a call that its target has muted and put on hold: it stays so', async (t) => {
  const { alice, carol, carolEar, outgoing, incoming } = await three(t)
  const consultation = await alice.call('carol', { mediaStream: 'none' })
  await consultation.answered
  carol.sessions[0].mute()
  await carol.sessions[0].hold()
  const asked = next(incoming, 'transferRequested')
  const done = outgoing.attendedTransfer(consultation)
  await asked
  const mine = voice(1400)
  const onward = await incoming.acceptTransfer(mine.audio)
  await done
  const [session] = carol.sessions
  assert.deepEqual([session.held, session.muted], [true, true])
  if (!onward.remoteHeld) await next(onward, 'hold')
  await session.resume()
  assert.deepEqual([session.held, session.muted], [false, true])
  await hears(carolEar, 1400)
  session.unmute()
  await hears(mine.ear, 1800)
})

test('a transfer that the transferee or the target refuses leaves the call as it was', async (t) => {
  const { carol, refuse, outgoing, incoming, callerEar } = await three(t)
  incoming.once('transferRequested', () => incoming.rejectTransfer())
  const declined = await outgoing.transfer('carol').catch((error) => error)
  assert.deepEqual([declined.code, declined.sip.code], ['ERR_TRANSFER_FAILED', 603])
  refuse()
  carol.once('pendingSession', ({ id }) => carol.rejectPendingSession(id))
  incoming.once('transferRequested', () => incoming.acceptTransfer({ mediaStream: 'none' }))
  const busy = await outgoing.transfer('carol').catch((error) => error)
  assert.deepEqual([busy.code, busy.sip.code], ['ERR_TRANSFER_FAILED', 486])
  assert.deepEqual([outgoing.state, incoming.state], ['active', 'active'])
  await hears(callerEar, 1000)
})

test('a transfer to a call that rings waits for its answer; both calls stay until the target has taken over', async (t) => {
  const { alice, carol, carolEar, refuse, outgoing, incoming } = await three(t)
  refuse()
  const rings = next(carol, 'pendingSession')
  const consultation = await alice.call('carol', { mediaStream: 'none' })
  const [{ id }] = await rings
  const asked = next(incoming, 'transferRequested')
  const done = outgoing.attendedTransfer(consultation)
  await assert.rejects(outgoing.transfer('carol'), { code: 'ERR_SESSION_STATE' })
  assert.deepEqual([outgoing.state, consultation.state], ['active', 'pending'])
  const { audio } = voice(1800)
  carol.acceptPendingSession(id, { ...audio, audioElement: carolEar })
  assert.equal((await asked)[0].attended, true)
  const mine = voice(1400)
  await incoming.acceptTransfer(mine.audio)
  await done
  assert.deepEqual([outgoing.state, consultation.state], ['ended', 'ended'])
  await Promise.all([hears(carolEar, 1400), hears(mine.ear, 1800)])
})

test('a transfer that waits for a call that rings: given up, and cancelled with the consultation', async (t) => {
  const { alice, outgoing } = await three(t)
  const consultation = await alice.call('noanswer')
  const giveUp = new AbortController()
  const waiting = outgoing.attendedTransfer(consultation, { signal: giveUp.signal })
  giveUp.abort(new Error('enough'))
  await assert.rejects(waiting, { code: 'ERR_ABORTED', message: 'The signal was aborted: enough' })
  assert.deepEqual([outgoing.state, consultation.state], ['active', 'pending'])
  const again = assert.rejects(outgoing.attendedTransfer(consultation), { code: 'ERR_TRANSFER_FAILED' })
  await consultation.end()
  await again
  assert.equal(outgoing.state, 'active')
})

test('a call that rings is given up for a blind transfer to its target', async (t) => {
  const { alice, carol, refuse, outgoing, incoming } = await three(t)
  refuse()
  const rings = next(carol, 'pendingSession')
  const consultation = await alice.call('carol', { mediaStream: 'none' })
  await rings
  const [cancelled, asked] = [next(carol, 'cancelPendingSession'), next(incoming, 'transferRequested')]
  const done = outgoing.attendedTransfer(consultation, { ringing: 'blind' })
  await cancelled
  const [{ target, attended }] = await asked
  assert.match(target, /^sip:carol@/)
  assert.equal(attended, false)
  assert.equal(consultation.state, 'ended')
  carol.once('pendingSession', ({ id }) => carol.acceptPendingSession(id, { mediaStream: 'none' }))
  await incoming.acceptTransfer({ mediaStream: 'none' })
  await done
  assert.equal(outgoing.state, 'ended')
})

test('a cancelled consultation leaves the first call', async (t) => {
  const { alice, outgoing } = await three(t)
  const consultation = await alice.call('carol', { mediaStream: 'none' })
  await consultation.answered
  await consultation.end()
  assert.equal(outgoing.state, 'active')
  await assert.rejects(outgoing.attendedTransfer(consultation), { code: 'ERR_SESSION_ENDED' })
  await assert.rejects(outgoing.attendedTransfer('x'), { code: 'ERR_INVALID_ARGUMENT' })
  await assert.rejects(outgoing.acceptTransfer(), { code: 'ERR_SESSION_STATE' })
})
