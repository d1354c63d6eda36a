import type { EndCondition } from './end-reason'
import type { DiversionReason } from './options'
import { SoftphoneError } from './errors'
import type { Rule, Schema } from './schema'

const conditions: readonly EndCondition[] = [
  'alternative-session',
  'busy',
  'cancel',
  'connectivity-error',
  'decline',
  'expired',
  'failed-application',
  'failed-transport',
  'general-error',
  'gone',
  'incompatible-parameters',
  'media-error',
  'security-error',
  'success',
  'timeout',
  'unsupported-applications',
  'unsupported-transports',
]
const diversions: readonly DiversionReason[] = [
  'away',
  'deflection',
  'do-not-disturb',
  'follow-me',
  'no-answer',
  'out-of-service',
  'time-of-day',
  'unavailable',
  'unconditional',
  'unknown',
  'user-busy',
]
const milliseconds: Rule = { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } }
const cause: Rule = { number: { min: 1, max: 127, integer: true } }

/** How a session is ended. */
export const endOptions: Schema = { reason: { oneOf: conditions }, cause, text: 'prose' }

/** How calls are let come to an end. */
export const drainOptions: Schema = { timeout: milliseconds, code: { number: { min: 400, max: 699, integer: true } } }

/** Throws for what names no session. */
export function checkReference({ id, conversationId }: { id: unknown; conversationId: unknown }): void {
  if ((id && typeof id === 'string') || (conversationId && typeof conversationId === 'string')) return
  throw new SoftphoneError('Unable to end session: must provide session id or conversationId.', { code: 'ERR_INVALID_ARGUMENT', type: 'session' })
}

/** How what somebody asks for is refused. */
export const refusalOptions: Schema = { code: { number: { min: 300, max: 699, integer: true } }, reason: 'prose' }

/** How a call is refused. */
export const rejectOptions: Schema = { ...refusalOptions, cause }

/** How a caller is sent elsewhere. */
export const redirectOptions: Schema = { code: { oneOf: [301, 302] }, reason: { oneOf: diversions } }
