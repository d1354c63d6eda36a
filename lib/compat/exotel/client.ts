import { SoftphoneError, type Logger, type Softphone } from '../../index'
import { tell } from '../tell'
import { missing, type SipAccountInfo } from './account'
import type { Call, CallObject, CallState } from './call'
import { Channel } from './channel'
import { connectCall, type ExotelApi, type MakeCallParameters } from './click-to-call'
import { Line, type RegisterState } from './line'

/** Told how a registration goes; `phone` is the account's `userName`. */
export type RegisterEventCallBack = (state: RegisterState, phone: string) => void

/** Told about calls; `activeSession` is a call that was there before the client was made anew. */
export type CallListenerCallback = (callObj: CallObject, eventType: CallState | 'activeSession', phone: string) => void

/** What a session of another window or process does; on `re-register` this one may take over. */
export type SessionState = 'incoming' | 'connected' | 'callEnded' | 're-register'

/** Told about calls that another window or process of this user has; `call` is left out on `re-register`. */
export type SessionCallback = (callState: SessionState, phone: string, call?: CallObject) => void

const clients = new Set<ExotelWebClient>()
let everybodyListens = false

/**
 * Has every client of this process, those to come included, share its calls with the user's other processes; resolves
 * once it does.
 */
export async function SessionListener(): Promise<void> {
  everybodyListens = true
  await Promise.all([...clients].map((client) => client.SessionListener()))
}

/**
 * Exotel's web client on a native phone.
 *
 * ```ts
 * const exWebClient = new ExotelWebClient()
 * exWebClient.initWebrtc(sipAccountInfo, RegisterEventCallBack, CallListenerCallback, SessionCallback)
 * exWebClient.DoRegister()
 * ```
 */
