import { Softphone, type SoftphoneOptions } from '../index'
import { renamed } from '../errors'
import { checkOptions, isPlainObject, mismatch, shownNumber, type Rule, type Schema } from '../schema'

const port = 'a port, 1 to 65535'

/** A port, as a number or in digits. */
export const portRule: Rule = {
  check(name, value) {
    const digits = typeof value === 'number' ? String(value) : value
    const fits = typeof digits === 'string' && /^\d{1,5}$/.test(digits) && Number(digits) >= 1 && Number(digits) <= 65_535
    if (!fits) throw mismatch(name, value, port, shownNumber(value))
  },
  expected: port,
}

const besides = "an object with options of a phone, such as 'audio'"

/** Options of the phone beside a façade's own: the phone judges them. */
export const phoneRule: Rule = {
  check(name, value) {
    if (!isPlainObject(value)) throw mismatch(name, value, besides)
  },
  expected: besides,
}

/**
 * Checks what a façade is given, and returns what of it is unknown, such as a misspelt name.
 *
 * @throws `SoftphoneError` `ERR_INVALID_OPTION`.
 */
export function checkMembers(given: object, schema: Schema): string[] {
  const isKnown = (name: string) => Object.hasOwn(schema, name)
  checkOptions('options', Object.fromEntries(Object.entries(given).filter(([name]) => isKnown(name))), schema)
  return Object.keys(given).filter((name) => !isKnown(name))
}

/**
 * The phone of options that a façade made; what is wrong with one is said of the member that it was made of, by `names`.
 *
 * @throws `SoftphoneError` `ERR_INVALID_OPTION`.
 */
export function phoneOf(options: SoftphoneOptions, names: Readonly<Record<string, string>>, own: object = {}): Softphone {
  const ofPhone = Object.keys(own).map((name) => [name, `phone.${name}`])
  try {
    return new Softphone(options)
  } catch (error) {
    throw renamed(error, { ...names, ...Object.fromEntries(ofPhone) })
  }
}
