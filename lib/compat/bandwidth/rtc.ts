import {
  listDevices,
  type AudioDevice,
  type AudioInput,
  type AudioOutput,
  type EndReason,
  type Session,
  type Softphone,
  type SoftphoneOptions,
  type VideoOutput,
  type VideoSource,
} from '../../index'
import { tell } from '../tell'
import { phoneOf } from '../given'
import { isVideoInput, openCamera, type Cameras, type WantedCamera } from './cameras'
import { checkedConnect, connectNames } from './connect-options'
import { BandwidthRtcError } from './errors'
import { watchLevel } from './level'
import { RtcLog, type RtcLogLevel } from './log'
import { Others } from './others'
import { OwnStream, type OwnInputs } from './own-stream'
import { ROSTER_TYPE } from './roster'
import { wanted, type AudioLevel, type RtcStream, type StreamConstraints, type Wanted } from './streams'
import { readToken, TOKEN_HEADER, type TokenClaims } from './token'
import { Watching } from './watching'

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

/** A microphone, a speaker or a camera, as a browser lists it. */
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

/**
 * Bandwidth's BandwidthRtc on a native phone.
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
  readonly #others: Others
  readonly #watching = new Watching()
  /** What is published, and what is about to be. */
  readonly #own = new Set<OwnStream>()
  readonly #enabled = { mic: true, camera: true }
  #phone: Softphone | undefined
  #claims: TokenClaims | undefined
  #output: AudioOutput | undefined
  #cameras: Cameras | undefined
  #unpublished: ((stream: RtcStream, reason: EndReason) => void) | undefined

  constructor(logLevel: RtcLogLevel = 'warn') {
    this.#log = new RtcLog(logLevel)
    this.#others = new Others(this.#log, () => this.#hearing?.session)
  }

  /** The phone behind it while it is connected, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#phone
  }

  /** Sets the least level of the lines that are logged. */
  setLogLevel(logLevel: RtcLogLevel): void {
    this.#log.setLevel(logLevel)
  }

  /** Sets the cameras that `getVideoInputs()` lists and `publish()` opens; before `connect()` too. */
  setCameras(cameras: Cameras | undefined): void {
    this.#cameras = cameras
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
      this.#others.follow(subscription, claims.sub)
    } catch (error) {
      // Another 'connect' may have come since.
      if (phone && this.#phone === phone) await this.disconnect()
      throw new BandwidthRtcError(`'connect' failed: ${causeOf(error)}`, { cause: error })
    }
  }

  /**
   * Publishes sound, pictures or both by a call to the room; resolves once the room has answered. One stream has sound, and with it the
   * others are heard; streams of pictures alone, such as a screen, are published beside it.
   *
   * @param onAudioLevel is told how loud the own stream is, whenever that changes.
   * @param alias names the stream to the others.
   * @throws `BandwidthRtcError`. If there is no camera, sound is published without it, and the stream's `ignored` has `'video'`.
   */
  async publish(
    constraints?: StreamConstraints | AudioInput | VideoSource,
    onAudioLevel?: (audioLevel: AudioLevel) => void,
    alias?: string,
    codecPreferences?: unknown,
  ): Promise<RtcStream> {
    this.#connected('publish')
    // What can't be sent at all is said before what can't be sent now: no `unpublish` helps what is no input.
    const what = wanted(constraints)
    if (what.audio !== undefined && this.#hearing) throw new BandwidthRtcError("One stream is published already: call 'unpublish' first")
    const inputs: OwnInputs = { audio: what.audio, video: isVideoInput(what.video) ? what.video : undefined, cameras: undefined, ignored: what.ignored }
    const own = new OwnStream(inputs)
    this.#own.add(own)
    try {
      return await this.#publish(own, what, onAudioLevel, alias, codecPreferences)
    } catch (error) {
      this.#own.delete(own)
      own.release()
      throw new BandwidthRtcError(`'publish' failed: ${causeOf(error)}`, { cause: error })
    }
  }

  /** Ends streams of one's own; without a stream whatever is published. */
  async unpublish(...streams: (RtcStream | string)[]): Promise<void> {
    this.#connected('unpublish')
    const ending = streams.length === 0 ? [...this.#own] : streams.map((stream) => this.#find(stream))
    for (const own of ending) this.#own.delete(own)
    await Promise.all(ending.map((own) => own.end()))
  }

  /**
   * Gives the pictures of another participant's stream to a `VideoSink`, for as long as the stream lasts; `'none'` ends that. Resolves
   * once they are on their way.
   *
   * @throws `BandwidthRtcError` if there is no such stream, or if it has no pictures.
   */
  async watch(stream: RtcStream | string, output: VideoOutput): Promise<void> {
    const { phone, claims } = this.#connected('watch')
    const id = idOf(stream)
    const known = this.#others.find(id)
    if (!known && output !== 'none') throw new BandwidthRtcError(`There is no stream of the id '${id}'`)
    if (output !== 'none' && !known?.mediaTypes.includes('VIDEO')) throw new BandwidthRtcError(`The stream of the id '${id}' has no video`)
    try {
      await this.#watching.watch(phone, claims, id, output)
    } catch (error) {
      throw new BandwidthRtcError(`'watch' failed: ${causeOf(error)}`, { cause: error })
    }
  }

  /** Sets who is told of each stream of another participant; those that are there already are told at once. */
  onStreamAvailable(callback: (stream: RtcStream) => void): void {
    this.#others.available = callback
    for (const stream of this.#others.streams) tell(callback, stream)
  }

  /** Sets who is told when a stream of another participant is gone. */
  onStreamUnavailable(callback: (endpointId: string) => void): void {
    this.#others.unavailable = callback
  }

  /** Sets who is told when a stream of one's own has ended otherwise than by `unpublish()`: the participant was removed, or the session is over. */
  onUnpublished(callback: (stream: RtcStream, reason: EndReason) => void): void {
    this.#unpublished = callback
  }

  /** Sends digits into the room's call. */
  async sendDtmf(tone: string, streamId?: string): Promise<void> {
    this.#connected('sendDtmf')
    const own = streamId === undefined ? this.#hearing : this.#find(streamId)
    if (!own?.stream) throw new BandwidthRtcError("You must call 'publish' before 'sendDtmf'")
    await own.session?.sendDtmf(tone)
  }

  /** Mutes or unmutes the microphone, of the stream that is published and of those to come; before `publish()` it starts muted. */
  setMicEnabled(enabled: boolean, stream?: RtcStream | string): void {
    const own = stream === undefined ? this.#hearing : this.#find(stream)
    if (stream === undefined) this.#enabled.mic = enabled
    const session = own?.session
    if (session) this.#doing('setMicEnabled', enabled ? session.unmute() : session.mute())
  }

  /**
   * Shows or hides the camera: its picture stands still for the others, and its stream stays. Without a stream it is that of the camera
   * that is published, and of those to come; before `publish()` it starts hidden. A screen is hidden by its stream.
   */
  setCameraEnabled(enabled: boolean, stream?: RtcStream | string): void {
    const streams = stream === undefined ? [...this.#own].filter(({ isCamera }) => isCamera) : [this.#find(stream)]
    if (stream === undefined) this.#enabled.camera = enabled
    for (const { session, inputs } of streams) {
      if (session && inputs.video) this.#doing('setCameraEnabled', enabled ? session.unmuteVideo() : session.muteVideo())
    }
  }

  /** Lists microphones, speakers and cameras. */
  async getMediaDevices(kind?: MediaDevice['kind']): Promise<MediaDevice[]> {
    const cameras = (await this.#cameras?.list()) ?? []
    const listed = cameras.map(({ deviceId, label }) => ({ deviceId, label, kind: 'videoinput' as const, groupId: '' }))
    const devices = [...(await listDevices()).map(shown), ...listed]
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

  /** Lists the cameras of `setCameras()`. */
  getVideoInputs(): Promise<MediaDevice[]> {
    return this.getMediaDevices('videoinput')
  }

  /** Leaves the room and the server; afterwards nothing keeps the process alive. Every stream becomes unavailable. */
  async disconnect(): Promise<void> {
    const phone = this.#phone
    const own = [...this.#own]
    this.#phone = undefined
    this.#claims = undefined
    this.#own.clear()
    this.#watching.forget()
    for (const one of own) one.ended = undefined
    this.#others.forget()
    await phone?.destroy()
    for (const one of own) one.release()
  }

  async #publish(
    own: OwnStream,
    { video, ignored }: Wanted,
    onAudioLevel: ((audioLevel: AudioLevel) => void) | undefined,
    alias: string | undefined,
    codecPreferences: unknown,
  ): Promise<RtcStream> {
    const { phone, claims } = this.#connected('publish')
    const without = [...ignored]
    if (video !== undefined && !isVideoInput(video)) await this.#openCamera(own, video)
    this.#stillWanted(own)
    for (const constraint of without) this.#log.warn(`publish: the constraint '${constraint}' has no effect`)
    if (codecPreferences !== undefined) this.#log.warn("publish: the codecs are chosen with the option 'codecs' of 'connect'")
    const begun = (session: Session) => {
      this.#stillWanted(own)
      if (own.hears && onAudioLevel) watchLevel(session, onAudioLevel)
    }
    const stream = await own.publish(phone, claims, { output: this.#output, alias, enabled: this.#enabled, begun })
    this.#stillWanted(own)
    own.ended = (ended, reason) => {
      if (!this.#own.delete(own)) return
      this.#log.info(`An own stream has ended: ${reason.text || reason.condition}`)
      tell(this.#unpublished, ended, reason)
    }
    return stream
  }

  // Without a camera the sound goes on: who can't be seen can be heard.
  async #openCamera(own: OwnStream, wanted: WantedCamera): Promise<void> {
    try {
      own.inputs.video = await openCamera(this.#cameras, wanted, (what) => this.#log.warn(`publish: ${what}`))
      own.inputs.cameras = this.#cameras
    } catch (error) {
      if (!own.hears) throw error
      own.inputs.ignored.unshift('video')
      this.#log.warn(`publish: the constraint 'video' has no effect: ${causeOf(error)}`)
    }
  }

  #stillWanted(own: OwnStream): void {
    if (!this.#phone) throw new BandwidthRtcError("'disconnect' was called")
    if (!this.#own.has(own)) throw new BandwidthRtcError('the stream has ended already')
  }

  /** The own stream with sound, by which the others are heard. */
  get #hearing(): OwnStream | undefined {
    return [...this.#own].find(({ hears }) => hears)
  }

  #connected(method: string): { phone: Softphone; claims: TokenClaims } {
    if (this.#phone && this.#claims) return { phone: this.#phone, claims: this.#claims }
    throw new BandwidthRtcError(`You must call 'connect' before '${method}'`)
  }

  #find(stream: RtcStream | string): OwnStream {
    const id = idOf(stream)
    const own = [...this.#own].find((one) => one.stream?.endpointId === id)
    if (own) return own
    throw new BandwidthRtcError(`No stream of the id '${id}' is published here`)
  }

  #doing(method: string, done: Promise<void>): void {
    done.catch((error: Error) => this.#log.warn(`${method}: ${error.message}`))
  }
}

function idOf(stream: RtcStream | string): string {
  return typeof stream === 'string' ? stream : String((stream as RtcStream | null | undefined)?.endpointId)
}

function shown({ id, kind, label }: AudioDevice): MediaDevice {
  return { deviceId: id, kind, label, groupId: '' }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
