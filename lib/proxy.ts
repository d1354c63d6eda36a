import { Foreign } from './given'
import type { ProxyFunction } from './options'
import { isPlainObject, typeName } from './schema'
import { thrown } from './thrown'

/** `httpProxy` as the addon reads it: what JSON can't carry, and the environment, are said by objects of this package's own. */
export function wireProxy(httpProxy: unknown): unknown {
  if (typeof httpProxy === 'function') return { function: true }
  if (httpProxy === 'environment' || (httpProxy === undefined && nodeTakesTheEnvironments())) return { environment: variables() }
  return isPlainObject(httpProxy) ? new Foreign('an object') : httpProxy
}

/** Asks the application's function which way to a server to take, in the engine's words. */
export async function chosenProxy(choose: ProxyFunction, url: string): Promise<{ proxy?: string; failure?: string }> {
  try {
    const proxy: unknown = await choose(url)
    if (proxy === null || proxy === undefined || proxy === false) return {}
    if (typeof proxy === 'string') return { proxy: proxy.toWellFormed() }
    return { failure: `it gave ${typeName(proxy)}, but must give a proxy's URL, what a PAC script answers, or null` }
  } catch (error) {
    return { failure: thrown(error) }
  }
}

// By themselves Node's own fetch and http do not look at the environment either.
function nodeTakesTheEnvironments(): boolean {
  const { NODE_USE_ENV_PROXY: asked, NODE_OPTIONS: options = '' } = process.env
  return asked === '1' || [...process.execArgv, ...options.split(/\s+/)].includes('--use-env-proxy')
}

// The lower case counts first, as with curl.
function variables(): Record<string, string | undefined> {
  const value = (name: string) => process.env[name.toLowerCase()] ?? process.env[name]
  return { https: value('HTTPS_PROXY'), http: value('HTTP_PROXY'), all: value('ALL_PROXY'), no: value('NO_PROXY') }
}
