import { EndReason, SoftphoneError, type AudioInput, type HoldOptions, type RejectOptions, type Session, type StatsReport } from '../../index'
import { tell } from '../tell'
import { WildEmitter } from './emitter'
import type { SoftphoneSessionEvents } from './events'
import type { PeerStream } from './options'

const forwarded = [
  'terminated',
  'change:sessionState',
  'change:connectionState',
  'change:pending',
  'change:active',
  'change:ended',
  'change:connecting',
  'change:connected',
  'change:interrupted',
  'change:disconnected',
  'change:held',
  'change:remoteHeld',
  'endOfCandidates',
  'progress',
  'answered',
  'mute',
  'unmute',
  'hold',
  'resume',
  'dtmf',
  'info',
  'stats',
  'warning',
  'warningCleared',
] as const

/** One call, with the members that sessions of the original have. */
export class SoftphoneSession extends WildEmitter<SoftphoneSessionEvents> {
  /** The session of the phone behind it, for everything beyond the document. */
  readonly session: Session
  readonly #peerStream: PeerStream
  readonly #report: (error: Error) => void
  readonly #localStreams: AudioInput[] = []
  #hasPeerStream = false

  /** @internal */
  constructor(session: Session, peerStream: PeerStream, report: (error: Error) => void) {
    super()
    this.session = session
    this.#peerStream = peerStream
    this.#report = report
    for (const event of forwarded) {
      session.on(event, (...args: unknown[]) => {
        if (event === 'terminated') this.#removePeerStream()
        const own = args.flatMap((argument) => this.#ownOf(argument))
        tell(() => this.emit(event, ...(own as SoftphoneSessionEvents[typeof event])))
        if (event === 'change:connectionState' && session.connected) this.#addPeerStream()
      })
    }
  }

  /** Names the session; the same as the pending session's. */
  get id(): string {
    return this.session.id
  }
  /** The same as `id`. */
  get sid(): string {
    return this.session.id
  }
  /** Links the call to the platform's conversation. */
  get conversationId(): string {
    return this.session.conversationId
  }
  /** The other party's SIP address. */
  get peerID(): string {
    return this.session.uri
  }
  /** The other party's address: the user part of its URI. */
  get address(): string {
    return this.session.address
  }
  /** Whether this phone called. */
  get isInitiator(): boolean {
    return this.session.direction === 'outgoing'
  }
  /** When the call was answered, in milliseconds since 1970. */
  get starttime(): number | undefined {
    return this.session.startTime
  }
  /** What the other party sends, once it is there. */
  get streams(): PeerStream[] {
    return this.#hasPeerStream ? [this.#peerStream] : []
  }
  /** `starting`, `pending`, `active` or `ended`. */
  get state(): Session['state'] {
    return this.session.state
  }
  /** `starting`, `connecting`, `connected`, `interrupted` or `disconnected`. */
  get connectionState(): Session['connectionState'] {
    return this.session.connectionState
  }
  /** Whether the signalling has not begun. */
  get starting(): boolean {
    return this.state === 'starting'
  }
  /** Whether the call is not answered yet. */
  get pending(): boolean {
    return this.state === 'pending'
  }
  /** Whether the call is answered and not over. */
  get active(): boolean {
    return this.state === 'active'
  }
  /** Whether the call is over. */
  get ended(): boolean {
    return this.state === 'ended'
  }
  /** Whether the media connection is being made. */
  get connecting(): boolean {
    return this.connectionState === 'connecting'
  }
  /** Whether the media connection stands. */
  get connected(): boolean {
    return this.connectionState === 'connected'
  }
  /** Whether the media connection is interrupted. */
  get interrupted(): boolean {
    return this.connectionState === 'interrupted'
  }
  /** Whether the media connection is gone. */
  get disconnected(): boolean {
    return this.connectionState === 'disconnected'
  }
  /** Whether the other party hears silence. */
  get muted(): boolean {
    return this.session.muted
  }
  /** Whether the other party is on hold here. */
  get held(): boolean {
    return this.session.held
  }

  /** Connects a session that was accepted without connecting it; `next` is called when that is done. */
  accept(options?: unknown, next?: (error?: unknown) => void): Promise<void> {
    const done = typeof options === 'function' ? (options as typeof next) : next
    return this.#told(settle(this.session.accept(), done))
  }

  /** Gives up a call that was placed and not answered. */
  cancel(): Promise<void> {
    return this.#told(this.session.end())
  }

  /** Refuses the call, with 486 by default. */
  decline(options: RejectOptions = {}): Promise<void> {
    return this.#told(this.session.reject(options))
  }

  /** Ends the call, whatever its state. */
  end(): Promise<void> {
    return this.#told(this.session.end())
  }

  /** Sends silence instead of the input. */
  mute(): Promise<void> {
    return this.#told(this.session.mute())
  }

  /** Sends the input again. */
  unmute(): Promise<void> {
    return this.#told(this.session.unmute())
  }

  /** Puts the other party on hold; resolves when it has agreed. */
  hold(options: HoldOptions = {}): Promise<void> {
    return this.#told(this.session.hold(options))
  }

  /** Takes the other party off hold; resolves when it has agreed. */
  resume(): Promise<void> {
    return this.#told(this.session.resume())
  }

  /** Sends digits; resolves when the last one was sent. */
  sendDtmf(tones: string): Promise<void> {
    return this.session.sendDtmf(tones)
  }

  /**
   * Sends this from now on: a device, an `AudioSource`, a WAV file, a tone.
   *
   * @throws `ERR_ABORTED` if another was added, or this one removed, before it was open; that is no `error` of the SDK.
   */
  addStream(stream: AudioInput): Promise<void> {
    return this.#chosen(this.#add(stream))
  }

  /** Sends it no more: the stream added before it, or silence. */
  removeStream(stream: AudioInput): Promise<void> {
    this.#forget(stream)
    return this.#chosen(this.session.setInput(this.#localStreams.at(-1) ?? 'none'))
  }

  /** Sends one stream instead of another; throws as `addStream()`. */
  switchStream(old: AudioInput, stream: AudioInput): Promise<void> {
    this.#forget(old)
    return this.addStream(stream)
  }

  /** The call's statistics with the names of W3C webrtc-stats. */
  getStats(): Promise<StatsReport> {
    return this.session.getStats()
  }

  async #add(stream: AudioInput): Promise<void> {
    this.#localStreams.push(stream)
    try {
      await this.session.setInput(stream)
    } catch (error) {
      // Behind one that was added later it waits for that to be removed.
      if (!isOvertaken(error)) this.#forget(stream)
      throw error
    }
  }

