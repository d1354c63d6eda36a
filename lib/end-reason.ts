import type { SipStatus } from './errors'

/** Why a session ended, in the words of XEP-0166 §7.4. */
export type EndCondition =
  | 'alternative-session'
  | 'busy'
  | 'cancel'
  | 'connectivity-error'
  | 'decline'
  | 'expired'
  | 'failed-application'
  | 'failed-transport'
  | 'general-error'
  | 'gone'
  | 'incompatible-parameters'
  | 'media-error'
  | 'security-error'
  | 'success'
  | 'timeout'
  | 'unsupported-applications'
  | 'unsupported-transports'

/** Who ended a session: this phone, the other party, or the network between them. */
export type EndSide = 'local' | 'remote' | 'network'

/** @internal */
export interface EndReasonInit {
  condition: EndCondition
  text?: string | null
  side: EndSide
  sip?: SipStatus | null
  q850?: number | null
  targets?: readonly RedirectTarget[] | null
  summary?: CallSummary | null
}

/** How a call was, from its first packet to its last. */
export interface CallSummary {
  /** The codec that was sent last, by its SDP name. */
  codec: string | null
  /** Milliseconds from the answer to the end; 0 of a call that was not answered. */
  duration: number
  /** Estimated mean opinion scores, 1–5: of the worst moment, and of the whole call. */
  mos: { least: number; mean: number }
  /** Percent of the packets that were to be received and did not come. */
  loss: number
  /** Milliseconds of jitter of what was received, in the mean. */
  jitter: number
  /** Milliseconds of round trip from RTCP, in the mean; null if it never got known, as in a call of some seconds. */
  rtt: number | null
}

/** Where a redirected call was sent instead. */
export interface RedirectTarget {
  /** The SIP address, for `call()`. */
  uri: string
  /** Who that is, if the answer says so. */
  displayName?: string
  /** How much it is preferred, 0 to 1. */
  q: number
}

/** Why a session ended; used as a string it is its condition. */
export class EndReason {
  /** The condition of XEP-0166 §7.4, mapped from the Q.850 cause, or from the SIP status if that says more. */
  readonly condition: EndCondition
  /** A sentence for people. */
  readonly text: string
  /** Who ended it. */
  readonly side: EndSide
  /** The SIP status behind it, if there is one. */
  declare readonly sip?: SipStatus
  /** The Q.850 cause of a `Reason` header (RFC 3326), if there is one. */
  declare readonly q850?: number
  /** Where the call was sent instead, best first, by a 3xx that was not followed; to call there is the application's decision. */
  declare readonly targets?: readonly RedirectTarget[]
  /** How the call was, of a session that had media; measured once a second, so that its last second may be missing. */
  declare readonly summary?: CallSummary

  /** @internal */
  static of(init: EndReasonInit): EndReason {
    return new EndReason(init)
  }

  private constructor({ condition, text, side, sip, q850, targets, summary }: EndReasonInit) {
    this.condition = condition
    this.text = text ?? condition
    this.side = side
    if (sip) this.sip = sip
    if (typeof q850 === 'number') this.q850 = q850
    if (targets?.length) this.targets = targets
    if (summary) this.summary = summary
  }

  /** The condition. */
  toString(): string {
    return this.condition
  }
}
