import { SoftphoneError, type AudioOutput, type IceServer, type Logger, type LogLevel, type Softphone, type SoftphoneOptions } from '../../index'
import { iceServers } from '../ice-servers'
import { tell } from '../tell'
import { Calls } from './calls'
import { Cti, type CtiApi } from './cti'
import { CtiQuestions } from './cti-questions'
import { checkConnection, iceUrls, lineOptions, phoneOfLine, type Connection, type IceConfig, type IceUrl, type LineConfig } from './line'
import { General, Incoming, MessageType, Outgoing, Registration, type EventGroup, type Handler, type XcEvent } from './messages'
import { Topics } from './topics'

/** How far the stack is. */
export type SipStackStatus = 'NotInitialized' | 'Initializing' | 'WaitingForIce' | 'Starting' | 'Started' | 'Stopped' | 'Failed'

/** What the CTI server has the phone do (`WebRTCCmd`). */
interface CtiCommand {
  command?: string
  sipCallId?: string
  key?: string
}

/** Seconds to wait longer after each registration that fails, and the most. */
const RETRY_STEP = 20
const RETRY_MOST = 60
/** The longest that a timer of Node waits, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1

const severities = { info: 0, warn: 1, error: 2, fatal: 3 } as const

/** XiVO's `xc_webrtc` on a native phone. */
export class XcWebrtc {
  /** The groups of events. */
  readonly MessageType = MessageType
  /** Events of the stack. */
  readonly General = General
  /** Events of the registration. */
  readonly Registration = Registration
  /** Events of calls that come in. */
  readonly Incoming = Incoming
  /** Events of calls that go out. */
  readonly Outgoing = Outgoing

  #cti: CtiApi = Cti
  #options: Partial<SoftphoneOptions> = {}
  #logger: Required<Pick<Logger, 'log' | 'info' | 'warn' | 'error'>> = console
  readonly #topics = new Topics<XcEvent>()
  readonly #command = (message: CtiCommand | undefined) => this.#obey(message)
  readonly #questions = new CtiQuestions(() => this.#cti)
  #debug = { severity: severities.error as number, event: false, handler: false }
  #connection: Connection | undefined
  #ice: { urls: IceUrl[]; chosen: boolean } = { urls: [], chosen: false }
  #renewal: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #retryAfter = 0
  #status: SipStackStatus = 'NotInitialized'
  #phone: Softphone | undefined
  #calls: Calls | undefined

  /** The phone behind it once it starts, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#phone
  }

  /** Uses another CTI client: the platform's own, or one of the application. */
  setCti(cti: CtiApi): void {
    this.#cti = cti
  }

  /** Options of the phone that the document does not have: `audio`, `tls`, … Holds from the next `init` on. */
  setPhoneOptions(options: Partial<SoftphoneOptions>): void {
    this.#options = options
  }

  /** Uses another logger than the console. */
  setCustomLogger(logger: Required<Pick<Logger, 'log' | 'info' | 'warn' | 'error'>>): void {
    this.#logger = logger
  }

  /**
   * Asks the CTI server for the line and the ICE servers, and starts; resolves when it has started or failed, which
   * `General` tells.
   *
   * `remoteAudio` is an output; the id of an HTML element means the system's speaker.
   */
  async init(name: string, ssl: boolean, websocketPort: number | string, token?: string, remoteAudio?: AudioOutput, ip?: string): Promise<void> {
    const connection = { name, ssl, port: websocketPort, token, remoteAudio: output(remoteAudio), ip }
    await this.#begin('init', connection, () => this.#questions.ask<LineConfig>('LineConfig', (cti) => cti.getConfig('line')))
  }

  /** The same for a line that is known already. */
  async initByLineConfig(
    lineCfg: LineConfig,
    name: string,
    ssl: boolean,
    websocketPort: number | string,
    token?: string,
    remoteAudio?: AudioOutput,
    ip?: string,
  ): Promise<void> {
    const connection = { name, ssl, port: websocketPort, token, remoteAudio: output(remoteAudio), ip }
    await this.#begin('initByLineConfig', connection, async () => lineCfg)
  }

