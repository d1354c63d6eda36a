import type { NativeEnd } from './native'

/** Who is found to be in no call any more is looked after for so many milliseconds: a call may take the place of another meanwhile. */
const GRACE = 10_000
/** The same for who never was in one: a call may ring for long. */
const PATIENCE = 3_600_000

/** When each was named, and since when no session has its end any more: since somebody looked and found that it is so. */
const held = new Map<object, { end: NativeEnd; named: number; left?: number | undefined }>()

/**
 * Names the end of a source or sink to a session that shall have it, and keeps the one that it belongs to from being collected
 * meanwhile: an application may hold nothing but a listener of its own. Who is in no call and held by nobody is collected, though it
 * was never destroyed; each that comes lets go of those before it.
 */
export function hold(whole: object, end: NativeEnd): void {
  const now = performance.now()
  for (const [other, times] of held) {
    if (times.end.engaged) times.left = undefined
    else if (!times.end.wasEngaged) {
      if (now - times.named > PATIENCE) held.delete(other)
    } else if (times.left === undefined) times.left = now
    else if (now - times.left > GRACE) held.delete(other)
  }
  end.expect()
  held.set(whole, { end, named: now })
}

/** What an engine's end calls as long as its owner is there: the end is held by its owner, and not the other way round. */
export function weakly<Owner extends object, Args extends unknown[]>(owner: Owner, call: (owner: Owner, ...args: Args) => void): (...args: Args) => void {
  const weak = new WeakRef(owner)
  return (...args) => {
    const there = weak.deref()
    if (there !== undefined) call(there, ...args)
  }
}
