import type { Softphone, SoftphoneOptions } from '../../index'
import type { Schema } from '../../schema'
import { checkMembers, phoneOf, phoneRule, portRule } from '../given'

/** The account of a phone, as the document names its members. */
export interface SipAccountInfo {
  /** Names the phone in every callback; the same as `authUser`. */
  userName: string
  /** The SIP user to register; default `userName`. */
  authUser?: string
  /** The SIP domain. */
  sipdomain: string
  /** The server, `host:port`; default `sipdomain` and `port`. */
  domain?: string
  /** The name to show. */
  displayname?: string
  /** The name to show, as the document's table spells it. */
  displayName?: string
  /** The password. */
  secret?: string
  /** The server's port, if `domain` names none; the document's is 443. */
  port: string | number
  /** `wss`, the default, or `ws`. */
  security?: 'ws' | 'wss' | (string & {})
  /** The path of the WebSocket; default `ws`. */
  endpoint?: string
  /** The complete SIP URI; default `sip:<authUser>@<sipdomain>`. */
  sipUri?: string
  /** The host of the Contact, with or without a port. */
  contactHost?: string
  /** Anything else that a `Softphone` takes: `audio`, `tls`, `iceServers`, `logger`, … */
  phone?: Partial<SoftphoneOptions>
}

const schema: Schema = {
  userName: 'text',
  authUser: 'text',
  sipdomain: 'text',
  domain: 'text',
  displayname: 'prose',
  displayName: 'prose',
  secret: 'text',
  port: portRule,
  security: { oneOf: ['ws', 'wss'] },
  endpoint: 'string',
  sipUri: 'string',
  contactHost: 'string',
  phone: phoneRule,
}

/** The members that what the phone says is about. */
const names = {
  uri: "sipdomain' with 'authUser",
  servers: "domain' with 'port' and 'endpoint",
  username: 'authUser',
  password: 'secret',
}

/**
 * The phone of an account, and what of the account is unknown.
 *
 * @throws `SoftphoneError` that names the member that is wrong.
 */
export function phoneOfAccount(account: SipAccountInfo): { phone: Softphone; unknown: string[] } {
  const unknown = checkMembers(account, schema)
  const displayName = account.displayname === undefined ? 'displayName' : 'displayname'
  const named = { ...names, displayName, ...(account.sipUri && { uri: 'sipUri' }) }
  return { phone: phoneOf(phoneOptions(account), named, account.phone), unknown }
}

/** What is missing of an account, if anything. */
export function missing(account: SipAccountInfo | undefined): string | undefined {
  if (typeof account !== 'object' || account === null) return 'sipAccountInfo'
  return (['userName', 'sipdomain', 'port'] as const).find((name) => !account[name])
}

/** The options of the account's phone. */
export function phoneOptions(account: SipAccountInfo): SoftphoneOptions {
  const { userName, authUser = userName, sipdomain, secret, sipUri, contactHost } = account
  const displayName = account.displayname ?? account.displayName
  return {
    uri: sipUri || `sip:${authUser}@${sipdomain}`,
    servers: server(account),
    username: authUser,
    ...(secret && { password: secret }),
    ...(displayName && { displayName }),
    ...(contactHost && { contactHost }),
    ...account.phone,
  }
}

function server({ sipdomain, domain = sipdomain, port, security = 'wss', endpoint = 'ws' }: SipAccountInfo): string {
  const host = /:\d+$/.test(domain) ? domain : `${domain}:${port}`
  return `${security}://${host}/${endpoint.replace(/^\//, '')}`
}
