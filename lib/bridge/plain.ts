import type { SoftphoneErrorJson } from '../errors'
import { REFERENCE } from './messages'

/** @internal What is no plain data, as it crosses. */
export type Reference =
  | { [REFERENCE]: 'session' | 'conference'; id: string }
  | { [REFERENCE]: 'error'; error: SoftphoneErrorJson }
  | { [REFERENCE]: 'reason'; reason: object }
  | { [REFERENCE]: 'signal' }
  | { [REFERENCE]: 'video'; port: number }
  | { [REFERENCE]: 'map'; entries: [unknown, unknown][] }

/** @internal Levels of objects in objects; what lies deeper is left out. */
export const DEEPEST = 8

/**
 * Makes of a value what any port can carry: what `refer` knows becomes a reference, and functions and the like are left out.
 *
 * @internal
 */
export function plain(value: unknown, refer: (value: object) => Reference | undefined, depth = 0): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || depth > DEEPEST) return undefined
  if (typeof value !== 'object' || value === null) return value
  const reference = refer(value)
  if (reference) return reference
  if (Array.isArray(value)) return value.map((item) => plain(item, refer, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, refer, depth + 1)]))
}

/**
 * Puts what `find` gives in the place of references.
 *
 * @internal
 */
export function revived(value: unknown, find: (reference: Reference) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => revived(item, find))
  if (Object.hasOwn(value, REFERENCE)) return find(value as Reference)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revived(item, find)]))
}
