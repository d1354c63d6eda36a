import { inspect } from 'node:util'
import { invalidOption } from './errors'

/**
 * What one option may be. `prose` is what people write, also with half of a character; `string` and `text`, which is not empty, name or
 * carry something, and must be whole.
 */
export type Rule =
  | 'boolean'
  | 'string'
  | 'function'
  | 'text'
  | 'prose'
  | { oneOf: readonly unknown[] }
  | { number: { min: number; max: number; integer?: boolean } }
  | { arrayOf: Rule; min?: number }
  | { either: readonly Rule[] }
  | { instance: abstract new (...args: never[]) => unknown; expected: string }
  | { object: Schema; required?: readonly string[] }
  | { record: Rule }
  | { check: (name: string, value: unknown) => void; expected: string }

/** No list that is given has more members. */
export const MOST_MEMBERS = 10_000
/** Of a name that an error shows: no option or header is called longer. */
const LONGEST_SHOWN = 128

/** The options of one object by name; anything else is an error. */
export interface Schema {
  readonly [option: string]: Rule
}

/**
 * Throws a `SoftphoneError` that names the first option that is unknown, of a wrong type, or required and not there.
 *
 * Only what JavaScript alone can tell is judged here; the addon judges what the texts mean.
 */
export function checkOptions(
  name: string,
  options: unknown,
  schema: Schema,
  { prefix = '', required = [] }: { prefix?: string; required?: readonly string[] } = {},
): void {
  if (!isPlainObject(options)) throw mismatch(name, options, 'an object')
  checkObject(prefix, options, { object: schema, required })
}

function checkObject(path: string, value: Record<string, unknown>, { object, required = [] }: { object: Schema; required?: readonly string[] }): void {
  for (const [name, member] of Object.entries(value)) {
    const rule = Object.hasOwn(object, name) ? object[name] : undefined
    if (rule === undefined) throw unknownOption(path + name, Object.keys(object))
    if (member !== undefined) checkValue(path + name, member, rule)
  }
  for (const name of required) {
    if (value[name] === undefined) throw mismatch(path + name, undefined, describeMember(object, name))
  }
}

function checkValue(name: string, value: unknown, rule: Rule): void {
  if (typeof rule === 'object' && 'object' in rule && isPlainObject(value)) return checkObject(`${name}.`, value, rule)
  if (typeof rule === 'object' && 'record' in rule && isPlainObject(value)) {
    return Object.entries(value).forEach(([member, one]) => checkValue(`${name}.${member}`, one, rule.record))
  }
  if (typeof rule === 'object' && 'arrayOf' in rule && Array.isArray(value) && value.length >= (rule.min ?? 0)) {
    if (value.length > MOST_MEMBERS) throw mismatch(name, value, `an array of at most ${MOST_MEMBERS}`, `one of ${value.length}`)
    // By index: what is missing in a sparse array is a member as well.
    for (let index = 0; index < value.length; index += 1) checkValue(`${name}[${index}]`, value[index], rule.arrayOf)
    return
  }
  if (typeof rule === 'object' && 'either' in rule) {
    // An object or an array that fits one of the shapes is checked in depth, so that the fault inside it is named.
    const shape = rule.either.find((choice) => sameShape(value, choice))
    if (shape !== undefined) return checkValue(name, value, shape)
  }
  if (typeof rule === 'object' && 'check' in rule) return rule.check(name, value)
  if (!fits(value, rule)) throw mismatch(name, value, describe(rule), wantsNumber(rule) ? shownNumber(value) : typeName(value))
}

function sameShape(value: unknown, rule: Rule): boolean {
  if (typeof rule !== 'object') return false
  if ('object' in rule) return isPlainObject(value)
  return 'arrayOf' in rule && Array.isArray(value) && value.length >= (rule.min ?? 0)
}

function fits(value: unknown, rule: Rule): boolean {
  if (rule === 'text') return isText(value) && value !== ''
  if (rule === 'string') return isText(value)
  if (rule === 'prose') return typeof value === 'string'
  if (typeof rule === 'string') return typeof value === rule
  if ('oneOf' in rule) return rule.oneOf.includes(value)
  if ('number' in rule) {
    const { min, max, integer } = rule.number
    return typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))
  }
  if ('either' in rule) return rule.either.some((choice) => fits(value, choice))
  if ('instance' in rule) return value instanceof rule.instance
  return 'check' in rule && passes(value, rule.check)
}

function wantsNumber(rule: Rule): boolean {
  if (typeof rule === 'string') return false
  if ('oneOf' in rule) return rule.oneOf.some((choice) => typeof choice === 'number')
  if ('either' in rule) return rule.either.some(wantsNumber)
  return 'number' in rule
}

function passes(value: unknown, check: (name: string, value: unknown) => void): boolean {
  try {
    check('', value)
    return true
  } catch {
    return false
  }
}

function describe(rule: Rule): string {
  if (rule === 'text') return 'a non-empty string'
  if (rule === 'prose') return 'a string'
  if (typeof rule === 'string') return `a ${rule}`
  if ('oneOf' in rule) return `one of ${rule.oneOf.map((value) => inspect(value)).join(', ')}`
  if ('number' in rule) {
    return `${rule.number.integer ? 'a whole number' : 'a number'} from ${rule.number.min} to ${rule.number.max}`
  }
  if ('arrayOf' in rule) return `an array${rule.min ? ` of at least ${rule.min}` : ''}, each ${describe(rule.arrayOf)}`
  if ('either' in rule) return rule.either.map(describe).join(', or ')
  if ('object' in rule) return `an object with ${Object.keys(rule.object).join(', ')}`
  if ('record' in rule) return `an object whose values are each ${describe(rule.record)}`
  return rule.expected
}

function describeMember(object: Schema, name: string): string {
  const member = object[name]
  return member === undefined ? 'a value' : describe(member)
}

function unknownOption(name: string, known: string[]) {
  return invalidOption(`Option '${shownName(name)}' must be one of ${known.join(', ')}, but is unknown`)
}

/** The error of an option that is not what it should be; it says what was given without giving away what may be a secret. */
export function mismatch(name: string, value: unknown, expected: string, what = typeName(value)) {
  return invalidOption(`Option '${shownName(name)}' must be ${expected}, but is ${what}`)
}

/** A name that somebody gave, on one line and not longer than names are. */
export function shownName(name: string): string {
  const start = Array.from(name.slice(0, LONGEST_SHOWN + 1), visible).join('')
  return start.length > LONGEST_SHOWN ? `${start.slice(0, LONGEST_SHOWN)}…` : start
}

// Control characters, line breaks, what turns the direction of writing, and halves of characters.
function visible(character: string): string {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character
}

/** Whether a value is a text of whole characters: half of one is nothing that UTF-8 could carry. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

/** What a value is. Texts and numbers are not shown: a password, a token or a PIN may come as either. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'string' && !value.isWellFormed()) return 'a string with half of a character (a lone surrogate)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : `the number ${value}`
  if (typeof value === 'boolean') return `the boolean ${value}`
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = value.constructor === Object ? '' : className(value)
  return name === '' ? 'an object' : `an object (${name})`
}

/** The name of an object's class; empty if it has none that is a text, as with a static member `name`. */
export function className({ constructor }: object): string {
  const name: unknown = typeof constructor === 'function' ? constructor.name : ''
  return typeof name === 'string' ? shownName(name) : ''
}

/** What a value is that should be a number: it is shown if it is one. */
export function shownNumber(value: unknown): string {
  return typeof value === 'number' ? `the number ${value}` : typeName(value)
}

/** Whether a value is an object of names and values, and not of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
