import type { IceServer } from '../index'
import { invalidOption } from '../errors'
import { mismatch, typeName } from '../schema'

/** A STUN or TURN server as browsers take it: with `url`, as older ones had it, or `urls`. */
interface BrowserIceServer {
  url?: string
  urls?: string | readonly string[]
  username?: string
  credential?: string
}

/** The paths of the servers' addresses as the application wrote them: with `url`, as older browsers had it. */
export function iceServerNames(servers: unknown, name = 'iceServers'): Record<string, string> {
  if (!Array.isArray(servers)) return {}
  const old = servers.map((server: BrowserIceServer | null | undefined, index) => server?.urls === undefined && [index])
  return Object.fromEntries(old.flatMap((at) => at || []).map((index) => [`iceServers[${index}].urls`, `${name}[${index}].url`]))
}

/** The servers as W3C has them now; throws what names the option if it is no list, or one has no address. */
export function iceServers(name: string, servers: unknown): IceServer[] {
  if (!Array.isArray(servers)) throw mismatch(name, servers, 'an array of STUN and TURN servers')
  return servers.map((server: BrowserIceServer | null | undefined, index) => {
    const { url, urls = url, username, credential } = server ?? {}
    if (typeof urls !== 'string' && !Array.isArray(urls)) {
      throw invalidOption(`Option '${name}[${index}]' needs url or urls, an address or an array of them, but has ${typeName(urls)}`)
    }
    return {
      urls: typeof urls === 'string' ? [urls] : [...urls],
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }
  })
}
