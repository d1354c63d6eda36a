import {
  AudioSink,
  SoftphoneError,
  type Abortable,
  type EndReason,
  type Logger,
  type LogLevel,
  type PendingSession,
  type RejectOptions,
  type Session,
  type Softphone,
} from '../../index'
import { phoneOf } from '../given'
import { isSegment } from '../rest'
import { tell } from '../tell'
import { writeLine } from '../../log'
import { WildEmitter } from './emitter'
import type { SdkEvents, TraceLevel } from './events'
import type {
  EndSessionOptions,
  PeerStream,
  PendingSessionOptions,
  PureCloudOptions,
  SoftphoneSessionParameters,
  StartedConversation,
} from './options'
import { PublicApi } from './public-api'
import { SoftphoneSession } from './session'
import { knownOf, settingsOf, type Settings } from './settings'

const acceptOptions: Record<keyof PendingSessionOptions, true> = {
  mediaStream: true,
  audioElement: true,
  audio: true,
  autoStartMedia: true,
  autoConnectSession: true,
  headers: true,
  voiceActivity: true,
  video: true,
  screen: true,
}

/** The most outbound conversations that are known as such: a platform has fewer on their way to one user. */
const MOST_EXPECTED = 64

const importance: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']

/**
 * The PureCloud WebRTC SDK on a native phone.
 *
 * ```ts
 * const sdk = new PureCloudWebrtcSdk({ accessToken, environment: 'mypurecloud.com', orgId })
 * sdk.on('pendingSession', ({ id, autoAnswer }) => autoAnswer || sdk.acceptPendingSession(id))
 * await sdk.initialize()
 * ```
 */
export class PureCloudWebrtcSdk extends WildEmitter<SdkEvents> {
  /** The phone behind it, for everything beyond the document. */
  readonly phone: Softphone
  readonly #settings: Settings
  readonly #api: PublicApi | undefined
  readonly #sessions = new Map<Session, SoftphoneSession>()
  /** What was accepted and has not started, with the stream that it is heard by, if any. */
  readonly #accepted = new Map<string, PeerStream | undefined>()
  /** The conversations of the calls that the platform was asked for. */
  readonly #outbound = new Set<string>()
  #token: PureCloudOptions['accessToken']

