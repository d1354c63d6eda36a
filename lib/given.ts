import { isPlainObject, typeName } from './schema'

/** Of an object that stands for what JSON can't carry. */
const FOREIGN = '\0'
/** Options are not nested any deeper. */
const DEEPEST = 8

/**
 * What the application gave, as JSON can carry it: the engine judges it. What JSON has no word for (NaN, functions, dates, what is
 * undefined in a list) is named, so that the engine can say what it is.
 */
export function given(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (depth < DEEPEST && Array.isArray(value)) return Array.from(value, (member) => given(member, depth + 1))
  if (depth < DEEPEST && isPlainObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return Object.fromEntries(members.map(([name, member]) => [name, given(member, depth + 1)]))
  }
  return foreign(typeName(value))
}

/** Stands for what is of no use to the engine, by what it is. */
export function foreign(what: string): unknown {
  return { [FOREIGN]: what }
}
