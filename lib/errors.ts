import { inspect } from 'node:util'
import type { EndCondition, EndReason } from './end-reason'

/** The kind of a failure, as the PureCloud SDK names them. */
export type ErrorType =
  | 'generic'
  | 'initialization'
  | 'invalid_token'
  | 'http'
  | 'invalid_options'
  | 'not_supported'
  | 'session'
  | 'call'
  | 'media'

/** A SIP status that a peer or a server sent. */
export interface SipStatus {
  /** The status code, 100–699. */
  code: number
  /** The reason phrase as received. */
  reason: string
}

/** What a {@link SoftphoneError} is made of. */
export interface SoftphoneErrorInit {
  /** A stable name, `ERR_…`. */
  code: string
  /** The kind of failure. */
  type: ErrorType
  /** The SIP status behind it, where there is one. */
  sip?: SipStatus | undefined
  /** What caused it. */
  cause?: unknown
}

/** The one error class of this package: tell failures apart by `code`, which is stable. */
export class SoftphoneError extends Error {
  /** A stable name, `ERR_…`. */
  readonly code: string
  /** The kind of failure. */
  readonly type: ErrorType
  /** The SIP status behind it, where there is one. */
  declare readonly sip?: SipStatus

  constructor(message: string, { code, type, sip, cause }: SoftphoneErrorInit) {
    super(message, cause === undefined ? undefined : { cause })
    Object.defineProperty(this, 'name', { value: 'SoftphoneError', configurable: true, writable: true })
    this.code = code
    this.type = type
    if (sip) this.sip = sip
  }
}

/** @internal */
export function invalidOption(message: string): SoftphoneError {
  return new SoftphoneError(message, { code: 'ERR_INVALID_OPTION', type: 'invalid_options' })
}

/**
 * What everything rejects with whose signal was aborted; the signal's reason is its `cause`.
 *
 * @internal
 */
export function aborted({ reason }: AbortSignal): SoftphoneError {
  const why = reason instanceof Error ? reason.message : inspect(reason)
  return new SoftphoneError(`The signal was aborted: ${why}`, { code: 'ERR_ABORTED', type: 'generic', cause: reason })
}

/**
 * The error of an outgoing call that nobody answered: `ERR_CALL_BUSY`, `ERR_CALL_TIMEOUT`, …, after the end's condition.
 *
 * @internal
 */
export function unanswered(reason: EndReason): SoftphoneError {
  return new SoftphoneError(`The call was not answered: ${reason.text || reason.condition}`, {
    code: callCode(reason.condition),
    type: 'call',
    sip: reason.sip,
    cause: reason,
  })
}

function callCode(condition: EndCondition): string {
  return `ERR_CALL_${condition.replaceAll('-', '_').toUpperCase()}`
}
