// Calls with pictures between two phones of an embedded PBX.
import { eventually, next, voice } from './phones.mjs'
import { bothBeep, pbxOf } from './pbx.mjs'

export { eventually, next, pbxOf }

/** A call that is answered: `mine` are the caller's options and `theirs` the callee's, beside a tone from each; `begun` is given its session as it begins. */
export async function connect(t, mine, theirs, { begun = () => {} } = {}) {
  const { pbx, open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const [low, high] = [voice(600), voice(1000)]
  const [[pending], outgoing] = await Promise.all([next(bob, 'pendingSession'), alice.call('bob', { ...low.audio, ...mine })])
  const started = next(bob, 'sessionStarted')
  bob.once('sessionStarted', begun)
  bob.acceptPendingSession(pending.id, { ...high.audio, ...theirs })
  const [incoming] = await started
  await outgoing.answered
  const ears = { callerEar: low.ear, calleeEar: high.ear }
  const hear = () => bothBeep(ears)
  await hear()
  return { pbx, alice, bob, pending, outgoing, incoming, hear }
}
