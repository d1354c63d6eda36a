import { SoftphoneError } from '../index'
import { REFERENCE } from './messages'
import { DEEPEST, type Reference } from './plain'

/** Values of one command. A clone keeps what is shared: a few arrays in each other may be more values than can ever be looked at. */
const MOST_VALUES = 10_000
/** Letters in all of them. */
const MOST_LETTERS = 1_000_000

/**
 * What a page gave to a method, with what `find` gives in the place of references.
 *
 * @internal
 */
export function revivedWithin(args: readonly unknown[], find: (reference: Reference) => unknown): unknown[] {
  let values = 0
  let letters = 0
  const read = (text: string): string => {
    letters += text.length
    if (letters > MOST_LETTERS) throw tooMuch(`${MOST_LETTERS} letters`)
    return text
  }
  const revive = (value: unknown, depth: number): unknown => {
    values += 1
    if (values > MOST_VALUES) throw tooMuch(`${MOST_VALUES} values`)
    if (typeof value === 'string') return read(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEEPEST) throw tooMuch(`${DEEPEST} levels of objects`)
    // By index: what is missing in a sparse array counts as well.
    if (Array.isArray(value)) return Array.from(value, (item) => revive(item, depth + 1))
    if (Object.prototype.toString.call(value) !== '[object Object]') throw refused('only plain objects, arrays, texts and numbers; pictures go over a port of video')
    if (Object.hasOwn(value, REFERENCE)) return find(value as Reference)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [read(key), revive(item, depth + 1)]))
  }
  return Array.from(args, (arg) => revive(arg, 0))
}

function tooMuch(most: string): SoftphoneError {
  return refused(`at most ${most}`)
}

function refused(what: string): SoftphoneError {
  return new SoftphoneError(`Bad argument: a page gives to a method ${what}`, { code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options' })
}
