import { resolve } from 'node:path'
import { abortable, endOnAbort, refuseAborted, unlessAborted } from './abortable'
import type { Conference } from './conference'
import { audioInput, wireInput, wireOutput, wireProcessing } from './audio'
import { AudioSink, type AudioSinkOptions } from './audio-sink'
import { hideListeners, TypedEmitter } from './emitter'
import { EndReason } from './end-reason'
import { SoftphoneError, unanswered } from './errors'
import { endOptions, rejectOptions } from './end-options'
import type { CallerIdentity, ConnectionState, EndToEndId, ResolutionEvent, SessionEvents, SessionSecurity, SessionState, TransferRequestedEvent, VideoStream, WarningCode, WarningEvent } from './events'
import { type PromiseWithResolvers, settledLater } from './later'
import type { PhoneLink } from './link'
import { callOptions, wireCall } from './call-options'
import type {
  Abortable,
  AttendedTransferOptions,
  AudioInput,
  AudioOutput,
  AudioProcessing,
  CallOptions,
  DtmfOptions,
  EndOptions,
  HoldOptions,
  InfoOptions,
  RejectOptions,
  VideoInput,
  VideoOutput,
} from './options'
import { Recording, type RecordOptions } from './recording'
import { isText, shownNumber, typeName, type Rule, type Schema } from './schema'
import type { StatsReport } from './stats'
import { wireVideoInput, wireVideoOutput } from './video'
import type { Writable } from 'node:stream'
import type { WireCommand, WireSessionChanges, WireSessionSnapshot } from './wire'

const dtmfOptions: Schema = {
  duration: { number: { min: 40, max: 6000 } },
  gap: { number: { min: 30, max: 6000 } },
  via: { oneOf: ['rfc4733', 'info', 'inband'] },
}

const holdVia: Rule = { oneOf: ['invite', 'update'] }
const attendedTransferOptions: Schema = { ringing: { oneOf: ['wait', 'blind'] } }
const infoOptions: Schema = { contentType: 'text', body: 'prose' }

/**
 * One call.
 *
 * Its properties are the state as of the last event delivered; `structuredClone` makes a plain snapshot of them.
 */
export class Session extends TypedEmitter<SessionEvents> {
  /** Names the session; the same as the pending session's. */
  readonly id: string
  /** Links the call to the platform's conversation. */
  readonly conversationId: string
  /** The Call-ID. */
  readonly callId: string
  /** The other party's address: the user part of its URI, or the host if there is none. */
  readonly address: string
  /** The other party's SIP address. */
  readonly uri: string
  /** The other party's name, if known. */
  readonly displayName: string | undefined
  /** What servers and gateways say of the caller; empty for outgoing calls. */
  readonly identity: CallerIdentity
  /** What names the call from end to end (`Session-ID`); it stays over transfers. Undefined until the INVITE is sent. */
  readonly sessionId: EndToEndId | undefined
  /** Who called. */
  readonly direction: 'incoming' | 'outgoing'
  /** The state of the signalling. */
  readonly state: SessionState
  /** The state of the media connection. */
  readonly connectionState: ConnectionState
  /** Whether the other party hears nothing of the input. */
  readonly muted: boolean
  /** Whether the other party sees nothing of the camera. */
  readonly videoMuted: boolean
  /** The pictures that the other party sends; of a session that is over there are none. */
  readonly streams: readonly VideoStream[]
  /** What is odd about the call now, by `warning` and `warningCleared`. */
  readonly warnings: readonly WarningEvent[]
  /** Whether the other party is on hold here, as it has agreed: it hears music or silence and is not heard. */
  readonly held: boolean
  /** Whether the other party put the call on hold. */
  readonly remoteHeld: boolean
  /** What the other side asks for by `transferRequested`, while it waits for `acceptTransfer()` or `rejectTransfer()`. */
  readonly transferRequest: TransferRequestedEvent | undefined
  /** The headers of a received INVITE by lower-case name; empty for outgoing calls. */
  readonly headers: Record<string, string[]>
  /** The codec by its SDP name, once it is negotiated. */
  readonly codec: string | undefined
  /** How its media are protected, once they flow. */
  readonly security: SessionSecurity | undefined
  /** When the call was answered, in milliseconds since 1970. */
  readonly startTime: number | undefined
  /** Whether the call is answered and not over. */
  declare readonly active: boolean
  /** Whether the WebSocket is lost, or nothing has been heard of the other party for 5 seconds. */
  declare readonly interrupted: boolean
  /** Whether the media connection stands. */
  declare readonly connected: boolean
  /** Milliseconds since the call was answered, up to its end; 0 before. */
  declare readonly duration: number

