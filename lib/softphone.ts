import { abortable, endOnAbort, refuseAborted, unlessAborted } from './abortable'
import { acceptance, Acceptances, accepting, checkId, knownShape } from './acceptance'
import { Captures, checkCapturePath, type Capture } from './capture'
import { wireProcessing } from './audio'
import { callOptions, starting, wireCall } from './call-options'
import { Conference } from './conference'
import { type Fetched, fetchCredential, fetchedOption, SOME_CREDENTIAL } from './credential'
import { audioDevices, checkedRequest, checkTarget, expecting, headers, iceServers as iceServersRule, messaging } from './checked-options'
import { InOrder, listDevices, refuseMissing, unwatchDevices, watchDevices, type AudioDevice } from './devices'
import { CallDiagnostics } from './diagnostics'
import { TypedEmitter } from './emitter'
import { attend, depart } from './exit'
import { checkReference, drainOptions, endOptions, redirectOptions, refusalOptions, rejectOptions } from './end-options'
import { renamed, SoftphoneError } from './errors'
import type { MessageWaitingEvent, PendingSession, SoftphoneEvents } from './events'
import { idle, type Health } from './health'
import { settledLater } from './later'
import { checkMeaning, PhoneLink } from './link'
import { native } from './native'
import { acceptingSubscription, Notifier, type AcceptSubscriptionOptions } from './notifier'
import type {
  Abortable,
  AcceptOptions,
  AnswerOptions,
  AudioDeviceOptions,
  AudioProcessing,
  CallOptions,
  Capabilities,
  ConferenceOptions,
  DrainOptions,
  EndOptions,
  ExpectCallOptions,
  IceServer,
  LogLevel,
  MessageOptions,
  OptionsOptions,
  RedirectOptions,
  RefusalOptions,
  RejectOptions,
  SessionReference,
  SoftphoneOptions,
  StartSoftphoneSessionOptions,
  SubscribeOptions,
} from './options'
import { PhoneLog } from './phone-log'
import { PhoneState } from './phone-state'
import type { Orphan } from './orphan'
import { Questions } from './questions'
import { checkOptions, isText, mismatch } from './schema'
import { checkedVolume, headersByName, invalidArgument, type Session } from './session'
import { Subscription } from './subscription'
import type { WireCapabilities, WireCommand, WireEventOf } from './wire'
import { autoAnswerFunction, checkSoftphoneOptions, wireAudio, wireHeaders, wireIceServers, wireOptions } from './wire-options'


/**
 * A SIP phone: one account, its connection and its calls.
 *
 * ```ts
 * const phone = new Softphone({ uri: 'sip:alice@example.com', password, servers: 'wss://pbx.example.com/ws' })
 * phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
 * await phone.initialize()
 * const session = await phone.call('sip:bob@example.com')
 * await session.answered
 * ```
 */
export class Softphone extends TypedEmitter<SoftphoneEvents> {
  readonly #options: SoftphoneOptions
  readonly #state: PhoneState
  readonly #acceptances: Acceptances
  readonly #diagnostics = new CallDiagnostics(this)
  /** Held here: calls to come use them, and nobody else may hold a sink among them. */
  readonly #devices: AudioDeviceOptions = {}
  readonly #choices = new InOrder()
  readonly #captures = new Captures()
  readonly #questions: Questions
  readonly #log: PhoneLog
  readonly #devicesChanged = () => this.deliver('devicesChanged')
  #link: PhoneLink | undefined
  /** Ends an `initialize()` that waits for the token or password. */
  #abandon: ((error: SoftphoneError) => void) | undefined
  #starting: Promise<void> | undefined
  #destroyed: Promise<void> | undefined
  readonly #over = settledLater()
  #refed = true
  #initialized = false

