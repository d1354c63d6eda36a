import { randomUUID } from 'node:crypto'
import {
  listDevices,
  type AudioDevice,
  type AudioInput,
  type AudioOutput,
  type EndReason,
  type Session,
  type Softphone,
  type SoftphoneOptions,
  type Subscription,
} from '../../index'
import { tell } from '../tell'
import { phoneOf } from '../given'
import { checkedConnect, connectNames } from './connect-options'
import { BandwidthRtcError } from './errors'
import { watchLevel } from './level'
import { RtcLog, type RtcLogLevel } from './log'
import { participantEntity, Roster, ROSTER_TYPE } from './roster'
import { noVideo, wanted, type AudioLevel, type RtcStream, type StreamConstraints, type Wanted } from './streams'
import { ALIAS_HEADER, ENDPOINT_HEADER, readToken, TOKEN_HEADER, type TokenClaims } from './token'

/** What lets {@link BandwidthRtc.connect} in. */
export interface RtcAuthParams {
  /** The participant's token, as the server gave it. */
  deviceToken: string
}

/** Options of {@link BandwidthRtc.connect}: the document's, and what a phone needs where there is no browser. */
export interface RtcOptions extends Pick<SoftphoneOptions, 'iceServers' | 'iceTransportPolicy' | 'audio' | 'tls' | 'httpProxy' | 'codecs' | 'logger'> {
  /** The WebSocket of the SIP server; default the token's. */
  websocketUrl?: string
  /** The account to register with, if the token brings none along. */
  account?: TokenClaims['sip']
  /** Where the others are heard; default the phone's speaker. */
  output?: AudioOutput
}

/** A microphone or a speaker, as a browser lists it. */
export interface MediaDevice {
  /** Names it, for constraints and outputs. */
  deviceId: string
  /** What it is. */
  kind: 'audioinput' | 'audiooutput' | 'videoinput'
  /** The name that the system shows. */
  label: string
  /** Always empty. */
  groupId: string
}

interface Published {
  stream: RtcStream
  session: Session
}

/**
 * The audio half of Bandwidth's BandwidthRtc on a native phone.
 *
 * ```ts
 * const bandwidthRtc = new BandwidthRtc()
 * bandwidthRtc.onStreamAvailable((stream) => console.log(stream.alias, 'is here'))
 * bandwidthRtc.onStreamUnavailable((endpointId) => console.log(endpointId, 'is gone'))
 * await bandwidthRtc.connect({ deviceToken })
 * await bandwidthRtc.publish({ audio: true })
 * ```
 */
export class BandwidthRtc {
  readonly #log: RtcLog
  readonly #roster = new Roster()
  readonly #streams = new Map<string, RtcStream>()
  #phone: Softphone | undefined
  #claims: TokenClaims | undefined
  #subscription: Subscription | undefined
  #output: AudioOutput | undefined
  #publishing: Promise<RtcStream> | undefined
  #published: Published | undefined
  /** The call to the room, from when it is asked for. */
  #calling: Promise<Session> | undefined
  #session: Session | undefined
  #micEnabled = true
  #available: ((stream: RtcStream) => void) | undefined
  #unavailable: ((endpointId: string) => void) | undefined
  #unpublished: ((stream: RtcStream, reason: EndReason) => void) | undefined

  constructor(logLevel: RtcLogLevel = 'warn') {
    this.#log = new RtcLog(logLevel)
  }

  /** The phone behind it while it is connected, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#phone
  }

  /** Sets the least level of the lines that are logged. */
  setLogLevel(logLevel: RtcLogLevel): void {
    this.#log.setLevel(logLevel)
  }