  #forget(stream: AudioInput): void {
    const index = this.#localStreams.indexOf(stream)
    if (index >= 0) this.#localStreams.splice(index, 1)
  }

  // The original returns nothing to wait for: what fails goes to the SDK's `error`, and is no unhandled rejection.
  #told(done: Promise<void>): Promise<void> {
    done.catch(this.#report)
    return done
  }

  // A choice that another one overtakes has not failed.
  #chosen(done: Promise<void>): Promise<void> {
    done.catch((error: Error) => isOvertaken(error) || this.#report(error))
    return done
  }

  // The document's arguments: its session, and the reason as a string, with all that is known of it behind.
  #ownOf(argument: unknown): unknown[] {
    if (argument === this.session) return [this]
    return argument instanceof EndReason ? [argument.condition, argument] : [argument]
  }

  #addPeerStream(): void {
    if (this.#hasPeerStream) return
    this.#hasPeerStream = true
    const stream = this.#peerStream
    tell(() => this.emit('peerStreamAdded', this, stream))
  }

  #removePeerStream(): void {
    if (!this.#hasPeerStream) return
    this.#hasPeerStream = false
    const stream = this.#peerStream
    tell(() => this.emit('peerStreamRemoved', this, stream))
  }
}

function isOvertaken(error: unknown): boolean {
  return error instanceof SoftphoneError && error.code === 'ERR_ABORTED'
}

async function settle(done: Promise<void>, next: ((error?: unknown) => void) | undefined): Promise<void> {
  if (!next) return done
  await done.then(() => next(), next)
}
