import type { EndReason, PendingSession, Session, Softphone } from '../../index'
import { Wanted } from '../wanted'

/** Where a call is. */
export type CallState = 'incoming' | 'connected' | 'callEnded' | 'terminated'

/** Milliseconds that a digit lasts, as the original has it. */
const DIGIT_MS = 240

/** A call as callbacks get it; times are ISO 8601, and empty until they are known. */
export interface CallObject {
  /** The Call-ID. */
  callId: string
  /** The other party's address. */
  remoteId: string
  /** The other party's name, or its address. */
  remoteDisplayName: string
  /** Who called. */
  callDirection: 'incoming' | 'outgoing'
  /** `callEnded` here, `terminated` by the other side. */
  callState: CallState
  /** Seconds since the call was answered, up to its end. */
  callDuration: number
  /** When it came. */
  callStartedTime: string
  /** When its media connection stood. */
  callEstablishedTime: string
  /** When it ended. */
  callEndedTime: string
  /** When it was answered. */
  callAnswerTime: string
  /** Why it ended. */
  callEndReason: string
  /** The session's id. */
  sessionId: string
  /** Exotel's id of the call: `X-Exotel-Callsid`. */
  callSid: string
  /** Exotel's id of this leg: `LegSid`. */
  legSid: string
  /** The INVITE's headers by lower-case name. */
  sipHeaders: Record<string, string[]>
}

/** What a mistake is told to. */
export type Complain = (message: string, details?: unknown) => void

/** One call of a phone. */
export class Call {
  readonly #phone: Softphone
  readonly #complain: Complain
  readonly #remote: PendingSession | Session
  readonly #started = new Date().toISOString()
  readonly #muted = new Wanted()
  readonly #held = new Wanted()
  #session: Session | undefined
  #hangingUp = false
  #state: CallState = 'incoming'
  #established = ''
  #ended = ''
  #endReason = ''

  /** @internal */
  constructor(phone: Softphone, remote: PendingSession | Session, complain: Complain) {
    this.#phone = phone
    this.#remote = remote
    this.#complain = complain
  }

  /** Answers an incoming call; false, and a line in the log, if it does not ring. */
  Answer(): boolean {
    if (this.#session || this.#hangingUp || this.#ended) return this.#no('Answer: the call does not ring')
    this.#phone.acceptPendingSession(this.#remote.id)
    return true
  }

  /** Ends the call, or refuses it with 486 while it rings; doing it again does nothing. */
  Hangup(): boolean {
    if (this.#ended) return this.#no('Hangup: the call has ended')
    if (this.#hangingUp) return true
    this.#hangingUp = true
    const done = this.#session ? this.#session.end() : this.#phone.rejectPendingSession(this.#remote.id, { code: 486 })
    done.catch((error: Error) => {
      this.#hangingUp = false
      // The phone tells its `error` what fails in a rejection.
      if (this.#session) this.#complain(`Hangup: ${error.message}`, error)
    })
    return true
  }

  /** Sends silence; muting what is muted changes nothing. */
  Mute(): boolean {
    return this.#talking('Mute', (session) => this.#mute(session, true))
  }

  /** Sends the microphone again. */
  UnMute(): boolean {
    return this.#talking('UnMute', (session) => this.#mute(session, false))
  }

  /** Mutes or unmutes, whichever it is not. */
  MuteToggle(): boolean {
    return this.#talking('MuteToggle', (session) => this.#mute(session, !this.#muted.or(session.muted)))
  }

  /** Puts the other party on hold; holding what is on hold changes nothing. */
  Hold(): boolean {
    return this.#talking('Hold', (session) => this.#hold(session, true))
  }

  /** Takes it off hold. */
  UnHold(): boolean {
    return this.#talking('UnHold', (session) => this.#hold(session, false))
  }

  /** Holds or takes off hold, whichever it is not. */
  HoldToggle(): boolean {
    return this.#talking('HoldToggle', (session) => this.#hold(session, !this.#held.or(session.held)))
  }

  /** Sends one digit by INFO, as the original does: `0`–`9`, `*`, `#`, `A`–`D`. */
  sendDTMF(digit: string): boolean {
    if (!/^[0-9A-D#*,]$/.test(digit)) return this.#no('sendDTMF: one of 0-9, A-D, #, * is expected')
    return this.#talking('sendDTMF', (session) => session.sendDtmf(digit, { via: 'info', duration: DIGIT_MS }))
  }

  /** What is known of the call now. */
  callDetails(): CallObject {
    const { address, displayName, callId, headers } = this.#session ?? this.#remote
    return {
      callId,
      remoteId: address,
      remoteDisplayName: displayName ?? address,
      callDirection: this.#session?.direction ?? 'incoming',
      callState: this.#state,
      callDuration: Math.round((this.#session?.duration ?? 0) / 1000),
      callStartedTime: this.#started,
      callEstablishedTime: this.#established,
      callEndedTime: this.#ended,
      callAnswerTime: iso(this.#session?.startTime),
      callEndReason: this.#endReason,
      sessionId: this.#remote.id,
      callSid: headers['x-exotel-callsid']?.[0] ?? '',
      legSid: headers['legsid']?.[0] ?? '',
      sipHeaders: headers,
    }
  }

  /** @internal */
  get id(): string {
    return this.#remote.id
  }

  /** @internal Whether it was answered and is not over. */
  get connected(): boolean {
    return this.#state === 'connected'
  }

  /** @internal */
  follow(session: Session): void {
    this.#session = session
    session.on('change:connected', (_session, connected) => {
      if (connected) this.#established ||= new Date().toISOString()
    })
  }

  /** @internal */
  connect(): void {
    this.#state = 'connected'
  }

  /** @internal */
  end(reason: EndReason): CallState {
    this.#state = reason.side === 'local' ? 'callEnded' : 'terminated'
    this.#ended = new Date().toISOString()
    this.#endReason = reason.text
    return this.#state
  }

  #mute(session: Session, muted: boolean): Promise<void> {
    return this.#muted.ask(muted, () => (muted ? session.mute() : session.unmute()))
  }

  #hold(session: Session, held: boolean): Promise<void> {
    return this.#held.ask(held, () => (held ? session.hold() : session.resume()))
  }

  #talking(method: string, act: (session: Session) => Promise<void>): boolean {
    if (!this.#session || this.#ended) return this.#no(`${method}: the call is not connected`)
    return this.#doing(method, act(this.#session))
  }

  #doing(method: string, done: Promise<void>): boolean {
    done.catch((error: Error) => this.#complain(`${method}: ${error.message}`, error))
    return true
  }

  #no(message: string): false {
    this.#complain(message)
    return false
  }
}

function iso(time: number | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString()
}
