import type { EndReason, InfoEvent, Softphone, SoftphoneOptions } from '../../index'
import { mismatch, type Schema } from '../../schema'
import { checkMembers, phoneOf, phoneRule, portRule } from '../given'

/** The traffic light: no packet lost, up to 5 percent, more. */
export type Connectivity = 'Green' | 'Yellow' | 'Red'

/** What {@link WhistleEngine.start} takes: the account, and hooks. */
export interface WhistleConfig {
  /** The SIP user. */
  user: string
  /** The SIP domain. */
  domain: string
  /** The host of the SIP gateway; default `domain`. */
  proxy?: string
  /** Its port; default 443, with `insecure` 80. */
  port?: number | string
  /** True for `ws` instead of `wss`, which is for tests only. */
  insecure?: boolean
  /** `Bearer <JWT>`: sent in every request to the own domain. */
  authorization_jwt?: string
  /** False does not register; default true. */
  register?: boolean
  /** Logs everything; default false. */
  debug?: boolean
  /** Anything else that a `Softphone` takes: `audio`, `tls`, `iceServers`, `logger`, … */
  phone?: Partial<SoftphoneOptions>

  /** The phone is registered. */
  registered?: () => void
  /** The phone is registered no more. */
  unregistered?: () => void
  /** Somebody calls. */
  incoming_call?: (uri: string, displayName: string) => void
  /** The other party rings. */
  call_ringing?: () => void
  /** The call is answered. */
  call_connected?: () => void
  /** A call that was connected is so no more, whoever hung up; `call_ended` follows. */
  call_disconnected?: (reason: EndReason) => void
  /** A call that was connected is over. */
  call_ended?: (reason: EndReason) => void
  /** A call did not come about: it was not answered, refused, cancelled, or the gateway could not be reached. */
  call_failed?: (reason: EndReason | Error) => void
  /** The other party sent an INFO. */
  info?: (info: InfoEvent) => void
  /** How the call's connection is: at its start, then every five seconds. */
  connectivity_update?: (connectivity: Connectivity) => void
  /** What a method did not do, and why; it is logged in any case. */
  error?: (error: Error) => void
}

/** Options of {@link WhistleEngine.dial}. */
export interface DialOptions {
  /** Headers to add to the INVITE: `'Name: value'`, or by name. */
  extraHeaders?: readonly string[] | Readonly<Record<string, string>>
}

const hooks = [
  ...['registered', 'unregistered', 'incoming_call', 'call_ringing', 'call_connected', 'call_disconnected', 'call_ended'],
  ...['call_failed', 'info', 'connectivity_update', 'error'],
]
const schema: Schema = {
  user: 'text',
  domain: 'text',
  proxy: 'text',
  port: portRule,
  insecure: 'boolean',
  authorization_jwt: { check: checkJwt, expected: "'Bearer ' and a token" },
  register: 'boolean',
  debug: 'boolean',
  phone: phoneRule,
  ...Object.fromEntries(hooks.map((hook) => [hook, 'function' as const])),
}

/** The members that what the phone says is about. */
const names = { uri: "user' with 'domain", servers: "proxy' with 'port", accessToken: 'authorization_jwt' }

/**
 * The phone of a configuration, and what of it is unknown, such as a misspelt hook.
 *
 * @throws `SoftphoneError` that names the member that is wrong.
 */
export function phoneOfConfig(config: WhistleConfig): { phone: Softphone; unknown: string[] } {
  const unknown = checkMembers(config, schema)
  return { phone: phoneOf(phoneOptions(config), names, config.phone), unknown }
}

// `Bearer ${undefined}` is what a token that is not there makes.
function checkJwt(name: string, value: unknown): void {
  const token = typeof value === 'string' ? value.replace(/^Bearer\s*/i, '') : ''
  if (/^(undefined|null)?$/.test(token)) throw mismatch(name, value, "'Bearer ' and a token")
}

/** The options of the phone. */
export function phoneOptions(config: WhistleConfig): SoftphoneOptions {
  const { user, domain, proxy = domain, insecure = false, authorization_jwt: jwt, debug = false } = config
  const { port = insecure ? 80 : 443, register = true } = config
  return {
    uri: `sip:${user}@${domain}`,
    servers: `${insecure ? 'ws' : 'wss'}://${proxy}:${port}`,
    register,
    maxSessions: 1,
    logLevel: debug ? 'trace' : 'warn',
    ...(jwt && { accessToken: jwt.replace(/^Bearer\s+/i, ''), authorization: 'always', allowInsecure: insecure }),
    ...config.phone,
  }
}

/** Headers by name; throws what names the line that is none, without showing it. */
export function headersOf(given: DialOptions['extraHeaders'] = {}): Record<string, string> {
  if (!Array.isArray(given)) return { ...(given as Readonly<Record<string, string>>) }
  return Object.fromEntries(
    Array.from(given as readonly unknown[], (line, index) => {
      const colon = typeof line === 'string' ? line.indexOf(':') : -1
      if (typeof line !== 'string' || colon < 1) throw mismatch(`extraHeaders[${index}]`, line, "'Name: value'")
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }),
  )
}
