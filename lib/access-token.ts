import { SoftphoneError } from './errors'

/** Stands in for a token that is still to be fetched: a JWT with a `sub` and nothing else. */
export const SOME_TOKEN = 'e30.eyJzdWIiOiJ1c2VyIn0.e30'

/** Asks the application for its token. */
export async function fetchToken(fetch: () => string | PromiseLike<string>): Promise<string> {
  let cause: unknown
  try {
    const token: unknown = await fetch()
    if (typeof token === 'string' && token !== '') return token
    cause = new TypeError(`accessToken() gave ${typeof token === 'string' ? 'an empty string' : `a ${typeof token}`}`)
  } catch (error) {
    cause = error
  }
  throw new SoftphoneError('The access token could not be fetched', { code: 'ERR_ACCESS_TOKEN', type: 'invalid_token', cause })
}
