import { inspect } from 'node:util'
import { invalidOption } from './errors'

/** What one option may be. */
export type Rule =
  | 'boolean'
  | 'string'
  | 'function'
  | 'text'
  | { oneOf: readonly unknown[] }
  | { number: { min: number; max: number; integer?: boolean } }
  | { arrayOf: Rule; min?: number }
  | { either: readonly Rule[] }
  | { instance: abstract new (...args: never[]) => unknown; expected: string }
  | { object: Schema; required?: readonly string[] }
  | { record: Rule }
  | { check: (name: string, value: unknown) => void; expected: string }

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
    value.forEach((member, index) => checkValue(`${name}[${index}]`, member, rule.arrayOf))
    return
  }
  if (typeof rule === 'object' && 'either' in rule) {
    // An object or an array that fits one of the shapes is checked in depth, so that the fault inside it is named.
    const shape = rule.either.find((choice) => sameShape(value, choice))
    if (shape !== undefined) return checkValue(name, value, shape)
  }
  if (typeof rule === 'object' && 'check' in rule) return rule.check(name, value)
  if (!fits(value, rule)) throw mismatch(name, value, describe(rule))
}

function sameShape(value: unknown, rule: Rule): boolean {
  if (typeof rule !== 'object') return false
  if ('object' in rule) return isPlainObject(value)
  return 'arrayOf' in rule && Array.isArray(value) && value.length >= (rule.min ?? 0)
}

function fits(value: unknown, rule: Rule): boolean {
  if (rule === 'text') return typeof value === 'string' && value !== ''
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
  return invalidOption(`Option '${name}' must be one of ${known.join(', ')}, but is unknown`)
}

/** The error of an option that is not what it should be; it names the value's type and never the value. */
export function mismatch(name: string, value: unknown, expected: string) {
  const type = secret.test(name) && typeof value === 'number' ? 'a number' : typeName(value)
  return invalidOption(`Option '${name}' must be ${expected}, but is ${type}`)
}

// A password of digits alone may come as a number.
const secret = /(?:^|\.)(?:accessToken|credential|ha1|key|password|token)$/

/** What a value is: numbers and booleans are shown; texts may be secrets and are not. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`
  if (typeof value !== 'object') return `a ${typeof value}`
  const { constructor } = value
  return typeof constructor === 'function' && constructor !== Object ? `an object (${constructor.name})` : 'an object'
}

/** Whether a value is an object of names and values, and not of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
