import { aborted } from './errors'
import type { Abortable } from './options'
import { checkOptions, type Rule, type Schema } from './schema'
import type { Session } from './session'

const signal: Rule = { instance: AbortSignal, expected: 'an AbortSignal' }

/** Checks the options of what waits, and takes the signal out of them. */
export function abortable<O extends Abortable>(
  name: string,
  options: O,
  schema: Schema = {},
): [given: Omit<O, 'signal'>, signal: AbortSignal | undefined] {
  checkOptions(name, options, { signal, ...schema })
  const { signal: given, ...rest } = options
  return [rest, given]
}

/** Throws for a signal that is aborted already. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

/** Waits for what others wait for as well, which an abort leaves alone. */
export async function unlessAborted<T>(done: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return done
  refuseAborted(signal)
  let abort = () => {}
  const givenUp = new Promise<never>((_, reject) => (abort = () => reject(aborted(signal))))
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([done, givenUp])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Gives up a call of our own if it is aborted before it is answered. */
export function endOnAbort(session: Session, signal: AbortSignal | undefined): Session {
  if (!signal) return session
  const abort = () => void session.end().catch(() => {})
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  const settled = () => signal.removeEventListener('abort', abort)
  session.answered.then(settled, settled)
  return session
}
