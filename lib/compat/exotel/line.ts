import { isDeepStrictEqual } from 'node:util'
import type { EndReason, PendingSession, Session, Softphone, SoftphoneError } from '../../index'
import { shownName } from '../../schema'
import { phoneOfAccount, type SipAccountInfo } from './account'
import { Call, type CallState, type Complain } from './call'

/** Milliseconds until a registration that failed is tried again, as the original does. */
const RETRY_MS = 5000

/** How far a registration is. */
export type RegisterState = 'registered' | 'unregistered' | 'terminated' | 'sent_request'

/** Who is told what happens on a line. */
export interface LineListener {
  onRegister(state: RegisterState, userName: string): void
  onCall(call: Call, state: CallState, userName: string): void
  complain: Complain
}

const lines = new Map<string, Line>()

/** The phone of one account: it outlives the client that made it, so that a call outlives a reload. */
export class Line {
  readonly phone: Softphone
  readonly #account: SipAccountInfo
  // The listener may change while a call lasts.
  readonly #complain: Complain = (message, details) => this.#listener.complain(message, details)
  #listener: LineListener
  #call: Call | undefined
  #wanted = false
  #initialized: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #told: RegisterState | undefined
  #destroyed = false

  /**
   * The line of this account if there is one already, else a new one; the listener is told from now on.
   *
   * @throws `SoftphoneError` if the account makes no phone; the line of before stays.
   */
  static of(account: SipAccountInfo, listener: LineListener): Line {
    const known = lines.get(account.userName)
    if (known !== undefined && known.#is(account)) {
      known.#listener = listener
      known.#tellWhatStays(account)
      return known
    }
    const line = new Line(account, listener)
    void known?.destroy()
    lines.set(account.userName, line)
    return line
  }

  private constructor(account: SipAccountInfo, listener: LineListener) {
    this.#account = copied(account)
    this.#listener = listener
    const { phone, unknown } = phoneOfAccount(account)
    this.phone = phone
    for (const name of unknown) this.#complain(`initWebrtc: '${shownName(name)}' is unknown and has no effect`)
    this.#followRegistration()
    this.#followCalls()
  }

  /** The current call. */
  get call(): Call | undefined {
    return this.#call
  }

  /** Whether it was asked to register, and not to unregister since. */
  get wanted(): boolean {
    return this.#wanted
  }

  /** Whether this listener is told, and not one that came after it. */
  belongsTo(listener: LineListener): boolean {
    return this.#listener === listener
  }

  register(): void {
    this.#wanted = true
    clearTimeout(this.#retry)
    if (this.phone.connected) {
      this.#tell('sent_request')
      this.phone.register().then(
        () => this.#tellOnce('registered'),
        (error: SoftphoneError) => this.#failed(error),
      )
      return
    }
    this.#initialized ??= this.#initialize().finally(() => (this.#initialized = undefined))
  }

  async unregister(): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#retry)
    this.#tell('sent_request')
    try {
      // Also while it is not registered: it might be about to, or come back from a lost connection.
      await this.phone.unregister()
      this.#tellOnce('unregistered')
    } catch (error) {
      this.#failed(error as SoftphoneError)
    }
  }

  async destroy(): Promise<void> {
    clearTimeout(this.#retry)
    this.#wanted = false
    this.#destroyed = true
    if (lines.get(this.#account.userName) === this) lines.delete(this.#account.userName)
    await this.phone.destroy()
  }

  async #initialize(): Promise<void> {
    try {
      await this.phone.initialize()
      // UnRegister came meanwhile, and DoRegister behind it.
      if (this.#wanted && !this.phone.registered) await this.phone.register()
    } catch (error) {
      this.#failed(error as SoftphoneError)
    }
  }

  // What callbacks and loggers there are differs after a reload.
  #is({ phone: _, ...account }: SipAccountInfo): boolean {
    const { phone: __, ...own } = this.#account
    return isDeepStrictEqual(own, account)
  }

  #tellWhatStays({ phone: given = {} }: SipAccountInfo): void {
    const { logger: _, ...own } = this.#account.phone ?? {}
    const { logger: __, ...wanted } = given
    if (isDeepStrictEqual(own, wanted)) return
    this.#complain(`initWebrtc: ${this.#account.userName} has a phone already, whose options stay as they are`)
  }

  #followRegistration(): void {
    const { phone } = this
    phone.on('connected', () => this.#wanted && this.#tell('sent_request'))
    phone.on('registered', () => this.#tell('registered'))
    phone.on('unregistered', () => this.#tellOnce('unregistered'))
    phone.on('registrationFailed', ({ reason }) => {
      this.#complain(`The registration failed: ${reason}`)
      this.#tellOnce('terminated')
    })
    phone.on('disconnected', ({ reason }) => {
      if (!this.#destroyed) this.#complain(`The connection is lost: ${reason}`)
      if (this.#told === 'registered') this.#tell('unregistered')
    })
    phone.on('error', (error) => this.#complain(error.message, error))
  }

  #followCalls(): void {
    const { phone } = this
    phone.on('pendingSession', (pending) => this.#ring(pending))
    for (const event of ['cancelPendingSession', 'handledPendingSession'] as const) {
      phone.on(event, (id, { reason }) => this.#end(id, reason))
    }
    phone.on('sessionStarted', (session) => this.#start(session))
    phone.on('sessionEnded', (session, reason) => this.#end(session.id, reason))
  }

  #ring(pending: PendingSession): void {
    if (this.#call) {
      this.#complain(`A call of ${pending.address} was refused: there is one already`)
      this.phone.rejectPendingSession(pending.id, { code: 480 }).catch(() => {})
      return
    }
    this.#call = new Call(this.phone, pending, this.#complain)
    this.#tellCall(this.#call, 'incoming')
  }

  #start(session: Session): void {
    const call = (this.#call ??= new Call(this.phone, session, this.#complain))
    if (call.id !== session.id) return
    call.follow(session)
    session.on('change:active', (_session, active) => {
      if (!active) return
      call.connect()
      this.#tellCall(call, 'connected')
    })
  }

  #end(id: string, reason: EndReason): void {
    const call = this.#call
    if (call?.id !== id) return
    const state = call.end(reason)
    this.#call = undefined
    this.#tellCall(call, state)
  }

  #failed(error: SoftphoneError): void {
    const { code, message, cause } = error
    this.#complain(cause instanceof Error ? `${message}: ${cause.message}` : message, error)
    this.#tellOnce('terminated')
    // A wrong password does not become right: the server would lock the account.
    if (!this.#wanted || code === 'ERR_AUTHENTICATION_FAILED' || code === 'ERR_DESTROYED') return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.register(), RETRY_MS)
  }

  #tellOnce(state: RegisterState): void {
    if (this.#told !== state) this.#tell(state)
  }

  #tell(state: RegisterState): void {
    this.#told = state
    this.#listener.onRegister(state, this.#account.userName)
  }

  #tellCall(call: Call, state: CallState): void {
    this.#listener.onCall(call, state, this.#account.userName)
  }
}

// The application may change its dictionary and call again.
function copied(account: SipAccountInfo): SipAccountInfo {
  return { ...account, ...(account.phone && { phone: { ...account.phone } }) }
}
