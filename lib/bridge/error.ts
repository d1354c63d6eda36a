import type { ErrorCode } from '../error-code'
import type { ErrorType, SipStatus, SoftphoneErrorJson } from '../errors'

/** A `SoftphoneError` in a page: what failed beside the phone, or the port to it. Tell failures apart by `code`. */
export class BridgeError extends Error {
  /** A stable name, `ERR_…`. */
  readonly code: ErrorCode
  /** The kind of failure. */
  readonly type: ErrorType
  /** The SIP status behind it, if there is one. */
  declare readonly sip?: SipStatus

  /** @internal */
  constructor({ message, code, type, sip, cause }: Omit<SoftphoneErrorJson, 'name' | 'stack'>) {
    super(String(message), cause === undefined ? undefined : { cause })
    this.name = 'SoftphoneError'
    this.code = code
    this.type = type
    if (sip) this.sip = sip
  }
}

/** @internal */
export function closedError(): BridgeError {
  return new BridgeError({ message: 'The port to the phone is closed', code: 'ERR_BRIDGE', type: 'generic' })
}
