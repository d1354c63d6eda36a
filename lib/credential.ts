import { SoftphoneError } from './errors'
import type { SoftphoneOptions } from './options'
import { typeName } from './schema'
import { thrown } from './thrown'

/** What shows who the user is, if a function gives it. */
export interface Fetched {
  option: 'accessToken' | 'password'
  fetch: () => string | PromiseLike<string>
}

/** Stands in for what is still to be fetched, as a token a JWT with a `sub` and nothing else. */
export const SOME_CREDENTIAL = 'e30.eyJzdWIiOiJ1c2VyIn0.e30'

const failures = {
  accessToken: ['The access token could not be fetched', { code: 'ERR_ACCESS_TOKEN', type: 'invalid_token' }],
  password: ['The password could not be fetched', { code: 'ERR_PASSWORD', type: 'generic' }],
} as const

/** The one of these options that is a function; that there are not two is the engine's to say. */
export function fetchedOption({ accessToken, password }: SoftphoneOptions): Fetched | undefined {
  if (typeof accessToken === 'function') return { option: 'accessToken', fetch: accessToken }
  return typeof password === 'function' ? { option: 'password', fetch: password } : undefined
}

/** Asks the application for its token or password. */
export async function fetchCredential({ option, fetch }: Fetched): Promise<string> {
  let cause: unknown
  try {
    const given: unknown = await fetch()
    if (typeof given === 'string' && given !== '') return given
    cause = new TypeError(`${option}() gave ${given === '' ? 'an empty string' : typeName(given)}`)
  } catch (error) {
    cause = new Error(`${option}() threw ${thrown(error)}`)
  }
  const [message, details] = failures[option]
  throw new SoftphoneError(message, { ...details, cause })
}
