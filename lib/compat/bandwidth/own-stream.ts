import { randomUUID } from 'node:crypto'
import type { AudioInput, AudioOutput, EndReason, Session, Softphone, VideoSource } from '../../index'
import type { Cameras } from './cameras'
import type { RtcStream } from './streams'
import { ALIAS_HEADER, CALL_HEADER, ENDPOINT_HEADER, TOKEN_HEADER, type TokenClaims } from './token'

/** What is published by one call to the room. */
export interface OwnInputs {
  /** Undefined if it only shows something: it is a call beside the one that hears the room. */
  audio: AudioInput | undefined
  video: VideoSource | undefined
  /** Whose the pictures are, if a camera was opened for it. */
  cameras: Cameras | undefined
  ignored: string[]
}

/** One stream that is published, from when it is asked for until it ends. */
export class OwnStream {
  readonly endpointId = randomUUID()
  readonly inputs: OwnInputs
  /** Whether its pictures are of a camera, and not those that somebody publishes alone, such as a screen. */
  readonly isCamera: boolean
  /** Called once, when a stream that was told as published has ended. */
  ended: ((stream: RtcStream, reason: EndReason) => void) | undefined
  #calling: Promise<Session> | undefined
  #session: Session | undefined
  #stream: RtcStream | undefined

  constructor(inputs: OwnInputs) {
    this.inputs = inputs
    this.isCamera = inputs.audio !== undefined || !inputs.video
  }

  get hears(): boolean {
    return this.inputs.audio !== undefined
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Once it is published. */
  get stream(): RtcStream | undefined {
    return this.#stream
  }

  /** Calls the room, muted as `enabled` says before anything is sent. */
  async publish(phone: Softphone, claims: TokenClaims, { output, alias, enabled, begun }: PublishWish): Promise<RtcStream> {
    const { audio, video, ignored } = this.inputs
    const hearing = output === undefined ? {} : { audioElement: output }
    const headers = {
      [TOKEN_HEADER]: claims.key,
      [ENDPOINT_HEADER]: this.endpointId,
      ...(alias === undefined ? {} : { [ALIAS_HEADER]: alias }),
      ...(this.hears ? {} : { [CALL_HEADER]: 'publish' }),
    }
    const sound = this.hears ? { mediaStream: audio as AudioInput, ...hearing } : { mediaStream: 'none', audioElement: 'none' }
    this.#calling = phone.call(claims.room, { ...sound, ...(video ? { video } : {}), headers })
    const session = await this.#calling
    this.#session = session
    begun(session)
    session.on('terminated', (_, reason) => this.#over(reason))
    // Nothing is heard or seen of what is to be muted: there is no connection yet, and both are told before either is waited for.
    const muting: Promise<void>[] = []
    if (!enabled.mic) muting.push(session.mute())
    if (!enabled.camera && video && this.isCamera) muting.push(session.muteVideo())
    await Promise.all(muting)
    await session.answered
    if (session.state === 'ended') throw new Error('the stream has ended already')
    this.#stream = {
      endpointId: this.endpointId,
      mediaTypes: [...(this.hears ? (['AUDIO'] as const) : []), ...(video ? (['VIDEO'] as const) : [])],
      mediaStream: audio,
      ...(video ? { videoInput: video } : {}),
      participantId: claims.sub,
      ...(alias === undefined ? {} : { alias }),
      ...(ignored.length === 0 ? {} : { ignored }),
    }
    return this.#stream
  }

  /** Ends it; what is being published must not come after all. */
  async end(): Promise<void> {
    this.ended = undefined
    const session = this.#session ?? (await this.#calling?.catch(() => undefined))
    try {
      await session?.end()
    } finally {
      this.release()
    }
  }

  /** Lets go of its camera. */
  release(): void {
    const { cameras, video } = this.inputs
    this.inputs.cameras = undefined
    if (cameras && video) cameras.close?.(video)
  }

  #over(reason: EndReason): void {
    const told = this.ended
    this.ended = undefined
    this.release()
    if (this.#stream) told?.(this.#stream, reason)
  }
}

/** How a stream is published. */
export interface PublishWish {
  /** Where the others are heard. */
  output: AudioOutput | undefined
  alias: string | undefined
  /** What is not muted. */
  enabled: { mic: boolean; camera: boolean }
  /** Told of the call before it is answered. */
  begun: (session: Session) => void
}
