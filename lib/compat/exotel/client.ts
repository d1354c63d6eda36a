import { SoftphoneError, type Softphone } from '../../index'
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
  #callbacks: { register: RegisterEventCallBack; call: CallListenerCallback; session: SessionCallback } | undefined
  #channel: Channel | undefined
  #listens = false
  #destroyed = new AbortController()
  readonly #listener = {
    onRegister: (state: RegisterState) => this.#registered(state),
    onCall: (call: Call, state: CallState) => this.#called(call, state),
    complain: (message: string, details?: unknown) => this.#complain(message, details),
  }

  /** The phone behind it once `initWebrtc` has made it, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#line?.phone
  }

  /**
   * Takes the account and the callbacks; false, and a line in the log, where `userName`, `sipdomain` or `port` is missing.
   *
   * For an account that this process has a phone of already, that phone and its calls are taken over:
   * `CallListenerCallback` gets them as `activeSession`, or `incoming` where they still ring.
   */
  initWebrtc(
    sipAccountInfo: SipAccountInfo,
    RegisterEventCallBack: RegisterEventCallBack,
    CallListenerCallback: CallListenerCallback,
    SessionCallback: SessionCallback = () => {},
  ): boolean {
    const absent = missing(sipAccountInfo)
    if (absent) return this.#no(`initWebrtc: ${absent} is missing`)
    this.#account = sipAccountInfo
    this.#callbacks = { register: RegisterEventCallBack, call: CallListenerCallback, session: SessionCallback }
    if (sipAccountInfo.contactHost) this.#complain('initWebrtc: contactHost has no effect')
    this.#line = Line.of(sipAccountInfo, this.#listener)
    clients.add(this)
    if (this.#listens || everybodyListens) void this.SessionListener()
    const { call } = this.#line
    if (call) queueMicrotask(() => this.#tellCall(call, call.connected ? 'activeSession' : 'incoming'))
    return true
  }

  /** Registers, and tries again every 5 s where that fails; false, and a line in the log, before `initWebrtc`. */
  DoRegister(): boolean {
    if (!this.#mine()) return this.#no('DoRegister: call initWebrtc first')
    this.#line?.register()
    return true
  }

  /** Removes the registration; calls live on. */
  UnRegister(): boolean {
    if (!this.#mine()) return this.#no('UnRegister: call initWebrtc first')
    void this.#line?.unregister()
    return true
  }

  /** The current call; null, and a line in the log, where there is none. */
  getCall(): Call | null {
    const call = this.#mine() ? this.#line?.call : undefined
    if (call) return call
    this.#complain('getCall: there is no call')
    return null
  }

  /**
   * Shares this phone's calls with the user's other processes and windows on this machine, and their calls with this
   * client's `SessionCallback`. Resolves once it does; before `initWebrtc` it only remembers to.
   */
  async SessionListener(): Promise<void> {
    this.#listens = true
    const { userName, sipdomain } = this.#account ?? {}
    if (userName === undefined) return
    this.#channel ??= this.#join(userName, `exotel ${userName}@${sipdomain}`)
    await this.#channel.joined
  }

  /**
   * Calls a number by the platform's API (`POST …/Calls/connect`), which then calls this phone: that call is answered
   * by itself. Resolves with the call's SID.
   *
   * @throws `SoftphoneError` `ERR_HTTP` where the API refuses, `ERR_NOT_INITIALIZED` before `initWebrtc`.
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
    if (this.#mine()) await this.#line?.destroy()
    this.#line = undefined
  }

  /** Destroys the client at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }

  #mine(): boolean {
    return this.#line?.belongsTo(this.#listener) ?? false
  }

  #join(userName: string, name: string): Channel {
    const channel = new Channel(name)
    channel.on('event', (event) => this.#heard(event as { state: SessionState; call: CallObject }))
    channel.on('takeOver', () => this.#callbacks?.session('re-register', userName))
    channel.on('failed', (error) => this.#complain(`SessionListener: ${error.message}`, error))
    if (this.#line?.phone.registered) channel.setParent(true)
    return channel
  }

  #registered(state: RegisterState): void {
    if (state === 'registered') this.#channel?.setParent(true)
    if (state === 'unregistered') this.#channel?.setParent(false)
    this.#callbacks?.register(state, this.#account?.userName ?? '')
  }

  #called(call: Call, state: CallState): void {
    const shared: SessionState = state === 'terminated' ? 'callEnded' : state
    this.#channel?.send({ state: shared, call: call.callDetails() })
    this.#tellCall(call, state)
  }

  #tellCall(call: Call, event: CallState | 'activeSession'): void {
    this.#callbacks?.call(call.callDetails(), event, this.#account?.userName ?? '')
  }

  #heard({ state, call }: { state: SessionState; call: CallObject }): void {
    this.#callbacks?.session(state, this.#account?.userName ?? '', call)
  }

  #no(message: string): false {
    this.#complain(message)
    return false
  }

  #complain(message: string, details?: unknown): void {
    const { logger = console } = this.#account?.phone ?? {}
    logger.warn(`[offhook] ${message}`, details)
  }
}

function notInitialized(): SoftphoneError {
  return new SoftphoneError('MakeCall: call initWebrtc first', { code: 'ERR_NOT_INITIALIZED', type: 'initialization' })
}