  readonly #link: PhoneLink
  readonly #find: FindSession
  readonly #answer: PromiseWithResolvers<void>
  readonly #taps = new Set<AudioSink>()
  #endTime: number | undefined
  #conference: Conference | undefined
  #ending: Promise<void> | undefined

  /** @internal */
  static start(link: PhoneLink, snapshot: WireSessionSnapshot, find: FindSession = () => undefined): Session {
    return new Session(link, snapshot, find)
  }

  private constructor(link: PhoneLink, snapshot: WireSessionSnapshot, find: FindSession) {
    super()
    hideListeners(this)
    this.#link = link
    this.#find = find
    this.id = snapshot.id
    this.conversationId = snapshot.conversationId
    this.callId = snapshot.callId
    this.address = snapshot.address
    this.uri = snapshot.uri
    this.displayName = snapshot.displayName ?? undefined
    this.identity = snapshot.identity
    this.sessionId = snapshot.sessionId
    this.direction = snapshot.direction
    this.state = snapshot.state
    this.connectionState = snapshot.connectionState
    this.muted = snapshot.muted
    this.videoMuted = snapshot.videoMuted
    this.streams = []
    this.warnings = []
    this.held = snapshot.held
    this.remoteHeld = snapshot.remoteHeld
    this.transferRequest = undefined
    this.headers = headersByName(snapshot.headers)
    this.codec = undefined
    this.security = undefined
    this.startTime = snapshot.startTime ?? undefined
    derive(this, 'active', () => this.state === 'active')
    derive(this, 'interrupted', () => this.connectionState === 'interrupted')
    derive(this, 'connected', () => this.connectionState === 'connected')
    derive(this, 'duration', () => elapsed(this.startTime, this.#endTime))
    this.#answer = settledLater()
    const measure = (wanted: boolean) => {
      if (this.state !== 'ended') link.post({ type: 'measure', id: this.id, wanted })
    }
    // Who measures is asked to only while somebody listens.
    this.whileHeard(
      'level',
      () => measure(true),
      () => measure(false),
    )
    const meanings = ['speechStarted', 'speechEnded', 'toneHeard', 'answeredBy'] as const
    const heard = new Set<(typeof meanings)[number]>()
    const listen = () => {
      if (this.state === 'ended') return
      const speech = heard.has('speechStarted') || heard.has('speechEnded')
      link.post({ type: 'listen', id: this.id, speech, tones: heard.has('toneHeard'), answerer: heard.has('answeredBy') })
    }
    for (const event of meanings) {
      this.whileHeard(
        event,
        () => {
          heard.add(event)
          listen()
        },
        () => {
          heard.delete(event)
          listen()
        },
      )
    }
    // A call whose answer nobody awaits is no unhandled rejection.
    this.#answer.promise.catch(() => {})
  }

  /**
   * Resolves when the call is answered; rejects with a `SoftphoneError` when it ends before.
   *
   * Its code is `ERR_CALL_` and the end's condition: `ERR_CALL_BUSY`, `ERR_CALL_DECLINE`, `ERR_CALL_TIMEOUT`,
   * `ERR_CALL_CANCEL`, `ERR_CALL_GONE`, …; its `cause` is the `EndReason`.
   */
  get answered(): Promise<void> {
    return this.#answer.promise
  }

  /** The conference that the other party takes part in. */
  get conference(): Conference | undefined {
    return this.#conference
  }

  /** Connects a session that was accepted without connecting it; anything but the first call does nothing. */
  async accept(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('accept', options)
    await this.#ask({ type: 'connect', id: this.id }, signal)
  }

  /**
   * Lets the caller hear the input before the call is answered, such as an announcement. The session must have been accepted without
   * connecting it. What is sent is a 183 with our description, reliably (RFC 3262) if the caller can take that. `accept()` or
   * `reject()` follows. Again, it does nothing.
   *
   * @throws `ERR_SESSION_STATE` if the call did not come in or is answered, or if the caller made no offer in its INVITE.
   */
  async sendEarlyMedia(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('sendEarlyMedia', options)
    await this.#ask({ type: 'sendEarlyMedia', id: this.id }, signal)
  }

  /** Refuses a session that was accepted but not connected; 486 by default. */
  async reject(options: RejectOptions = {}): Promise<void> {
    const [given, signal] = abortable('reject', options, rejectOptions)
    await this.#ask({ type: 'reject', id: this.id, ...given }, signal)
  }

  /**
   * Ends the session: BYE, CANCEL or a refusal, whichever fits. Resolves after `sessionEnded`; again, it does nothing.
   *
   * Without a `reason` it is `success`; of a call that is not answered yet `cancel`, or `decline` if it came in.
   */
  async end(options: EndOptions = {}): Promise<void> {
    const [given, signal] = abortable('end', options, endOptions)
    if (this.state === 'ended') return
    refuseAborted(signal)
    this.#ending ??= this.#link.command({ type: 'end', id: this.id, ...given }).catch((error: SoftphoneError) => {
      // It ended while the command was on its way.
      if (error.code === 'ERR_SESSION_ENDED') return
      this.#ending = undefined
      throw error
    })
    await unlessAborted(this.#ending, signal)
  }

  /** Sends silence instead of the input. A member of a conference still hears the other members. */
  async mute(): Promise<void> {
    await this.#ask({ type: 'mute', id: this.id, muted: true })
  }

  /** Sends the input again. */
  async unmute(): Promise<void> {
    await this.#ask({ type: 'mute', id: this.id, muted: false })
  }

  /**
   * Puts the other party on hold: it hears music or silence from now on, and is not heard once it has agreed, which
   * resolves the promise. A session that is held already stays so.
   *
   * @throws `ERR_HOLD_FAILED` if the other party refuses, or has not agreed within 10 s: the call goes on as it was, and
   * a party that agrees later is told so. `ERR_SESSION_STATE` if the call is not answered.
   */
  async hold(options: HoldOptions = {}): Promise<void> {
    const [{ music, via }, signal] = abortable('hold', options, { music: audioInput, via: holdVia })
    const heard = music === undefined ? undefined : wireInput('music', music)
    await this.#ask({ type: 'hold', id: this.id, held: true, music: heard, via }, signal)
  }

  /**
   * Takes the other party off hold; resolves when it has agreed. It hears the input again from then on. A member of a conference on
   * hold comes back with all of it.
   *
   * @throws As {@link hold}.
   */
  async resume(options: Pick<HoldOptions, 'via' | 'signal'> = {}): Promise<void> {
    const [{ via }, signal] = abortable('resume', options, { via: holdVia })
    await this.#ask({ type: 'hold', id: this.id, held: false, via }, signal)
  }

  /**
   * Sends digits: `0`–`9`, `*`, `#`, `A`–`D`, and `,` for a pause of two seconds.
   *
   * Resolves when the last one was sent, or by INFO was taken, and also if the other side hangs up for it. It rejects if the call
   * ends before all are sent. Digits in the sound take the place of the input, muted or not, for their time and the gap behind.
   *
   * @throws `ERR_INVALID_ARGUMENT` for anything else, `ERR_SESSION_STATE` if the call is not answered,
   * `ERR_DTMF_REFUSED` if the other side takes no digits this way or more than 256 wait.
   */
  async sendDtmf(tones: string, options: DtmfOptions = {}): Promise<void> {
    if (!isText(tones)) throw invalidArgument('tones', tones, 'a string of the digits 0-9, *, # and A-D')
    const [given, signal] = abortable('sendDtmf', options, dtmfOptions)
    await this.#ask({ type: 'sendDtmf', id: this.id, tones, ...given }, signal)
  }

  /**
   * Sends an INFO inside the call, of 56 KiB at most; resolves when the other side has taken it.
   *
   * @throws `ERR_REQUEST_REFUSED` with the status in `sip`, `ERR_REQUEST_TIMEOUT`, `ERR_SESSION_STATE` if the call is not
   * answered, `ERR_SESSION_ENDED` if it ends first.
   */
  async sendInfo(options: InfoOptions): Promise<void> {
    const [{ contentType, body = '' }, signal] = abortable('options of sendInfo', options, infoOptions)
    if (contentType === undefined) throw invalidArgument('contentType', contentType, "a media type such as 'text/plain'")
    await this.#ask({ type: 'sendInfo', id: this.id, contentType, body }, signal)
  }

  /**
   * Asks the other side to call `target` instead (REFER); resolves when the target has taken the call, which ends this one.
   *
   * Also resolves if the other side agrees and hangs up without a report. `transferProgress` tells how far it is.
   *
   * @throws `ERR_TRANSFER_FAILED` if the other side refuses or the target does not take the call, with the status in `sip`:
   * this call goes on. `ERR_SESSION_STATE` if the call is not answered, or is being transferred already.
   */
  async transfer(target: string, options: Abortable = {}): Promise<void> {
    if (!isText(target) || target === '') throw invalidArgument('target', target, 'a SIP address or a number')
    const [, signal] = abortable('transfer', options)
    await this.#ask({ type: 'transfer', id: this.id, target }, signal)
  }

  /**
   * Connects the other sides of two calls (REFER with Replaces); resolves when they are, which ends both.
   *
   * Until then both calls stay. If `other` still rings, the transfer waits for its answer, or takes its place with
   * `ringing: 'blind'`. To cancel a consultation, end `other` instead; a transfer that waits for it then fails.
   *
   * @throws as {@link transfer}; `ERR_SESSION_STATE` for `'blind'` if it is `other` that was called and is not connected yet.
   */
  async attendedTransfer(other: Session, options: AttendedTransferOptions = {}): Promise<void> {
    if (!(other instanceof Session)) throw invalidArgument('other', other, 'a session')
    const [given, signal] = abortable('options of attendedTransfer', options, attendedTransferOptions)
    await this.#ask({ type: 'attendedTransfer', id: this.id, other: other.id, ...given }, signal)
  }

  /**
   * Follows a `transferRequested`: calls its target, and reports to the other side until that is answered. Resolves with the new
   * session once the INVITE is sent. If the other side takes part in a conference, so does the new one once it is answered.
   *
   * @throws `ERR_SESSION_STATE` if nobody asks any more.
   */
  async acceptTransfer(options: CallOptions = {}): Promise<Session> {
    const [given, signal] = abortable('options of acceptTransfer', options, callOptions)
    const command = { type: 'acceptTransfer', id: this.id, options: wireCall(given) } as const
    const session = await this.#ask(command, signal, (reply) => {
      const session = this.#find((reply as { id: string }).id)
      if (session) return session
      throw new SoftphoneError('The call has ended already', { code: 'ERR_SESSION_ENDED', type: 'session' })
    })
    return endOnAbort(session, signal)
  }

  /** Refuses a `transferRequested`. */
  async rejectTransfer(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('rejectTransfer', options)
    await this.#ask({ type: 'rejectTransfer', id: this.id }, signal)
  }

  /**
   * Changes where the outgoing sound comes from; of a member of a conference, once it goes on alone. Resolves when that is open.
   *
   * A later call overtakes one whose choice is not open yet.
   *
   * @throws `ERR_NO_DEVICE` if it can't be opened, or is not open within 5 s; the session goes on with what it had. `ERR_ABORTED` if
   * another was chosen before it was open.
   */
  async setInput(input: AudioInput): Promise<void> {
    await this.#ask({ type: 'setInput', id: this.id, input: wireInput('input', input) })
  }

  /**
   * Changes where the incoming sound goes; of a member of a conference, once it goes on alone. Resolves when that is open.
   *
   * A later call overtakes one whose choice is not open yet.
   *
   * @throws as {@link setInput}.
   */
  async setOutput(output: AudioOutput): Promise<void> {
    await this.#ask({ type: 'setOutput', id: this.id, output: wireOutput('output', output) })
  }

  /**
   * Shows something else as the camera. `'none'` only takes the other side's pictures; `null` stops the line, in both directions.
   * Resolves when the input is open, and when the other side has agreed if the line begins, stops, changes its direction or its codecs.
   *
   * What is replaced or stopped is not seen any more at once, whatever the other side says. A later call overtakes one that waits.
   *
   * @throws `ERR_VIDEO_FAILED` if the other side does not take the line or refuses the change, or has not agreed within 10 s, with the
   * status in `sip`; `ERR_NO_DEVICE` if the input can't be opened. What was shown before comes back, but what was stopped stays so.
   * `ERR_SESSION_STATE` if the other side has to agree and the call is not answered, or if there is no such stream; for one of a
   * session that is not there `ERR_SESSION_NOT_FOUND` or `ERR_SESSION_ENDED`, and for one of this session itself
   * `ERR_INVALID_ARGUMENT`. `ERR_ABORTED` if another was chosen first.
   */
  async setVideo(input: VideoInput | null): Promise<void> {
    await this.#show('camera', input)
  }

  /**
   * Shows something else as the screen, beside the camera; see {@link setVideo}.
   *
   * @throws as {@link setVideo}.
   */
  async setScreen(input: VideoInput | null): Promise<void> {
    await this.#show('screen', input)
  }

  /**
   * Changes where the pictures of a stream go, by the id that `streamAvailable` and `streams` give, until it ends. At first they go
   * nowhere. Resolves when that is open.
   *
   * @throws `ERR_SESSION_STATE` if there is no such stream, or no more; `ERR_NO_DEVICE` if the output can't be opened, such as a
   * `VideoSink` that another stream goes into.
   */
  async setVideoOutput(streamId: string, output: VideoOutput): Promise<void> {
    if (!isText(streamId)) throw invalidArgument('streamId', streamId, 'the id of a stream')
    await this.#ask({ type: 'setVideoOutput', id: this.id, stream: streamId, output: wireVideoOutput('output', output) })
  }

  /** Sends nothing of the camera: for the other side its picture stands still. A screen goes on. */
  async muteVideo(): Promise<void> {
    await this.#ask({ type: 'muteVideo', id: this.id, muted: true })
  }

  /** Sends the camera again. */
  async unmuteVideo(): Promise<void> {
    await this.#ask({ type: 'muteVideo', id: this.id, muted: false })
  }

  /**
   * Records the call into a file, created or overwritten, or into a Writable, beside the input and the output that it has. Resolves
   * when it is open; what is said until then is in it.
   *
   * The left channel has what the other side hears of this one (silence while this side is muted, the music while the other is on
   * hold), the right one what the other side says. The recording goes on through hold, a change of device or codec and conferences, and
   * in the call that takes this one's place by a transfer. It ends with the call, or by `stop()`.
   *
   * @throws `ERR_RECORDING_FAILED` if it can't be opened: the text names the path, why, and what to do. `ERR_SESSION_ENDED` if the call
   * is over. What goes wrong later is a `warning`, `recording-failed` or `recording-gap`, and the call goes on.
   */
  async record(file: string | Writable, options: RecordOptions = {}): Promise<Recording> {
    this.#refuseEnded()
    return Recording.begin(this.#link, { type: 'session', id: this.id }, file, options)
  }

  /**
   * Lets the application hear the call beside its input and output, such as for transcription: `'local'` is what the other side hears
   * of this one, `'remote'` what the other side says, `'both'` the two mixed into one channel. There may be several.
   *
   * What is not read in time is dropped, and `dropped` counts it: the call never waits. While the call is on hold without media
   * nothing comes. The sink ends with the call; `destroy()` ends it earlier.
   *
   * @throws `ERR_SESSION_ENDED` if the call is over.
   */
  tap(tapped: 'local' | 'remote' | 'both', options: AudioSinkOptions = {}): AudioSink {
    if (!['local', 'remote', 'both'].includes(tapped)) throw invalidArgument('tapped', tapped, "one of 'local', 'remote', 'both'")
    this.#refuseEnded()
    const sink = new AudioSink(options)
    this.#taps.add(sink)
    sink.once('close', () => this.#taps.delete(sink))
    this.#link.post({ type: 'tap', id: this.id, tapped, sink: sink.nativeId })
    return sink
  }

  /**
   * Changes what is done to the sound of this call's microphone from now on; what is not named stays as it was. What is no microphone
   * is sent as it is, and a member of a conference has its own once it goes on alone.
   */
  async setAudioProcessing(processing: AudioProcessing): Promise<void> {
    await this.#ask({ type: 'setAudioProcessing', id: this.id, processing: wireProcessing(processing) })
  }

  /** Sets the loudness of the incoming sound in percent, 0–100; of a member of a conference, once it goes on alone. */
  async setVolume(volume: number): Promise<void> {
    await this.#ask({ type: 'setVolume', id: this.id, volume: checkedVolume(volume) })
  }

  /**
   * The call's statistics with the names of W3C webrtc-stats; empty before it has media. How it was in the whole is in
   * `reason.summary` at its end.
   *
   * @throws `ERR_SESSION_ENDED` of a call that is over, as every method of it but `end`.
   */
  async getStats(): Promise<StatsReport> {
    this.#refuseEnded()
    const objects = await this.#link.stats(this.id)
    return new Map(objects.map((object) => [object.id, object]))
  }

  /**
   * Writes a page that shows the call so far, to send to whoever looks after its network: its SIP messages, events, ICE candidates, and
   * plots of its figures. It is one HTML file without anything beside it. Passwords, tokens, keys and digits are left out; names,
   * addresses and numbers are in it.
   *
   * It works in the call, for ten minutes after its end if no more than 15 other calls have ended since, and for a call that was never
   * answered. The file is there whole or not at all, and takes the place of one that is there.
   *
   * @throws `ERR_REPORT_FAILED` if it can't be written; `ERR_SESSION_ENDED` if nothing is kept of the call any more.
   */
  async report(path: string): Promise<void> {
    if (!isText(path) || path === '' || path.includes('\0')) throw invalidArgument('path', path, "a file to write, such as 'call.html'")
    await this.#link.report(this.id, resolve(path))
  }

  /** @internal */
  joined(conference: Conference | undefined): void {
    this.#conference = conference
  }

  /** @internal */
  change(changes: WireSessionChanges): void {
    const { state, connectionState, muted, videoMuted, held, remoteHeld, startTime, callId, conversationId, codec, security, sessionId } = changes
    if (sessionId !== undefined) assign(this, { sessionId })
    if (typeof startTime === 'number') assign(this, { startTime })
    if (typeof codec === 'string') assign(this, { codec })
    if (callId !== undefined) assign(this, { callId })
    if (conversationId !== undefined) assign(this, { conversationId })
    if (state !== undefined) this.#changeState(state)
    if (connectionState !== undefined) this.#changeConnection(connectionState)
    if (security !== undefined && security !== null) {
      assign(this, { security })
      this.deliver('change:security', this, security)
    }
    if (muted !== undefined && muted !== this.muted) {
      assign(this, { muted })
      this.deliver(muted ? 'mute' : 'unmute')
    }
    if (videoMuted !== undefined && videoMuted !== this.videoMuted) {
      assign(this, { videoMuted })
      this.deliver(videoMuted ? 'muteVideo' : 'unmuteVideo')
    }
    if (held !== undefined && held !== this.held) {
      assign(this, { held })
      this.deliver('change:held', this, held)
      this.deliver(held ? 'hold' : 'resume', { side: 'local' })
    }
    if (remoteHeld !== undefined && remoteHeld !== this.remoteHeld) {
      assign(this, { remoteHeld })
      this.deliver('change:remoteHeld', this, remoteHeld)
      this.deliver(remoteHeld ? 'hold' : 'resume', { side: 'remote' })
    }
  }

  /** @internal */
  shows(stream: VideoStream): void {
    assign(this, { streams: [...this.streams, stream] })
    this.deliver('streamAvailable', { ...stream })
  }

  /** @internal */
  showsNoMore(id: string): void {
    const gone = this.streams.find((stream) => stream.id === id)
    assign(this, { streams: this.streams.filter((stream) => stream !== gone) })
    if (gone) this.deliver('streamUnavailable', { ...gone })
  }

  /** @internal */
  resized(event: ResolutionEvent): void {
    const { id, width, height } = event
    assign(this, { streams: this.streams.map((stream) => (stream.id === id ? { ...stream, width, height } : stream)) })
    this.deliver('resolution', event)
  }

  /** @internal */
  warn(warning: WarningEvent): void {
    assign(this, { warnings: [...without(this.warnings, warning.code), warning] })
    this.deliver('warning', warning)
  }

  /** @internal */
  warnNoMore(code: WarningCode): void {
    assign(this, { warnings: without(this.warnings, code) })
    this.deliver('warningCleared', { code })
  }

  /** @internal */
  askedToTransfer(transferRequest: TransferRequestedEvent): void {
    assign(this, { transferRequest })
    this.deliver('transferRequested', { ...transferRequest })
  }

  /** @internal */
  askedNoMore(): void {
    assign(this, { transferRequest: undefined })
    this.deliver('transferRequestEnded')
  }

  /** @internal */
  answeredByPeer(): void {
    this.#answer.resolve()
    this.deliver('answered')
  }

  /** @internal */
  terminate(reason: EndReason): void {
    this.#endTime = Date.now()
    assign(this, { transferRequest: undefined })
    this.#changeConnection('disconnected')
    this.#changeState('ended')
    this.#answer.reject(unanswered(reason))
    for (const sink of this.#taps) sink.finish()
    this.deliver('terminated', this, reason)
  }

  async #show(content: 'camera' | 'screen', input: VideoInput | null): Promise<void> {
    const wire = input === null ? undefined : wireVideoInput('input', input)
    await this.#ask({ type: 'setVideo', id: this.id, content, input: wire })
  }

  async #ask<T = void>(command: WireCommand, signal?: AbortSignal, read: (reply: unknown) => T = () => undefined as T): Promise<T> {
    this.#refuseEnded()
    return this.#link.command(command, signal, read)
  }

  // The engine remembers only so many of them, and none once it is destroyed.
  #refuseEnded(): void {
    if (this.state === 'ended') throw new SoftphoneError('The session has ended', { code: 'ERR_SESSION_ENDED', type: 'session' })
  }

  #changeState(state: SessionState): void {
    const before = this.state
    if (state === before) return
    assign(this, { state })
    if (state === 'active') this.#answer.resolve()
    this.deliver('change:sessionState', this, state)
    if (state !== 'starting') this.deliver(`change:${state}`, this, true)
    if (before !== 'starting') this.deliver(`change:${before}`, this, false)
  }

  #changeConnection(connectionState: ConnectionState): void {
    const before = this.connectionState
    if (connectionState === before) return
    assign(this, { connectionState })
    this.deliver('change:connectionState', this, connectionState)
    if (connectionState !== 'starting') this.deliver(`change:${connectionState}`, this, true)
    if (before !== 'starting') this.deliver(`change:${before}`, this, false)
  }
}

