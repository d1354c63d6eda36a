import { parseArgs } from 'node:util'
import { didYouMean } from './nearest'
import { UsageError } from './usage-error'

/** An option of a command. */
export interface OptionDescription {
  /** What follows the option, as the help calls it; without it the option is a switch. */
  readonly value?: string
  /** Its letter. */
  readonly short?: string
  /** Whether it may be given several times. */
  readonly several?: boolean
  /** What it does, in a line. */
  readonly help: string
}

export type OptionTable = Readonly<Record<string, OptionDescription>>

/** What was typed behind the command. */
export class Given {
  readonly words: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>

  constructor(words: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.words = words
    this.#values = values
  }

  /** Whether a switch is there. */
  has(name: string): boolean {
    return this.#values[name] === true
  }

  /** The value of an option; undefined if it is not there. */
  value(name: string): string | undefined {
    return this.values(name)[0]
  }

  /** The values of an option that may be given several times. */
  values(name: string): readonly string[] {
    return ([this.#values[name] ?? []].flat() as unknown[]).filter((value) => typeof value === 'string')
  }

  /** The value of an option in milliseconds that was given in seconds. */
  milliseconds(name: string): number | undefined {
    const text = this.value(name)
    if (text === undefined) return undefined
    const seconds = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= 86_400) return Math.round(seconds * 1000)
    throw new UsageError(`--${name} must be a number of seconds up to 86400, but is "${text}".`)
  }
}

/** Reads what was typed behind a command; refuses what its options do not have. */
export function readArguments(typed: readonly string[], table: OptionTable): Given {
  const { values, positionals, tokens } = parseArgs({ args: [...typed], options: parsed(table), strict: false, allowPositionals: true, tokens: true })
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    check(token, table)
    if (seen.has(token.name) && !table[token.name]?.several) throw new UsageError(`${token.rawName} is given twice.`)
    seen.add(token.name)
  }
  return new Given(positionals, values)
}

interface OptionToken {
  name: string
  rawName: string
  value?: string | undefined
  inlineValue?: boolean | undefined
}

function check({ name, rawName, value, inlineValue }: OptionToken, table: OptionTable): void {
  const option = Object.hasOwn(table, name) ? table[name] : undefined
  if (option === undefined) {
    throw new UsageError(`There is no option ${rawName}.${didYouMean(name, Object.keys(table), (word) => `--${word}`)}`)
  }
  if (option.value === undefined) {
    // What stands there may be a secret that was meant for another option.
    if (value !== undefined) throw new UsageError(`${rawName} is a switch: it takes no value.`)
    return
  }
  if (value === undefined || value === '') throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`)
  if (!inlineValue && value.startsWith('-')) {
    throw new UsageError(`${rawName} needs a value, but another option follows it. If it begins with "-", write --${name}=${option.value}`)
  }
}

function parsed(table: OptionTable): Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { value, short, several }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }), ...(several && { multiple: true }) },
    ]),
  )
}