  /**
   * Registers with the account of the token and learns who is in the room; the others are heard from `publish()` on.
   *
   * @throws `BandwidthRtcError` if the token is not one, or if the server or the room refuses it.
   */
  async connect(authParams: RtcAuthParams, options: RtcOptions = {}): Promise<void> {
    if (this.#phone) throw new BandwidthRtcError("'connect' was called already: call 'disconnect' first")
    const claims = readToken((authParams as RtcAuthParams | null | undefined)?.deviceToken)
    const { websocketUrl, account = claims.sip, output, logger, ...rest } = checkedConnect(options)
    if (!account) throw new BandwidthRtcError("The device token brings no account: give one as the option 'account'")
    this.#log.to(logger)
    const servers = websocketUrl === undefined ? {} : { servers: websocketUrl }
    let phone: Softphone | undefined
    try {
      phone = phoneOf({ ...rest, ...account, ...servers, autoAnswer: 'off', ...this.#log.forPhone() }, connectNames(options, claims.sip))
      this.#log.follow(phone)
      this.#phone = phone
      this.#claims = claims
      this.#output = output
      await phone.initialize()
      const headers = { [TOKEN_HEADER]: claims.key }
      const subscription = await phone.subscribe(claims.room, 'conference', { accept: [ROSTER_TYPE], headers })
      if (this.#phone !== phone) throw new BandwidthRtcError("'disconnect' was called")
      this.#follow(subscription)
    } catch (error) {
      // Another 'connect' may have come since.
      if (phone && this.#phone === phone) await this.disconnect()
      throw new BandwidthRtcError(`'connect' failed: ${causeOf(error)}`, { cause: error })
    }
  }

  /**
   * Calls the room with the microphone, or with another input; resolves once the room has answered.
   *
   * @param onAudioLevel is told how loud the own stream is, whenever that changes.
   * @param alias names the stream to the others.
   * @throws `BandwidthRtcError`.
   */
  async publish(
    constraints?: StreamConstraints | AudioInput,
    onAudioLevel?: (audioLevel: AudioLevel) => void,
    alias?: string,
    codecPreferences?: unknown,
  ): Promise<RtcStream> {
    this.#connected('publish')
    // What can't be sent at all is said before what can't be sent now: no `unpublish` helps a shared screen.
    const what = wanted(constraints)
    if (this.#publishing) throw new BandwidthRtcError("One stream is published already: call 'unpublish' first")
    const publishing = this.#publish(what, onAudioLevel, alias, codecPreferences)
    this.#publishing = publishing
    publishing.catch(() => {
      if (this.#publishing === publishing) this.#publishing = undefined
    })
    return publishing
  }

  /** Leaves the room: the own stream ends. Without a stream it ends whatever is published. */
  async unpublish(...streams: (RtcStream | string)[]): Promise<void> {
    this.#connected('unpublish')
    const published = this.#published
    const ids = streams.map((stream) => (typeof stream === 'string' ? stream : String((stream as RtcStream | null | undefined)?.endpointId)))
    const foreign = ids.find((id) => id !== published?.stream.endpointId)
    if (foreign !== undefined) throw new BandwidthRtcError(`No stream of the id '${foreign}' is published here`)
    this.#published = undefined
    // What is being published has no session yet, and must not come after all.
    const session = this.#session ?? (await this.#calling?.catch(() => undefined))
    await session?.end()
  }

  /** Sets who is told of each stream of another participant; those that are there already are told at once. */
  onStreamAvailable(callback: (stream: RtcStream) => void): void {
    this.#available = callback
    for (const stream of this.#streams.values()) tell(callback, stream)
  }

  /** Sets who is told when a stream of another participant is gone. */
  onStreamUnavailable(callback: (endpointId: string) => void): void {
    this.#unavailable = callback
  }

  /** Sets who is told when the own stream has ended otherwise than by `unpublish()`: the participant was removed, or the session is over. */
  onUnpublished(callback: (stream: RtcStream, reason: EndReason) => void): void {
    this.#unpublished = callback
  }

  /** Sends digits into the room's call. */
  async sendDtmf(tone: string, streamId?: string): Promise<void> {
    this.#connected('sendDtmf')
    const published = this.#published
    if (!published) throw new BandwidthRtcError("You must call 'publish' before 'sendDtmf'")
    this.#checkOwn(streamId)
    await published.session.sendDtmf(tone)
  }

  /** Mutes or unmutes the microphone, of the stream that is published and of those to come; before `publish()` it starts muted. */
  setMicEnabled(enabled: boolean, stream?: RtcStream | string): void {
    this.#checkOwn(stream)
    this.#micEnabled = enabled
    const session = this.#session
    if (session) this.#doing('setMicEnabled', enabled ? session.unmute() : session.mute())
  }

  /**
   * Turns the camera off, which it is: there is no video yet.
   *
   * @throws `BandwidthRtcError` for true.
   */
  setCameraEnabled(enabled: boolean, stream?: RtcStream | string): void {
    this.#checkOwn(stream)
    if (enabled) throw new BandwidthRtcError(`${noVideo}: there is no camera to turn on`)
  }

  /** Lists microphones and speakers. */
  async getMediaDevices(kind?: MediaDevice['kind']): Promise<MediaDevice[]> {
    const devices = (await listDevices()).map(shown)
    return kind === undefined ? devices : devices.filter((device) => device.kind === kind)
  }

  /** Lists microphones. */
  getAudioInputs(): Promise<MediaDevice[]> {
    return this.getMediaDevices('audioinput')
  }

  /** Lists speakers. */
  getAudioOutputs(): Promise<MediaDevice[]> {
    return this.getMediaDevices('audiooutput')
  }

  /** Lists cameras: none yet. */
  getVideoInputs(): Promise<MediaDevice[]> {
    return this.getMediaDevices('videoinput')
  }

  /** Leaves the room and the server; afterwards nothing keeps the process alive. Every stream becomes unavailable. */
  async disconnect(): Promise<void> {
    const phone = this.#phone
    this.#phone = undefined
    this.#subscription = undefined
    this.#published = undefined
    this.#session = undefined
    this.#calling = undefined
    this.#publishing = undefined
    this.#claims = undefined
    this.#forget()
    await phone?.destroy()
  }

  async #publish(
    { input, ignored }: Wanted,
    onAudioLevel: ((audioLevel: AudioLevel) => void) | undefined,
    alias: string | undefined,
    codecPreferences: unknown,
  ): Promise<RtcStream> {
    const { phone, claims } = this.#connected('publish')
    for (const constraint of ignored) this.#log.warn(`publish: the constraint '${constraint}' has no effect`)
    if (codecPreferences !== undefined) this.#log.warn("publish: the codecs are chosen with the option 'codecs' of 'connect'")
    const endpointId = randomUUID()
    try {
      const headers = { [TOKEN_HEADER]: claims.key, [ENDPOINT_HEADER]: endpointId, ...(alias === undefined ? {} : { [ALIAS_HEADER]: alias }) }
      const output = this.#output === undefined ? {} : { audioElement: this.#output }
      const calling = phone.call(claims.room, { mediaStream: input, ...output, headers })
      this.#calling = calling
      const session = await calling
      if (this.#calling !== calling) throw new BandwidthRtcError("'disconnect' was called")
      this.#session = session
      const stream: RtcStream = {
        endpointId,
        mediaTypes: ['AUDIO'],
        mediaStream: input,
        participantId: claims.sub,
        ...(alias === undefined ? {} : { alias }),
        ...(ignored.length === 0 ? {} : { ignored }),
      }
      session.on('terminated', (_, reason) => this.#over(session, stream, reason))
      // Nothing is heard of a microphone that is to be muted: there is no connection yet.
      if (!this.#micEnabled) await session.mute()
      if (onAudioLevel) watchLevel(session, onAudioLevel)
      await session.answered
      if (this.#session !== session) throw new BandwidthRtcError('the stream has ended already')
      this.#published = { stream, session }
      return stream
    } catch (error) {
      throw new BandwidthRtcError(`'publish' failed: ${causeOf(error)}`, { cause: error })
    }
  }

  #over(session: Session, stream: RtcStream, reason: EndReason): void {
    const published = this.#published
    if (this.#session === session) {
      this.#session = undefined
      this.#calling = undefined
      this.#publishing = undefined
    }
    if (published?.session !== session) return
    this.#published = undefined
    this.#log.info(`The own stream has ended: ${reason.text || reason.condition}`)
    tell(this.#unpublished, stream, reason)
  }

  #follow(subscription: Subscription): void {
    this.#subscription = subscription
    subscription.on('notify', ({ document, contentType }) => {
      if (this.#subscription !== subscription) return
      if (document?.kind === 'conference') {
        if (this.#roster.apply(document)) this.#compare()
      } else if (contentType !== '') this.#log.warn(`The room tells who is in it as '${contentType}', which is not understood`)
    })
    subscription.on('terminated', ({ reason, code }) => {
      if (this.#subscription !== subscription) return
      this.#subscription = undefined
      this.#log.warn(`The room tells no more who is in it: ${reason ?? code ?? 'it gives no reason'}`)
      this.#forget()
    })
  }

  /** Tells what has changed among the others. */
  #compare(): void {
    const subscription = this.#subscription
    const own = participantEntity(this.#claims?.sub ?? '')
    const there = new Map<string, RtcStream>()
    for (const { user, name, endpoint } of this.#roster.endpoints()) {
      if (user === own || !endpoint.media.some(({ type }) => type === 'audio') || !takesPart(endpoint.status)) continue
      const endpointId = withoutScheme(endpoint.entity)
      there.set(endpointId, this.#streams.get(endpointId) ?? this.#remote(endpointId, withoutScheme(user), endpoint.displayText ?? name))
    }
    for (const endpointId of [...this.#streams.keys()]) if (!there.has(endpointId)) this.#gone(endpointId)
    for (const [endpointId, stream] of there) {
      // Whoever was told may have disconnected.
      if (this.#subscription !== subscription) return
      if (this.#streams.has(endpointId)) continue
      this.#streams.set(endpointId, stream)
      tell(this.#available, stream)
    }
  }

  #remote(endpointId: string, participantId: string, alias: string | undefined): RtcStream {
    const rtc = this
    return {
      endpointId,
      mediaTypes: ['AUDIO'],
      get mediaStream() {
        return rtc.#session
      },
      participantId,
      ...(alias === undefined ? {} : { alias }),
    }
  }

  #gone(endpointId: string): void {
    if (this.#streams.delete(endpointId)) tell(this.#unavailable, endpointId)
  }

  #forget(): void {
    this.#roster.clear()
    for (const endpointId of [...this.#streams.keys()]) this.#gone(endpointId)
  }

  #connected(method: string): { phone: Softphone; claims: TokenClaims } {
    if (this.#phone && this.#claims) return { phone: this.#phone, claims: this.#claims }
    throw new BandwidthRtcError(`You must call 'connect' before '${method}'`)
  }

  #checkOwn(stream: RtcStream | string | undefined): void {
    const id = typeof stream === 'string' ? stream : stream?.endpointId
    if (id !== undefined && id !== this.#published?.stream.endpointId) {
      throw new BandwidthRtcError(`No stream of the id '${id}' is published here`)
    }
  }

  #doing(method: string, done: Promise<void>): void {
    done.catch((error: Error) => this.#log.warn(`${method}: ${error.message}`))
  }
}

function shown({ id, kind, label }: AudioDevice): MediaDevice {
  return { deviceId: id, kind, label, groupId: '' }
}

function takesPart(status: string | undefined): boolean {
  return status === undefined || ['connected', 'on-hold', 'muted-via-focus'].includes(status)
}

function withoutScheme(entity: string): string {
  return entity.replace(/^urn:uuid:/, '')
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
