import { next, pbxOf } from '../pbx.mjs'

/** Notes how a phone's pending and started sessions went, by id. */
export function outcomes(phone) {
  const seen = new Map()
  const note = (id, what) => seen.set(id, [...(seen.get(id) ?? []), what])
  phone.on('pendingSession', ({ id }) => note(id, 'pending'))
  phone.on('cancelPendingSession', (id, { side, reason }) => note(id, `cancelled by ${side}: ${reason}`))
  phone.on('handledPendingSession', (id) => note(id, 'handled'))
  phone.on('sessionStarted', (session) => {
    note(session.id, 'started')
    session.on('terminated', () => note(session.id, 'terminated'))
  })
  phone.on('sessionEnded', ({ id }) => note(id, 'ended'))
  return seen
}

/** Lets alice's phones ring; what becomes of the call is the test's matter. */
export function rings(pbx) {
  pbx.originate({ to: 'alice', with: 'echo' }).catch(() => {})
}

/** A call from bob that rings at alice's. */
export async function ringing(t, options) {
  const context = await pbxOf(t)
  const [alice, bob] = await Promise.all([context.open('alice', options), context.open('bob')])
  const seen = outcomes(alice)
  const [[{ id }], call] = await Promise.all([next(alice, 'pendingSession'), bob.call('alice')])
  return { ...context, alice, bob, seen, id, call }
}

/** Keeps the JavaScript thread from everything else. */
export function block(milliseconds) {
  const end = Date.now() + milliseconds
  while (Date.now() < end);
}