export class ExotelWebClient {
  #line: Line | undefined
  #account: SipAccountInfo | undefined
  #logger: Logger = console
  #callbacks: { register: RegisterEventCallBack; call: CallListenerCallback; session: SessionCallback | undefined } | undefined
  #channel: Channel | undefined
  #listens = false
  #destroyed = new AbortController()
  readonly #listener = {
    onRegister: (state: RegisterState, userName: string) => this.#registered(state, userName),
    onCall: (call: Call, state: CallState, userName: string) => this.#called(call, state, userName),
    complain: (message: string, details?: unknown) => this.#complain(message, details),
  }

  /** The phone behind it once `initWebrtc` has made it, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#line?.phone
  }

  /**
   * Takes the account and the callbacks; false, and a line in the log, if `userName`, `sipdomain` or `port` is missing
   * or something in it makes no sense.
   *
   * For an account that this process has a phone of already, that phone and its calls are taken over:
   * `CallListenerCallback` gets them as `activeSession`, or `incoming` if they still ring.
   */
  initWebrtc(
    sipAccountInfo: SipAccountInfo,
    RegisterEventCallBack: RegisterEventCallBack,
    CallListenerCallback: CallListenerCallback,
    SessionCallback?: SessionCallback,
  ): boolean {
    this.#logger = sipAccountInfo?.phone?.logger ?? console
    const absent = missing(sipAccountInfo)
    if (absent) return this.#no(`initWebrtc: ${absent} is missing`)
    const line = this.#lineOf(sipAccountInfo)
    if (!line) return false
    // A client has one phone: what it had before ends, unless another client has taken it over.
    if (this.#line !== line && this.#line?.belongsTo(this.#listener)) void this.#line.destroy()
    this.#line = line
    this.#account = sipAccountInfo
    this.#callbacks = { register: RegisterEventCallBack, call: CallListenerCallback, session: SessionCallback }
    clients.add(this)
    if (this.#listens || everybodyListens) void this.SessionListener()
    const { call } = line
    if (call) queueMicrotask(() => this.#tellCall(call, call.connected ? 'activeSession' : 'incoming', sipAccountInfo.userName))
    return true
  }

  /** Registers, and tries again every 5 s if that fails; false, and a line in the log, before `initWebrtc`. */
  DoRegister(): boolean {
    const line = this.#mine('DoRegister')
    line?.register()
    return line !== undefined
  }

  /** Removes the registration; calls live on. */
  UnRegister(): boolean {
    const line = this.#mine('UnRegister')
    void line?.unregister()
    return line !== undefined
  }

  /** The current call; null, and a line in the log, if there is none. */
  getCall(): Call | null {
    const line = this.#mine('getCall')
    if (!line) return null
    if (!line.call) this.#complain('getCall: there is no call')
    return line.call ?? null
  }

  /**
   * Shares this phone's calls with the user's other processes and windows on this machine, and their calls with this
   * client's `SessionCallback`. Resolves once it does; before `initWebrtc` it only remembers to.
   */
  async SessionListener(): Promise<void> {
    this.#listens = true
    if (!this.#account) return
    const { userName, sipdomain } = this.#account
    const name = `exotel ${userName}@${sipdomain}`
    if (this.#channel?.name !== name) {
      this.#channel?.close()
      this.#channel = this.#join(userName, name)
    }
    await this.#channel.joined
  }

  /**
   * Calls a number by the platform's API (`POST …/Calls/connect`), which then calls this phone: that call is answered
   * by itself. Resolves with the call's SID.
   *
   * @throws `SoftphoneError` `ERR_HTTP` if the API refuses, `ERR_NOT_INITIALIZED` before `initWebrtc`.
   */
  async MakeCall(api: ExotelApi, parameters: MakeCallParameters): Promise<string> {
    const { phone } = this
    if (!phone || !this.#account) throw notInitialized()
    const { userName, authUser = userName } = this.#account
    const sid = await connectCall(api, { ...parameters, From: parameters.From ?? authUser }, this.#destroyed.signal)
    await phone.expectCall({ conversationId: sid })
    // The call may have come before the answer to the request that asked for it.
    const rings = phone.pendingSessions.find(({ conversationId }) => conversationId === sid)
    if (rings) phone.acceptPendingSession(rings.id)
    return sid
  }

  /** Ends the calls, unregisters and leaves; afterwards nothing of it keeps the process alive. */
  async destroy(): Promise<void> {
    clients.delete(this)
    this.#destroyed.abort(new Error('the client was destroyed'))
    this.#destroyed = new AbortController()
    this.#channel?.close()
    this.#channel = undefined
    const line = this.#line
    this.#line = undefined
    if (line?.belongsTo(this.#listener)) await line.destroy()
  }

  /** Destroys the client at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }

  #mine(method: string): Line | undefined {
    if (this.#line?.belongsTo(this.#listener)) return this.#line
    this.#complain(`${method}: ${this.#line ? 'another client has this phone now' : 'call initWebrtc first'}`)
    return undefined
  }

  #lineOf(account: SipAccountInfo): Line | undefined {
    try {
      return Line.of(account, this.#listener)
    } catch (error) {
      this.#complain(`initWebrtc: ${(error as Error).message}`, error)
      return undefined
    }
  }

  #join(userName: string, name: string): Channel {
    const channel = new Channel(name)
    channel.on('event', (event) => this.#heard(event, userName))
    channel.on('takeOver', () => tell(this.#callbacks?.session, 're-register', userName))
    channel.on('failed', (error) => this.#complain(`SessionListener: ${error.message}`, error))
    if (this.#line?.phone.registered) channel.setParent(true)
    return channel
  }

  #registered(state: RegisterState, userName: string): void {
    if (state === 'registered') this.#channel?.setParent(true)
    // A parent stays one while its connection is lost.
    if (state === 'unregistered' && !this.#line?.wanted) this.#channel?.setParent(false)
    tell(this.#callbacks?.register, state, userName)
  }

  #called(call: Call, state: CallState, userName: string): void {
    const shared: SessionState = state === 'terminated' ? 'callEnded' : state
    this.#channel?.send({ state: shared, call: call.callDetails() })
    this.#tellCall(call, state, userName)
  }

  #tellCall(call: Call, event: CallState | 'activeSession', userName: string): void {
    tell(this.#callbacks?.call, call.callDetails(), event, userName)
  }

  #heard(event: unknown, userName: string): void {
    const { state, call } = (event ?? {}) as { state?: SessionState; call?: CallObject }
    if (state === 'incoming' || state === 'connected' || state === 'callEnded') tell(this.#callbacks?.session, state, userName, call)
  }

  #no(message: string): false {
    this.#complain(message)
    return false
  }

  #complain(message: string, details?: unknown): void {
    tell(() => this.#logger.warn(`[offhook] ${message}`, details))
  }
}

function notInitialized(): SoftphoneError {
  return new SoftphoneError('MakeCall: call initWebrtc first', { code: 'ERR_NOT_INITIALIZED', type: 'initialization' })
}
