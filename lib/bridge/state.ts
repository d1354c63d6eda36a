import type { BridgeState, Changed, Changes, ConferenceSnapshot, SessionSnapshot } from './messages'

const nothing = Object.freeze([])

/** @internal What a page knows before the phone has told anything. */
export const none: BridgeState = Object.freeze({
  bridge: 'connecting',
  connected: false,
  registered: false,
  pendingSessions: nothing,
  sessions: nothing,
  conferences: nothing,
})

/**
 * The state after changes. What did not change is the same object as before.
 *
 * @internal
 */
export function applied(state: BridgeState, changes: Changes): BridgeState {
  const { connected, registered, pendingSessions, sessions, conferences, endedSessions, endedConferences } = changes
  return Object.freeze({
    ...state,
    ...(connected !== undefined && { connected }),
    ...(registered !== undefined && { registered }),
    ...(pendingSessions && { pendingSessions: Object.freeze(pendingSessions) }),
    ...((sessions || endedSessions) && { sessions: merged<SessionSnapshot>(state.sessions, sessions, endedSessions) }),
    ...((conferences || endedConferences) && { conferences: merged<ConferenceSnapshot>(state.conferences, conferences, endedConferences) }),
  })
}

function merged<T extends { id: string }>(before: readonly T[], changed: readonly Changed[] = [], ended: readonly string[] = []): readonly T[] {
  const news = new Map(changed.map((one) => [one.id, one]))
  const known = before.filter(({ id }) => !ended.includes(id)).map((one) => (news.has(one.id) ? Object.freeze({ ...one, ...news.get(one.id) }) : one))
  const added = changed.filter(({ id }) => before.every((one) => one.id !== id)).map((one) => Object.freeze(one) as unknown as T)
  return Object.freeze([...known, ...added])
}
