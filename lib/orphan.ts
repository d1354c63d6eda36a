import { abortable } from './abortable'
import type { Abortable, CallOptions } from './options'
import type { PhoneLink } from './link'
import type { Session } from './session'
import type { WireOrphan } from './wire'

/** A call that an earlier process of the same instance has left behind: it was killed, or its machine was. */
export class Orphan {
  /** The Call-ID of its dialog. */
  readonly callId: string
  /** The user of the other party's address, or its host if it has none. */
  readonly address: string
  /** The other party's address. */
  readonly uri: string
  /** The other party's name, if it is known. */
  readonly displayName: string | undefined
  /** The conversation that it belonged to. */
  readonly conversationId: string
  /** Who called. */
  readonly direction: 'incoming' | 'outgoing'
  /** `ringing` if nobody had answered our call, else `active`. */
  readonly state: 'ringing' | 'active'
  /** Whether the other party was on hold. */
  readonly held: boolean
  /** When it was answered, if it was. */
  readonly startTime: Date | undefined
  readonly #link: PhoneLink
  readonly #place: PlaceTaker

  /** @internal */
  static found(link: PhoneLink, call: WireOrphan, place: PlaceTaker): Orphan {
    return new Orphan(link, call, place)
  }

  private constructor(link: PhoneLink, call: WireOrphan, place: PlaceTaker) {
    this.callId = call.callId
    this.address = call.address
    this.uri = call.uri
    this.displayName = call.displayName ?? undefined
    this.conversationId = call.conversationId
    this.direction = call.direction
    this.state = call.state
    this.held = call.held
    this.startTime = call.startTime === null ? undefined : new Date(call.startTime)
    this.#link = link
    this.#place = place
  }

  /**
   * Ends it: resolves once the other party has answered the BYE, or is gone. A call that nobody had answered is cancelled, and
   * resolves at once.
   *
   * @throws `ERR_NOT_CONNECTED` before `initialize()` has resolved, or if the connection is lost; `ERR_REQUEST_REFUSED` if the BYE is
   * refused, which leaves the call as it is; `ERR_SESSION_STATE` if it is over.
   */
  async end(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('end', options)
    await this.#link.command({ type: 'endOrphan', callId: this.callId }, signal)
  }

  /**
   * Calls the other party again, in the place of the call that it has (RFC 3891): its phone lets the old call go when it takes this
   * one, without ringing if it knows that it may. Resolves with the session once the INVITE is sent; await `session.answered`, with
   * which the old call is hung up. If it fails, the orphan stays, to be ended.
   *
   * @throws `ERR_SESSION_STATE` if nobody had answered it, if it is over, or being taken over; also if it came in, and neither has the
   * caller's phone a GRUU nor does a server assert who called.
   */
  takeOver(options: CallOptions = {}): Promise<Session> {
    return this.#place(this.callId, options)
  }
}

/**
 * Places the call that takes the place of one.
 *
 * @internal
 */
export type PlaceTaker = (callId: string, options: CallOptions) => Promise<Session>