  /** How far the stack is. */
  getSipStackStatus(): SipStackStatus {
    return this.#status
  }

  /** Ends the calls, unregisters and stops; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#status = 'Stopped'
    this.#connection = undefined
    this.#questions.abandon('the stack was stopped')
    clearInterval(this.#renewal)
    clearTimeout(this.#retry)
    this.#cti.unsetHandler('WebRTCCmd', this.#command)
    const phone = this.#phone
    this.#phone = undefined
    await phone?.destroy()
  }

  /** Calls a number; other calls are put on hold. */
  dial(destination: string): void {
    if (this.#calls && this.#phone) return void this.#calls.dial(destination)
    this.#warn('dial: the stack is not started')
    this.#publish(MessageType.OUTGOING, { type: Outgoing.FAILED, data: { reason: 'The stack is not started' } })
  }

  /** Answers this call, or the one that rings; other calls are put on hold. False, and a warning, if none rings. */
  answer(sipCallId?: string): boolean {
    return this.#started('answer')?.answer(sipCallId) ?? false
  }

  /** The same as {@link answer}. */
  answerBySipCallId(sipCallId?: string): boolean {
    return this.answer(sipCallId)
  }

  /**
   * Joins a call on hold and one that is not in a conference of three, mixed here, or takes their conference off hold. False, and a
   * warning, if there is nothing to join.
   */
  conference(): boolean {
    return this.#started('conference')?.conference() ?? false
  }

  /**
   * Puts this call on hold, or takes it up again. One of two calls is always going on: to take one up puts the other on hold, and to
   * put the ongoing one on hold takes the other up. Without a `sipCallId` it is the conference, the one call there is, or the held one
   * of two. False, and a warning, if that is not clear.
   */
  hold(sipCallId?: string): boolean {
    return this.#started('hold')?.hold(sipCallId) ?? false
  }

  /** The same as {@link hold}. */
  holdBySipCallId(sipCallId?: string): boolean {
    return this.hold(sipCallId)
  }

  /** Sends one digit to the connected call. */
  dtmf(key: string): boolean {
    return this.#started('dtmf')?.dtmf(key) ?? false
  }

  /** Mutes or unmutes this call; without a `sipCallId` the conference, or the first call. */
  toggleMicrophone(sipCallId?: string): boolean {
    return this.#started('toggleMicrophone')?.toggleMicrophone(sipCallId) ?? false
  }

  /** Puts the call on hold and has the CTI server call the target, whose call is answered by itself. */
  attendedTransfer(destination: string): void {
    const calls = this.#started('attendedTransfer')
    if (!calls) return
    if (calls.count >= 2) return this.#warn('attendedTransfer: there are two calls already')
    calls
      .holdOthers()
      .then(() => this.#cti.attendedTransfer(destination))
      .catch((error: Error) => this.#warn(`attendedTransfer: ${error.message}`))
  }

  /** Has the CTI server connect the two parties. */
  completeTransfer(): void {
    try {
      this.#cti.completeTransfer()
    } catch (error) {
      this.#warn(`completeTransfer: ${(error as Error).message}`)
    }
  }

  /** The document's spelling of {@link completeTransfer}. */
  compeleteTransfer(): void {
    this.completeTransfer()
  }

  /** Whether there is a call with this `sipCallId`. */
  doesSessionExists(sipCallId: string): boolean {
    return this.#calls?.has(sipCallId) ?? false
  }

  /** Calls back for the events of a group; gives a function that ends it. */
  setHandler(eventName: EventGroup, handler: Handler): () => void {
    const groups: readonly string[] = Object.values(MessageType)
    if (!groups.includes(eventName)) this.#warn(`setHandler: '${eventName}' is none of ${groups.join(', ')}`)
    if (typeof handler !== 'function') this.#warn(`setHandler: the handler is no function`)
    this.#topics.add(eventName, handler)
    if (this.#debug.handler) this.#logger.log(`subscribing : [${eventName}] to ${handler}`)
    return () => {
      this.#topics.remove(eventName, handler)
      if (this.#debug.handler) this.#logger.log(`unsubscribing : [${eventName}] to ${handler}`)
    }
  }

  /** Removes all handlers. */
  clearHandlers(): void {
    this.#topics.clear()
  }

  /** Uses these STUN and TURN servers, and the CTI server's no more. */
  setIceUrls(urls: readonly IceUrl[]): void {
    this.#applyIce(urls, true)
  }

  /** The STUN and TURN servers that are used now. */
  getIceUrls(): IceUrl[] {
    return structuredClone(this.#ice.urls)
  }

  /** Uses no STUN or TURN server: only addresses of the local network. */
  disableICE(): void {
    this.#applyIce([], true)
  }

  /** Logs the phone's lines from this level on (`info`, `warn`, `error`, `fatal`), events as `RE<<<`, and handlers. */
  setDebug(sipml5level: string, event: boolean, handler: boolean): void {
    const severity = (severities as Record<string, number>)[sipml5level]
    if (severity === undefined) this.#warn(`setDebug: the level '${sipml5level}' is none of ${Object.keys(severities).join(', ')}`)
    this.#debug = { severity: severity ?? this.#debug.severity, event, handler }
  }

  async #begin(method: string, connection: Connection, line: () => Promise<LineConfig>): Promise<void> {
    if (this.#phone || this.#status === 'Initializing' || this.#status === 'WaitingForIce') {
      return this.#warn(`${method}: the stack is ${this.#status} already`)
    }
    this.#connection = connection
    this.#retryAfter = 0
    this.#status = 'Initializing'
    try {
      checkConnection(connection)
      await this.#start(connection, await line())
    } catch (error) {
      // Whoever has stopped meanwhile, and perhaps started anew, is told nothing.
      if (connection === this.#connection) this.#failed(error as Error)
    }
  }

  async #start(connection: Connection, line: LineConfig): Promise<void> {
    if (connection !== this.#connection) return
    const options = lineOptions(line, connection)
    this.#status = 'WaitingForIce'
    if (!this.#ice.chosen) await this.#askIce()
    if (connection !== this.#connection) return
    this.#status = 'Starting'
    const phone = phoneOfLine({ ...options, ...this.#callOptions(), ...this.#options, register: false, iceServers: servers(this.#ice.urls) })
    this.#phone = phone
    this.#calls = new Calls({ phone, publish: (group, event) => this.#publish(group, event), warn: (text) => this.#warn(text) })
    this.#follow(phone)
    this.#cti.setHandler('WebRTCCmd', this.#command)
    await this.#register(phone)
  }

  #callOptions(): Partial<SoftphoneOptions> {
    const write = (level: LogLevel, severity: number) => (message: string) => {
      if (severity >= this.#debug.severity) this.#logger[level === 'debug' ? 'log' : (level as 'log')](message)
    }
    return {
      autoAnswer: { policy: async (invite) => (await this.#calls?.isAutoAnswered(invite)) ?? false, whenBusy: 'answer' },
      logger: { debug: write('debug', 0), info: write('info', 0), warn: write('warn', 1), error: write('error', 2) },
      logLevel: 'debug',
    }
  }

  #follow(phone: Softphone): void {
    let registered = false
    const unregistered = (reason: string) => {
      registered = false
      this.#publish(MessageType.REGISTRATION, { type: Registration.UNREGISTERED, data: { reason } })
    }
    phone.on('connected', () => {
      if (phone !== this.#phone) return
      this.#status = 'Started'
      this.#publish(MessageType.GENERAL, { type: General.STARTED })
    })
    phone.on('registered', () => {
      registered = true
      this.#retryAfter = 0
      clearTimeout(this.#retry)
      this.#publish(MessageType.REGISTRATION, { type: Registration.REGISTERED })
    })
    phone.on('unregistered', () => unregistered('The registration was removed'))
    phone.on('registrationFailed', ({ reason }) => unregistered(reason))
    phone.on('disconnected', ({ reason }) => registered && unregistered(reason))
    phone.on('error', (error) => this.#warn(error.message))
  }

  // The phone registers only when it is told to: so a registration that fails leaves the connection as it is, and is tried alone again.
  async #register(phone: Softphone): Promise<void> {
    try {
      if (!phone.connected) await phone.initialize()
      if (this.#options.register !== false) await phone.register()
    } catch (error) {
      if (phone !== this.#phone) return
      // A wrong password does not become right: the server would lock the account.
      if (error instanceof SoftphoneError && error.code === 'ERR_AUTHENTICATION_FAILED') return this.#giveUp(phone, error)
      if (!phone.connected) this.#failed(error as Error)
      this.#warn(`The registration failed, the next try is in ${this.#retryAfter} s`)
      this.#retry = setTimeout(() => void this.#register(phone), this.#retryAfter * 1000)
      this.#retryAfter = Math.min(this.#retryAfter + RETRY_STEP, RETRY_MOST)
    }
  }

  /** Lets go of a phone whose credentials were refused, so that `init` may come again with others. */
  async #giveUp(phone: Softphone, error: Error): Promise<void> {
    this.#phone = undefined
    this.#calls = undefined
    this.#connection = undefined
    clearInterval(this.#renewal)
    this.#cti.unsetHandler('WebRTCCmd', this.#command)
    this.#failed(error)
    await phone.destroy()
  }

  async #askIce(): Promise<void> {
    try {
      this.#takeIce(await this.#questions.ask<IceConfig>('IceConfig', (cti) => cti.getIceConfig()))
    } catch (error) {
      this.#warn(`There are no ICE servers: ${(error as Error).message}`)
    }
  }

  #takeIce(config: IceConfig): void {
    if (this.#ice.chosen) return
    this.#applyIce(iceUrls(config), false)
    const ttl = config.turnConfig?.ttl
    clearInterval(this.#renewal)
    if (typeof ttl !== 'number' || !Number.isFinite(ttl)) return
    const half = Math.max(1, Math.trunc(ttl / 2)) * 1000
    this.#renewal = setInterval(() => void this.#askIce(), Math.min(half, LONGEST_TIMER))
    this.#renewal.unref()
  }

  #applyIce(urls: readonly IceUrl[], chosen: boolean): void {
    const given = servers(urls)
    this.#ice = { urls: given, chosen: chosen || this.#ice.chosen }
    this.#phone?.setIceServers(given).catch((error: Error) => this.#warn(`setIceUrls: ${error.message}`))
  }

  #obey(asked: CtiCommand | undefined): void {
    const { command, sipCallId, key } = asked ?? {}
    if (command === 'Answer') this.answer(sipCallId)
    else if (command === 'Hold') this.hold(sipCallId)
    else if (command === 'SendDtmf') this.dtmf(key ?? '')
    else if (command === 'ToggleMicrophone') this.toggleMicrophone(sipCallId)
    else this.#warn(`The CTI server asks for '${command}', which is unknown`)
  }

  #started(method: string): Calls | undefined {
    if (this.#phone && this.#calls) return this.#calls
    this.#warn(`${method}: the stack is not started`)
    return undefined
  }

  #failed(error: Error): void {
    this.#status = 'Failed'
    const reason = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
    this.#warn(reason)
    this.#publish(MessageType.GENERAL, { type: General.FAILED, data: { reason } })
  }

  #publish(group: EventGroup, event: XcEvent): void {
    if (this.#debug.event) this.#logger.log(`RE<<< ${JSON.stringify(event)}`)
    this.#topics.publish(group, event)
  }

  #warn(message: string): void {
    tell(() => this.#logger.warn(`[offhook] ${message}`))
  }
}

/** The one that applications use. */
export const xc_webrtc = new XcWebrtc()

// `setIceUrls` has always thrown a TypeError.
function servers(urls: readonly IceUrl[]): IceServer[] {
  try {
    return iceServers('urls', urls)
  } catch (error) {
    throw new TypeError((error as Error).message, { cause: error })
  }
}

// The original takes the id of an HTML element.
function output(remoteAudio: AudioOutput | undefined): AudioOutput | undefined {
  return typeof remoteAudio === 'string' ? undefined : remoteAudio
}