  /**
   * Checks the options; nothing is connected before `initialize()`.
   *
   * @throws `SoftphoneError` `ERR_INVALID_OPTION` that names the option, its type and what is expected.
   */
  constructor(options: SoftphoneOptions) {
    super()
    checkSoftphoneOptions(options)
    this.#options = { ...options }
    this.#log = new PhoneLog(this.#options)
    this.#questions = new Questions(this.#options, (command) => this.#link?.post(command))
    this.#state = new PhoneState(this.#owner())
    this.#acceptances = new Acceptances((id) => this.#state.pending.get(id), (command) => this.#link?.post(command))
    // Devices are looked for only while somebody listens: asking the system takes some milliseconds each time.
    this.whileHeard(
      'devicesChanged',
      () => this.#destroyed === undefined && watchDevices(this.#devicesChanged),
      () => unwatchDevices(this.#devicesChanged),
    )
    // Lines that nobody reads are not made: every SIP message is one.
    this.whileHeard(
      'trace',
      () => this.#want('trace'),
      () => this.#want(this.#log.least),
    )
    // A token says who the user is: a phone whose token or password is still to be fetched starts in initialize().
    if (fetchedOption(options)) checkMeaning(native(), wireOptions(options, SOME_CREDENTIAL, this.#log.made))
    else this.#start()
  }

  /** The sessions that have started and not ended. */
  get sessions(): Session[] {
    return [...this.#state.sessions.values()]
  }

  /** The conferences that are not over. */
  get conferences(): Conference[] {
    return [...this.#state.conferences.values()]
  }

  /** The calls that ring. */
  get pendingSessions(): PendingSession[] {
    return [...this.#state.pending.values()]
  }

  /**
   * The calls that an earlier process of this `instanceId` has left behind, by the file `journal`, once `initialize()` has resolved; those that
   * were ended or taken over are not among them any more.
   */
  get orphans(): Orphan[] {
    return [...this.#state.orphans]
  }

  /** Whether the WebSocket is open. */
  get connected(): boolean {
    return this.#state.connected
  }

  /** Whether the server holds the registration. */
  get registered(): boolean {
    return this.#state.registered
  }

  /** What waits in the mailbox, as `messageWaiting` told last; undefined until the server has told. */
  get messageWaiting(): MessageWaitingEvent | undefined {
    return this.#state.messageWaiting
  }

  /**
   * How full this process is with calls' sound, 0 to 1: the part of their time in which its media threads are busy or late,
   * the lower of the last two seconds, of what they may be busy. Calls that are being set up or on hold count as if they
   * sounded. As it nears 1, calls cost less: Opus is encoded at complexity 1 and then 0, and lost sound is continued more
   * plainly. At 1 no call is added, so that those that there are keep their time: callers get 503 with Retry-After
   * whatever `whenFull` says, and `call()` and accepting reject with `ERR_TOO_MANY_SESSIONS`; a call that can't be
   * accepted rings on. It is the same for all phones of the process. A few calls are taken on any machine.
   */
  get load(): number {
    return native().mediaLoad?.() ?? 0
  }

  /** Whether a call would be taken now, as far as it depends on this phone's connection, room and `drain()`: for a health check. */
  health(): Health {
    return this.#link?.health() ?? idle(this.#destroyed ? 'closed' : 'unreachable')
  }

  /**
   * What this phone has to show, in Prometheus' text form, each sample labelled with its address. The function `metrics()` gives the same
   * for the whole process.
   */
  metrics(): string {
    return this.#link?.metrics() ?? ''
  }

  /**
   * Connects and registers; with `register: false` it only connects.
   *
   * @throws `SoftphoneError` of type `initialization`, whose `cause` says why; the same goes to `error`.
   */
  async initialize(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('options of initialize', options)
    refuseAborted(signal)
    if (!this.#link) await this.#startFetched(signal)
    this.#initialized = true
    this.#applyRef()
    await this.#command({ type: 'initialize' }, signal)
  }

  /** The original document's spelling of {@link initialize}. */
  intialize(options: Abortable = {}): Promise<void> {
    return this.initialize(options)
  }

  /** Closes the WebSocket and leaves it closed. Answered calls live on; a call that rings is given up, since its answer could not come. */
  disconnect(): void {
    this.#post({ type: 'disconnect' })
  }

  /** Closes the WebSocket and opens it again. */
  reconnect(): void {
    this.#post({ type: 'reconnect' })
  }

  /** Registers; resolves when the server has accepted. */
  async register(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('options of register', options)
    await this.#command({ type: 'register' }, signal)
  }

  /** Removes the registration; resolves when the server has confirmed. */
  async unregister(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('options of unregister', options)
    await this.#command({ type: 'unregister' }, signal)
  }

  /**
   * Takes no more calls, in either direction: whoever calls is refused, OPTIONS is answered in the same way, and `call()` rejects with
   * `ERR_DRAINING`. Those that there are go on, also those that ring, and may be taken over or transferred. Resolves with 0 when none
   * is left, or with how many are when the `timeout` is over or `destroy()` ends them. The registration stays, because calls need it.
   *
   * It can be called again, with another `timeout` or `code`; nothing undoes it. Aborting only gives up waiting.
   */
  async drain(options: DrainOptions = {}): Promise<number> {
    const [given, signal] = abortable('options of drain', options, drainOptions)
    return this.#running().command({ type: 'drain', ...given }, signal, (reply) => (reply as { left: number }).left)
  }

  /** Ends every call, unregisters and disconnects, within 2 s; afterwards nothing keeps the process alive. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy().finally(() => this.#over.resolve())
    return this.#destroyed
  }

  /** @internal Resolves when it is destroyed. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Destroys the phone at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }

  /**
   * Accepts a pending session. Doing it again does nothing. What fails goes to `error`. Wrong options refuse the call with 500,
   * because its caller would wait for nothing.
   *
   * With `{ autoStartMedia: true }` alone the session is not connected: call `session.accept()`.
   */
  acceptPendingSession(id: string, options: AcceptOptions = {}): void {
    const made = () => acceptance(id, 'options of acceptPendingSession', options)
    this.#acceptances.accept(id, made, (command) => this.#command(command)).catch(this.#telling(id))
  }

  /**
   * Accepts a pending session, as {@link acceptPendingSession} does, and resolves with the session after its `sessionStarted`. Await
   * `session.answered` for the connection. If it was accepted already, that session is given and nothing changes.
   *
   * Aborting refuses the call until it is connected, even if the signal was aborted before. Wrong options refuse it with 500, unless
   * it is accepted otherwise.
   *
   * @throws `ERR_SESSION_CANCELLED` if the caller gave up, or if the call was answered or refused elsewhere or here before,
   * `ERR_SESSION_ENDED` if it is over, `ERR_SESSION_NOT_FOUND` if there is none of this id, `ERR_DESTROYED`.
   */
  async answer(id: string, options: AnswerOptions = {}): Promise<Session> {
    const { signal } = options ?? {}
    const made = () => {
      checkId(id)
      const [given] = abortable('options of answer', options, accepting)
      return acceptance(id, 'options of answer', given)
    }
    const send = (command: WireCommand) => this.#running().command(command, signal, () => this.#sessionOf({ id }))
    const session = await this.#acceptances.accept(id, made, send)
    endOnAbort(session, signal)
    // It was accepted before the signal came.
    refuseAborted(signal)
    return session
  }

  /** Rejects a pending session, with 486 by default; resolves after its `cancelPendingSession`. What fails goes to `error` as well. */
  rejectPendingSession(id: string, options: RejectOptions = {}): Promise<void> {
    const rejected = this.#reject(id, options)
    // The original returns nothing to wait for: what fails is told, and is no unhandled rejection.
    rejected.catch(this.#telling(id))
    return rejected
  }

  /**
   * Sends the caller of a pending session to another address (302), and says so in `Diversion`; resolves after its
   * `cancelPendingSession`. Whether the caller goes there is up to it and its server. What fails goes to `error` as well.
   */
  redirectPendingSession(id: string, target: string, options: RedirectOptions = {}): Promise<void> {
    const redirected = this.#redirect(id, target, options)
    redirected.catch(this.#telling(id))
    return redirected
  }

  /**
   * Places a call; resolves with the session once the INVITE is sent: await `session.answered` for the answer.
   *
   * `target` is a SIP address, a user at the own domain, or a telephone number. Aborting cancels the call until it is answered:
   * `call()` rejects with `ERR_ABORTED`, and `answered`, if the session is there already, with `ERR_CALL_CANCEL`.
   */
  async call(target: string, options: CallOptions = {}): Promise<Session> {
    checkTarget(target)
    const [given, signal] = abortable('options of call', options, callOptions)
    const command = { type: 'call', target, options: wireCall(given) } as const
    return endOnAbort(await this.#running().command(command, signal, (reply) => this.#sessionOf(reply)), signal)
  }

  /**
   * Calls whom a `callRequested` names, and reports to the one who asked until that is answered. Resolves with the session once the INVITE
   * is sent.
   *
   * @throws `ERR_SESSION_STATE` if it was answered already, or too late.
   */
  async acceptCallRequest(id: number, options: CallOptions = {}): Promise<Session> {
    const [given, signal] = abortable('options of acceptCallRequest', options, callOptions)
    const command = { type: 'acceptCallRequest', request: checkedRequest(id, 'callRequested'), options: wireCall(given) } as const
    return endOnAbort(await this.#running().command(command, signal, (reply) => this.#sessionOf(reply)), signal)
  }

  /** Refuses a `callRequested`, with 603 by default. */
  async rejectCallRequest(id: number, options: RefusalOptions = {}): Promise<void> {
    const [given, signal] = abortable('options of rejectCallRequest', options, refusalOptions)
    await this.#command({ type: 'rejectCallRequest', request: checkedRequest(id, 'callRequested'), ...given }, signal)
  }

  /** Places a call as the PureCloud SDK does; `id` is the conversation's. */
  async startSoftphoneSession(options: StartSoftphoneSessionOptions): Promise<{ id: string; selfUri: string }> {
    const [{ phoneNumber, ...rest }, signal] = abortable('options of startSoftphoneSession', options, starting)
    if (phoneNumber === undefined) throw mismatch('phoneNumber', phoneNumber, 'a number or SIP address')
    const session = await this.call(phoneNumber, signal ? { ...rest, signal } : rest).catch((error: unknown) => {
      throw renamed(error, { target: 'phoneNumber' })
    })
    return { id: session.conversationId, selfUri: session.uri }
  }

  /** Ends a session, named by its id or its conversation's; resolves after its `sessionEnded`. */
  async endSession(reference: SessionReference & EndOptions): Promise<void> {
    const { id, conversationId, ...rest } = reference ?? {}
    checkReference({ id, conversationId })
    const [options, signal] = abortable('options of endSession', rest, endOptions)
    await this.#command({ type: 'end', id: id && knownShape(id), conversationId, ...options }, signal)
  }

  /**
   * Lets the other parties of several calls hear each other. Resolves when those that are answered take part; they are taken off
   * hold. A call that is not answered yet joins when it is. There may be no call at first.
   *
   * With `holdOthers` it is one party: another call that is taken puts the whole of it on hold.
   *
   * @throws `ERR_SESSION_STATE` if a session is in a conference already.
   */
  async conference(sessions: readonly Session[], options: ConferenceOptions = {}): Promise<Conference> {
    return Conference.create(this.#running(), (number) => this.#state.conferences.get(number), sessions, options)
  }

  /**
   * Sends a text message (MESSAGE) of 56 KiB at most; resolves when it was taken, which is not yet when it was read.
   *
   * @throws `ERR_REQUEST_REFUSED` with the status in `sip`, `ERR_REQUEST_TIMEOUT`, `ERR_NOT_CONNECTED`.
   */
  async sendMessage(target: string, body: string, options: MessageOptions = {}): Promise<void> {
    checkTarget(target)
    if (typeof body !== 'string') throw invalidArgument('body', body, 'a string')
    const [{ contentType, headers }, signal] = abortable('options of sendMessage', options, messaging)
    await this.#command({ type: 'sendMessage', target, body, contentType, headers: wireHeaders(headers) }, signal)
  }

  /**
   * Asks what a server or another phone can do (OPTIONS), or whether it is there.
   *
   * @throws as {@link sendMessage}.
   */
  async sendOptions(target: string, options: OptionsOptions = {}): Promise<Capabilities> {
    checkTarget(target)
    const [given, signal] = abortable('options of sendOptions', options, { headers })
    const command = { type: 'sendOptions', target, headers: wireHeaders(given.headers) } as const
    return this.#running().command(command, signal, (reply) => {
      const capabilities = reply as WireCapabilities
      return { ...capabilities, headers: headersByName(capabilities.headers) }
    })
  }

  /**
   * Subscribes to an event package, such as `message-summary`, `dialog` or `presence`; resolves when the server has agreed.
   *
   * @throws as {@link sendMessage}; what the server refuses later ends the subscription with `terminated`.
   */
  async subscribe(target: string, event: string, options: SubscribeOptions = {}): Promise<Subscription> {
    checkTarget(target)
    return Subscription.begin(() => this.#running(), this.#state.subscriptions, target, event, options)
  }

  /**
   * Lets somebody subscribe who asked with `subscriptionRequest`, and tells them the state; the notifier tells them what follows.
   *
   * @throws `ERR_SUBSCRIPTION_ENDED` if it was answered already, or too late.
   */
  async acceptSubscription(id: number, options: AcceptSubscriptionOptions = {}): Promise<Notifier> {
    checkOptions('options of acceptSubscription', options, acceptingSubscription)
    return Notifier.begin(this.#running(), this.#state.notifiers, checkedRequest(id), options)
  }

  /** Refuses to let somebody subscribe, with 403 by default. */
  async rejectSubscription(id: number, options: RefusalOptions = {}): Promise<void> {
    const [given, signal] = abortable('options of rejectSubscription', options, refusalOptions)
    await this.#command({ type: 'rejectSubscription', notifier: checkedRequest(id), ...given }, signal)
  }

  /** Announces an incoming call of a conversation, which is then answered by itself. */
  async expectCall(options: ExpectCallOptions): Promise<void> {
    const [given, signal] = abortable('options of expectCall', options, expecting)
    await this.#command({ type: 'expectCall', ...given }, signal)
  }

  /** Replaces the access token, now and for everything to come. */
  async setAccessToken(token: string, options: Abortable = {}): Promise<void> {
    if (!isText(token) || token === '') throw invalidArgument('token', token, 'a non-empty string')
    const [, signal] = abortable('options of setAccessToken', options)
    this.#questions.credentialReplaced()
    await this.#command({ type: 'setAccessToken', token }, signal)
  }

  /**
   * Replaces the password, now and for everything to come, and registers with it: calls go on. For a phone with `password` or
   * `ha1` whose password was changed, which `registrationFailed` tells with `fatal` and the code 401, 403 or 407. If `password` is a
   * function, it is asked still when this one is refused.
   */
  async setPassword(password: string, options: Abortable = {}): Promise<void> {
    if (!isText(password) || password === '') throw invalidArgument('password', password, 'a non-empty string')
    const [, signal] = abortable('options of setPassword', options)
    this.#questions.credentialReplaced()
    await this.#command({ type: 'setPassword', password }, signal)
  }

  /** Replaces the STUN and TURN servers, for sessions that start from now on; a function that gave them is asked no more. */
  async setIceServers(servers: readonly IceServer[], options: Abortable = {}): Promise<void> {
    checkOptions('arguments of setIceServers', { iceServers: servers }, { iceServers: iceServersRule }, { required: ['iceServers'] })
    const [, signal] = abortable('options of setIceServers', options)
    await this.#command({ type: 'setIceServers', iceServers: wireIceServers(servers) }, signal)
  }

  /** Lists the microphones and speakers that are there now. */
  listDevices(): Promise<AudioDevice[]> {
    return listDevices()
  }

  /**
   * Changes the devices of this phone, also of running calls that have none of their own.
   *
   * @throws `ERR_NO_DEVICE` if a device of these is not there; nothing is changed then.
   */
  async setAudioDevice(devices: AudioDeviceOptions): Promise<void> {
    checkOptions('options of setAudioDevice', devices, audioDevices)
    const wanted = wireAudio(devices)
    await this.#choices.run(async () => {
      if (Object.values(wanted).some((device) => device?.type === 'device')) await refuseMissing(wanted)
      await this.#command({ type: 'setAudioDevice', ...wanted })
      Object.assign(this.#devices, devices)
    })
  }

  /**
   * Changes what is done to the sound of microphones from now on, in all sessions and conferences and in those to come; what is not
   * named stays as it was. What a session was given of its own, by an option or by `session.setAudioProcessing()`, counts more.
   */
  async setAudioProcessing(processing: AudioProcessing): Promise<void> {
    await this.#command({ type: 'setAudioProcessing', processing: wireProcessing(processing) })
  }

  /** Sets the loudness of incoming sound in percent, 0–100, of all sessions and of those to come. */
  async setVolume(volume: number): Promise<void> {
    await this.#command({ type: 'setVolume', volume: checkedVolume(volume) })
  }

  /**
   * Writes to a file what goes over the network from now on, as Wireshark and tshark read it: SIP messages without their WebSocket, and
   * RTP and RTCP without their protection, of the calls that there are and of those to come. Passwords, tokens, keys and the digits of
   * INFO are left out of the SIP messages; the sound, and digits in it or beside it, are all there.
   *
   * One at a time. It takes the place of a file that is there, and ends with the phone. If the disk is full the calls go on, `error` tells
   * it with `ERR_CAPTURE_FAILED`, and `stop()` rejects.
   *
   * @throws `ERR_CAPTURE_FAILED` if the file can't be opened or a capture is being written already; `ERR_NOT_INITIALIZED` before
   * `initialize()` if the access token is yet to be fetched.
   */
  async capture(path: string): Promise<Capture> {
    checkCapturePath(path)
    return this.#captures.begin(this.#running(), path)
  }

  /** Keeps the process alive from `initialize()` to `destroy()`, which is the default. */
  ref(): this {
    this.#refed = true
    this.#applyRef()
    return this
  }

  /** Lets the process end although the phone runs. */
  unref(): this {
    this.#refed = false
    this.#applyRef()
    return this
  }

  async #takeOver(callId: string, options: CallOptions): Promise<Session> {
    const [given, signal] = abortable('options of takeOver', options, callOptions)
    const command = { type: 'takeOver', callId, options: wireCall(given) } as const
    return endOnAbort(await this.#running().command(command, signal, (reply) => this.#sessionOf(reply)), signal)
  }

  #owner() {
    const phone = this
    return {
      phone,
      autoAnswer: autoAnswerFunction(this.#options),
      get link() {
        return phone.#running()
      },
      trace: (event: WireEventOf<'trace'>) => this.#trace(event),
      fail: (error: SoftphoneError, sessionId?: string) => this.#fail(error, sessionId),
      renewCredential: () => void this.#questions.renewCredential((option, given) => this.#renew(option, given), (error) => this.#destroyed ?? this.#fail(error)),
      chooseProxy: (event: WireEventOf<'proxyNeeded'>) => void this.#questions.chooseProxy(event),
      giveIceServers: (event: WireEventOf<'iceServersNeeded'>) => void this.#questions.giveIceServers(event),
      takePlace: (callId: string, options: CallOptions) => this.#takeOver(callId, options),
    }
  }

  #renew(option: Fetched['option'], given: string): Promise<void> {
    return option === 'password' ? this.setPassword(given) : this.setAccessToken(given)
  }

  #start(fetched?: string): void {
    const hangsUp = this.#options.hangUpOnExit !== false
    this.#link = new PhoneLink(native(), wireOptions(this.#options, fetched, this.#log.made), (event) => {
      if (hangsUp && event.type === 'closed') depart()
      this.#state.receive(event)
      this.#diagnostics.note(event)
    })
    if (hangsUp) attend()
    this.#applyRef()
  }

  async #startFetched(signal: AbortSignal | undefined): Promise<void> {
    const fetched = fetchedOption(this.#options)
    if (this.#destroyed || !fetched) return
    const abandoned = () => new Promise<never>((_, reject) => (this.#abandon = reject))
    this.#starting ??= Promise.race([this.#fetchAndStart(fetched), abandoned()]).finally(() => (this.#starting = undefined))
    await unlessAborted(this.#starting, signal)
  }

  async #fetchAndStart(fetched: Fetched): Promise<void> {
    try {
      const given = await fetchCredential(fetched)
      if (!this.#destroyed) this.#start(given)
    } catch (cause) {
      if (this.#destroyed) throw gone()
      const { code } = cause as SoftphoneError
      const error = new SoftphoneError('Failed to initialize SDK', { code, type: 'initialization', cause })
      this.#fail(error)
      throw error
    }
  }

  #applyRef(): void {
    if (this.#refed && this.#initialized) this.#link?.ref()
    else this.#link?.unref()
  }

  #running(): PhoneLink {
    if (this.#link) return this.#link
    const destroyed = this.#destroyed !== undefined
    throw destroyed
      ? gone()
      : new SoftphoneError('The phone is not initialized: call initialize() first', {
          code: 'ERR_NOT_INITIALIZED',
          type: 'initialization',
        })
  }

  async #command(command: WireCommand, signal?: AbortSignal): Promise<void> {
    return this.#running().command(command, signal)
  }

  #post(command: WireCommand, sessionId?: string): void {
    this.#command(command).catch(this.#telling(sessionId))
  }

  /** Tells of a failure that nobody waits for; what is given up by `destroy()` is none. */
  #telling(sessionId?: string): (error: SoftphoneError) => void {
    const isOver = this.#destroyed !== undefined
    return (error) => {
      if (isOver || error.code !== 'ERR_DESTROYED') this.#fail(error, sessionId)
    }
  }

  async #reject(id: string, options: RejectOptions): Promise<void> {
    checkId(id)
    const [given, signal] = abortable('options of rejectPendingSession', options, rejectOptions)
    await this.#command({ type: 'reject', id: knownShape(id), ...given }, signal)
  }

  async #redirect(id: string, target: string, options: RedirectOptions): Promise<void> {
    checkId(id)
    checkTarget(target)
    const [given, signal] = abortable('options of redirectPendingSession', options, redirectOptions)
    await this.#command({ type: 'redirect', id: knownShape(id), target, ...given }, signal)
  }

  async #destroy(): Promise<void> {
    this.#abandon?.(gone())
    unwatchDevices(this.#devicesChanged)
    if (this.#link === undefined || this.#link.closed) return
    // Also a phone that was never initialized keeps the process until the promise is settled.
    if (this.#refed) this.#link.ref()
    await this.#link.command({ type: 'destroy' })
  }

  #sessionOf(reply: unknown): Session {
    const { id } = reply as { id: string }
    const session = this.#state.sessions.get(id)
    if (session) return session
    throw new SoftphoneError('The call has ended already', { code: 'ERR_SESSION_ENDED', type: 'session' })
  }

  #fail(error: SoftphoneError, sessionId?: string): void {
    const { code, type, sip } = error
    if (this.listenerCount('error') === 0) return this.#log.write('error', error.message, { code, type, sip, sessionId })
    this.deliver('error', error, {
      code,
      type,
      ...(sip && { sip }),
      ...(sessionId !== undefined && { sessionId }),
    })
  }

  #trace({ level, message, details }: WireEventOf<'trace'>): void {
    this.deliver('trace', level, message, details)
    this.#log.write(level, message, details)
  }

  #want(level: LogLevel): void {
    if (level === this.#log.made) return
    this.#log.made = level
    this.#link?.post({ type: 'setLogLevel', level })
  }
}

function gone(): SoftphoneError {
  return new SoftphoneError('The phone was destroyed', { code: 'ERR_DESTROYED', type: 'generic' })
}