type FindSession = (id: string) => Session | undefined

function without(warnings: readonly WarningEvent[], code: WarningCode): WarningEvent[] {
  return warnings.filter((warning) => warning.code !== code)
}

// An accessor of the object itself: structuredClone reads those, and leaves out the prototype's.
function derive(session: Session, name: keyof Session, get: () => unknown): void {
  Object.defineProperty(session, name, { get, enumerable: true })
}

function elapsed(start: number | undefined, end = Date.now()): number {
  return start === undefined ? 0 : Math.max(0, end - start)
}

// The one place that writes what is read-only to everybody else.
function assign(session: Session, properties: Partial<Session>): void {
  Object.assign(session, properties)
}

/** @internal */
export function headersByName(headers: readonly [name: string, value: string][]): Record<string, string[]> {
  const byName = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    byName.set(key, [...(byName.get(key) ?? []), value])
  }
  // A Map in between, for a header may be called `__proto__`.
  return Object.fromEntries(byName)
}

/** @internal */
export function checkedVolume(volume: number): number {
  if (typeof volume === 'number' && volume >= 0 && volume <= 100) return Math.round(volume)
  throw invalidArgument('volume', volume, 'a number from 0 to 100', shownNumber(volume))
}

/** @internal */
export function invalidArgument(name: string, value: unknown, expected: string, what = typeName(value)): SoftphoneError {
  return new SoftphoneError(`Bad argument "${name}": expected ${expected}, got ${what}`, {
    code: 'ERR_INVALID_ARGUMENT',
    type: 'invalid_options',
  })
}
