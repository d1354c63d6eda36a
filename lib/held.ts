/** Something that the engine gives to, for as long as it does. */
export interface Given {
  /** @internal Whether the engine gives something to it now. */
  readonly isFed: boolean
  /** @internal Whether it has since it was named last. */
  readonly wasFed: boolean
}

/** Who is found to be given to no more is looked after for so many milliseconds: a call may take the place of another meanwhile. */
const GRACE = 10_000
/** The same if nothing was ever given: a call may ring for long. */
const PATIENCE = 3_600_000

/** Since when nothing is given to each: since it was named, or since somebody looked and found that it is so no more. */
const held = new Map<Given, { named: number; left?: number | undefined }>()

/**
 * Keeps a reader from being collected while the engine gives to it: an application may hold nothing but a listener of its own. Who
 * is in no call and held by nobody is collected, though it was never destroyed; each that comes lets go of those before it.
 */
export function hold(reader: Given): void {
  const now = performance.now()
  for (const [other, times] of held) {
    if (other.isFed) times.left = undefined
    else if (!other.wasFed) {
      if (now - times.named > PATIENCE) held.delete(other)
    } else if (times.left === undefined) times.left = now
    else if (now - times.left > GRACE) held.delete(other)
  }
  held.set(reader, { named: now })
}
