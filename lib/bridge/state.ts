import type { BridgeState, Changed, Changes } from './messages'

const nothing = Object.freeze([])

/** @internal What a page knows before the phone has told anything. */
export const none: BridgeState = Object.freeze({
  bridge: 'connecting',
  connected: false,
  registered: false,
  messageWaiting: undefined,
  pendingSessions: nothing,
  sessions: nothing,
  conferences: nothing,
})

/**
 * The state after changes. What did not change is the same object as before.
 *
 * @internal
 */
export function applied(state: BridgeState, { sessions, conferences, endedSessions, endedConferences, ...rest }: Changes): BridgeState {
  for (const value of Object.values(rest)) Object.freeze(value)
  return Object.freeze({
    ...state,
    ...rest,
    sessions: merged(state.sessions, sessions, endedSessions),
    conferences: merged(state.conferences, conferences, endedConferences),
  })
}

function merged<T extends { id: string }>(before: readonly T[], changed?: readonly Changed[], ended: readonly string[] = []): readonly T[] {
  if (!changed && ended.length === 0) return before
  const all = new Map(before.map((one) => [one.id, one]))
  for (const one of changed ?? []) all.set(one.id, Object.freeze({ ...all.get(one.id), ...one } as unknown as T))
  for (const id of ended) all.delete(id)
  return Object.freeze([...all.values()])
}
