import type { IceServer } from '../index'

/** A STUN or TURN server as browsers take it: with `url`, as older ones had it, or `urls`. */
interface BrowserIceServer {
  url?: string
  urls?: string | readonly string[]
  username?: string
  credential?: string
}

/** The servers as W3C has them now; throws where that is no list, or one has no address. */
export function iceServers(servers: readonly BrowserIceServer[]): IceServer[] {
  if (!Array.isArray(servers)) throw new TypeError('A list of ICE servers is expected')
  return (servers as readonly BrowserIceServer[]).map((server) => {
    const { url, urls = url, username, credential } = server ?? {}
    if (urls === undefined) throw new TypeError('An ICE server needs url or urls')
    return {
      urls: typeof urls === 'string' ? [urls] : [...urls],
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }
  })
}
