import type { SoftphoneOptions } from '../../index'
import { BandwidthRtcError } from './errors'

/** The SIP account with which a participant's phone registers, such as one that all guests share. */
export type RoomAccount = Pick<
  SoftphoneOptions,
  'uri' | 'displayName' | 'username' | 'ha1' | 'realm' | 'authorization' | 'servers' | 'register'
> & { uri: string; password?: string; accessToken?: string }

/**
 * What a participant's token says: a JSON Web Token without a signature, for what lets a participant in is `key`, which only
 * the rooms' server and the participant know. Who issues tokens of its own writes the same claims.
 */
export interface TokenClaims {
  /** The form of these claims. */
  v: 'sip1'
  /** The participant's id. */
  sub: string
  /** The SIP address that hosts the rooms. */
  room: string
  /** What the participant shows to be let in, as the header `X-Participant-Token` of its INVITE and SUBSCRIBE. */
  key: string
  /** Seconds since 1970 until which the token is good. */
  exp: number
  /** The account to register with. */
  sip?: RoomAccount
}

/** The header that names a participant to the rooms' host. */
export const TOKEN_HEADER = 'X-Participant-Token'
/** The header in which a participant's phone chooses the id of its stream. */
export const ENDPOINT_HEADER = 'X-Endpoint-Id'
/** The header of a call beside the one that takes part: `publish` shows something more, such as a screen, `watch` sees what somebody publishes. */
export const CALL_HEADER = 'X-Room-Call'
/** The header with the name of a participant's stream. */
export const ALIAS_HEADER = 'X-Stream-Alias'

const account = ['uri', 'displayName', 'username', 'password', 'ha1', 'realm', 'accessToken', 'authorization', 'servers', 'register']

/** Of what is shown of a form that is not known. */
const longestForm = 16

/** @internal */
export function writeToken(claims: TokenClaims): string {
  for (const [name, value] of Object.entries(claims.sip ?? {})) {
    if (typeof value === 'function') throw new BandwidthRtcError(`'account.${name}' must be a string in a participant's token, but is a function`)
  }
  return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`
}

/** Reads a token; the errors name what is wrong and never show it. */
export function readToken(token: unknown): TokenClaims {
  const claims = decoded(token)
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
  const { v, sub, room, key, exp, sip } = claims
  if (v !== 'sip1') {
    const form = typeof v === 'string' ? v.slice(0, longestForm) : typeof v
    throw new BandwidthRtcError(`The device token has claims of the form '${form}', not of 'sip1'`)
  }
  for (const [name, value] of Object.entries({ sub, room, key })) {
    if (!isText(value)) throw new BandwidthRtcError(`The device token has no claim '${name}'`)
  }
  if (typeof exp !== 'number') throw new BandwidthRtcError("The device token has no claim 'exp'")
  if (exp * 1000 <= Date.now()) throw new BandwidthRtcError('The device token has expired')
  if (sip !== undefined && !isText((sip as Partial<RoomAccount> | null)?.uri)) {
    throw new BandwidthRtcError("The device token's claim 'sip' has no 'uri'")
  }
  // What a token says of the phone ends here: the rest of its options are the application's.
  const known = Object.entries((sip as RoomAccount | undefined) ?? {}).filter(([name]) => account.includes(name))
  return {
    v,
    sub: sub as string,
    room: room as string,
    key: key as string,
    exp,
    ...(sip === undefined ? {} : { sip: Object.fromEntries(known) as unknown as RoomAccount }),
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function decoded(token: unknown): Record<string, unknown> {
  const payload = typeof token === 'string' ? token.split('.')[1] : undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    if (typeof claims === 'object' && claims !== null) return claims as Record<string, unknown>
  } catch {
    // The parser would show a part of the token.
  }
  throw new BandwidthRtcError('The device token is no JSON Web Token')
}