  /**
   * Reads the options; nothing is connected before `initialize()`. Unknown options are logged.
   *
   * @throws the original's errors for missing options, `ERR_INVALID_OPTION` for wrong ones.
   */
  constructor(options: PureCloudOptions) {
    super()
    this.#settings = settingsOf(options)
    this.#token = options.accessToken
    this.phone = phoneOf({ ...this.#settings.phone, logger: this.#loggerOfPhone() }, this.#settings.names)
    const { baseUrl } = this.#settings
    if (baseUrl !== undefined) this.#api = new PublicApi(baseUrl, () => this.#currentToken())
    this.#forward()
    for (const warning of this.#settings.warnings) this.#log('warn', warning)
  }

  /** The sessions that have started and not ended. */
  get sessions(): SoftphoneSession[] {
    return [...this.#sessions.values()]
  }

  /** The calls that ring. */
  get pendingSessions(): PendingSession[] {
    return this.phone.pendingSessions.map((pending) => this.#shown(pending))
  }

  /** Whether the WebSocket is open. */
  get connected(): boolean {
    return this.phone.connected
  }

  /**
   * Connects and registers; then `ready` is emitted.
   *
   * @throws `Failed to initialize SDK`, whose `cause` says why, as does the original's `details`; the same goes to `error`.
   */
  async initialize(options: Abortable = {}): Promise<void> {
    try {
      await this.phone.initialize(options)
    } catch (error) {
      if (error instanceof Error && error.cause !== undefined) Object.assign(error, { details: error.cause })
      throw error
    }
  }

  /** The document's spelling of {@link initialize}. */
  intialize(options: Abortable = {}): Promise<void> {
    return this.initialize(options)
  }

  /** Closes the WebSocket; calls live on. */
  disconnect(): void {
    this.phone.disconnect()
  }

  /** Closes the WebSocket and opens it again. */
  reconnect(): void {
    this.phone.reconnect()
  }

  /**
   * Accepts a pending session; doing it again does nothing. What fails goes to `error`.
   *
   * With `autoStartMedia: false` no device is opened: `session.addStream()` sends, and `peerStreamAdded` gives what is heard.
   */
  acceptPendingSession(id: string, options?: PendingSessionOptions): void {
    try {
      const given = knownOf(options ?? {}, acceptOptions, (text) => this.#log('warn', text, { id }))
      const silent = given.autoStartMedia === false && given.audioElement === undefined
      const accepted = silent ? { ...given, audioElement: new AudioSink() } : given
      this.phone.acceptPendingSession(id, accepted)
      // Doing it again does nothing: the first stream stays.
      if (this.#accepted.has(id) || !this.pendingSessions.some((pending) => pending.id === id)) return
      this.#accepted.set(id, accepted.audioElement instanceof AudioSink ? accepted.audioElement : undefined)
    } catch (error) {
      // The original declares it void: what is wrong is told like everything else that fails.
      this.#fail(error as Error, { id })
    }
  }

  /** Rejects a pending session, with 486 by default; resolves after its `cancelPendingSession`. */
  rejectPendingSession(id: string, options: RejectOptions = {}): Promise<void> {
    return this.phone.rejectPendingSession(id, options)
  }

  /**
   * Has the platform place a call, whose session then comes and is answered by itself.
   * With `baseUrl: false` the phone calls by SIP.
   *
   * @throws `SoftphoneError` `ERR_HTTP` if the public API refuses.
   */
  async startSoftphoneSession(parameters: SoftphoneSessionParameters = {}): Promise<StartedConversation> {
    if (this.#api) {
      const conversation = await this.#api.startCall(parameters)
      await this.#expect(conversation.id)
      return conversation
    }
    const { phoneNumber } = parameters
    if (!phoneNumber) throw new SoftphoneError("Option 'phoneNumber' is required", invalid)
    const { uuiData } = parameters
    return this.phone.startSoftphoneSession({ phoneNumber, ...(uuiData && { userToUser: uuiData }) })
  }

  /**
   * Ends a session by the public API; resolves once that has accepted.
   * If the API fails, the session is ended by SIP and the error is thrown.
   */
  async endSession(options: EndSessionOptions): Promise<void> {
    const { id, conversationId } = options ?? {}
    if (!id && !conversationId) throw sessionError('Unable to end session: must provide session id or conversationId.')
    const session = this.sessions.find((one) => (id ? one.id === id : one.conversationId === conversationId))
    if (!session) throw sessionError('Unable to end session: session not connected.')
    if (!this.#api) return session.end()
    const { callId, sessionId, identity } = session.session
    // What names the call itself names no conversation of the platform's.
    if ([callId, sessionId?.local, identity.sessionId].includes(session.conversationId) || !isSegment(session.conversationId)) {
      this.#log('warn', 'Session has no conversationId. Terminating session.', { sessionId: session.id })
      return session.end()
    }
    try {
      await this.#api.disconnectSelf(session.conversationId)
    } catch (error) {
      this.#log('error', 'Failed to end the session gracefully; it is ended here', { error: String(error) })
      await session.end()
      throw error
    }
  }

  /** Replaces the access token, now and for everything to come. */
  async setAccessToken(token: string): Promise<void> {
    await this.phone.setAccessToken(token)
    this.#token = token
    this.#api?.forgetUser()
  }

  /** Ends every call and disconnects; afterwards nothing keeps the process alive. */
  destroy(): Promise<void> {
    this.#api?.close()
    return this.phone.destroy()
  }

  /** Destroys the SDK at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }

  // The call may come before the answer to the request that asks for it.
  async #expect(conversationId: string): Promise<void> {
    this.#outbound.add(conversationId)
    const [oldest] = this.#outbound
    if (this.#outbound.size > MOST_EXPECTED && oldest !== undefined) this.#outbound.delete(oldest)
    const { autoAnswer, autoAnswerOutboundCalls } = this.#settings.phone
    if (autoAnswer === 'off' || autoAnswerOutboundCalls === false) return
    await this.phone.expectCall({ conversationId })
    const rings = this.phone.pendingSessions.find((pending) => pending.conversationId === conversationId)
    if (rings) this.acceptPendingSession(rings.id)
  }

  async #currentToken(): Promise<string> {
    const token = this.#token
    return typeof token === 'function' ? token() : (token ?? '')
  }

  #forward(): void {
    const { phone } = this
    phone.on('ready', () => this.emit('ready'))
    phone.on('connected', (event) => this.emit('connected', event))
    phone.on('disconnected', (event) => this.emit('disconnected', 'Streaming API connection disconnected', event))
    phone.on('pendingSession', (pending) => this.emit('pendingSession', this.#shown(pending)))
    for (const event of ['cancelPendingSession', 'handledPendingSession'] as const) {
      phone.on(event, (id, details) => {
        this.#accepted.delete(id)
        this.emit(event, id, details)
      })
    }
    phone.on('sessionStarted', (session) => this.#start(session))
    phone.on('sessionEnded', (session, reason) => this.#end(session, reason))
    phone.on('trace', (level, message, details) => this.emit('trace', traceLevel(level), message, objectOf(details)))
    phone.on('error', (error, details) => this.#fail(error, details))
  }

  // The phone says whether it is about to answer; the document, whether the call is one to be answered by itself.
  #shown(pending: PendingSession): PendingSession {
    const { autoAnswer, autoAnswerSource, conversationId } = pending
    return { ...pending, autoAnswer: autoAnswer || autoAnswerSource !== undefined || this.#outbound.has(conversationId) }
  }

  // What was told of the options when the SDK was made is not logged again when the phone connects.
  #loggerOfPhone(): Logger {
    const { logger, warnings } = this.#settings
    const told = new Set(warnings.map((warning) => `[offhook] ${warning}`))
    const write = (level: LogLevel) => (message: string, details?: unknown) => {
      if (!told.has(message)) writeLine(logger, level, message, details)
    }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  #start(session: Session): void {
    const report = (error: Error) => this.#fail(error, { sessionId: session.id })
    const own = new SoftphoneSession(session, this.#accepted.get(session.id) ?? this.#defaultStream ?? session, report)
    this.#accepted.delete(session.id)
    this.#sessions.set(session, own)
    this.emit('sessionStarted', own)
  }

  #end(session: Session, reason: EndReason): void {
    const own = this.#sessions.get(session)
    this.#sessions.delete(session)
    if (own) this.emit('sessionEnded', own, reason.condition, reason)
  }

  // Where the phone's sound goes without an `audioElement`.
  get #defaultStream(): PeerStream | undefined {
    const { audio } = this.#settings.phone
    return typeof audio === 'object' && audio.output instanceof AudioSink ? audio.output : undefined
  }

  #fail(error: Error, details: unknown): void {
    if (this.hears('error')) tell(() => this.emit('error', error, objectOf(details)))
    else this.#log('error', error.message, details)
  }

  #log(level: TraceLevel, message: string, details?: unknown): void {
    tell(() => this.emit('trace', level, message, objectOf(details)))
    const { logger, logLevel } = this.#settings
    if (importance.indexOf(level) < importance.indexOf(logLevel)) return
    writeLine(logger, level, `[offhook] ${message}`, details)
  }
}

const invalid = { code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options' } as const

function sessionError(message: string): SoftphoneError {
  return new SoftphoneError(message, { code: 'ERR_SESSION_NOT_FOUND', type: 'session' })
}

// The document's listeners get an object in any case.
function objectOf(details: unknown): object {
  if (typeof details === 'object' && details !== null) return details
  return details === undefined || details === null ? {} : { details }
}

// The document has no 'info'.
function traceLevel(level: LogLevel): TraceLevel {
  return level === 'info' ? 'log' : level
}
