import { Foreign, given } from './given'
import type { IceServersFunction } from './options'
import { isPlainObject } from './schema'
import { thrown } from './thrown'

/** `iceServers` as the addon reads them: what JSON can't carry is said by an object of this package's own. */
export function wireIceServerSource(iceServers: unknown): unknown {
  if (typeof iceServers === 'function') return { function: true }
  return isPlainObject(iceServers) ? new Foreign('an object') : iceServers
}

/** Asks the application's function for servers, in the engine's words, which judges them. */
export async function givenIceServers(give: IceServersFunction): Promise<{ servers?: string; failure?: string }> {
  try {
    const iceServers: unknown = await give()
    return { servers: JSON.stringify(given({ iceServers })['iceServers'] ?? null) }
  } catch (error) {
    return { failure: thrown(error) }
  }
}
