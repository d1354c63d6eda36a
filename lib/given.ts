import { isPlainObject, MOST_MEMBERS, typeName } from './schema'

/** Options are not nested any deeper. */
const DEEPEST = 8

/** Stands for what is of no use to the engine, by what it is. */
export class Foreign {
  readonly '\0': string

  constructor(what: string) {
    this['\0'] = what
  }
}

/**
 * What the application gave, as JSON can carry it: the engine judges it. What JSON has no word for (NaN, functions, dates, what is
 * undefined in a list, half of a character) is named, so that the engine can say what it is. Each option has a budget of members: more
 * of them, as objects have that refer to each other, are none that the engine reads.
 */
export function given(options: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => [name.toWellFormed(), option(value)]))
}

function option(value: unknown): unknown {
  const budget = { left: MOST_MEMBERS }
  const carried = carry(value, budget, 1)
  if (budget.left >= 0) return carried
  return new Foreign(`${Array.isArray(value) ? 'an array' : 'an object'} of more than ${MOST_MEMBERS} members`)
}

function carry(value: unknown, budget: { left: number }, depth: number): unknown {
  // Nobody reads what follows: to list the names of many large objects would take long.
  if (budget.left < 0) return null
  if (value === null || typeof value === 'boolean' || value instanceof Foreign) return value
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (depth < DEEPEST && Array.isArray(value)) {
    return spend(budget, value.length) ? Array.from(value, (member) => carry(member, budget, depth + 1)) : null
  }
  // A name that stands for what is foreign is no name of an option.
  if (depth < DEEPEST && isPlainObject(value) && !Object.hasOwn(value, '\0')) {
    const names = Object.keys(value)
    if (!spend(budget, names.length)) return null
    const members = names.map((name) => [name, value[name]] as const).filter(([, member]) => member !== undefined)
    return Object.fromEntries(members.map(([name, member]) => [name.toWellFormed(), carry(member, budget, depth + 1)]))
  }
  return new Foreign(typeName(value))
}

function spend(budget: { left: number }, members: number): boolean {
  budget.left -= members
  return budget.left >= 0
}
