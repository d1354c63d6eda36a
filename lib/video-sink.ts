import { Readable } from 'node:stream'
import { native, type NativeVideoSink } from './native'
import { checkOptions, type Schema } from './schema'
import { Turns } from './turns'
import type { EncodedFrame } from './video-source'

/** Options of a {@link VideoSink}. */
export interface VideoSinkOptions {
  /** Frames that wait for a slow reader before the oldest are dropped, 1 to 256; default 64. */
  queue?: number
}

const schema: Schema = { queue: { number: { min: 1, max: 256, integer: true } } }

/** All sinks of pictures of this thread. */
const turns = new Turns()

/**
 * Pictures that the application reads: an {@link EncodedFrame} each, whole and in order, beginning with a key frame.
 *
 * A reader that is too slow loses the oldest frames and then all up to the next key frame, which is asked for by itself; `dropped`
 * counts them. The call is never held up. One stream at a time goes into it; it outlives that, and ends with `close()`.
 */
export class VideoSink extends Readable {
  readonly #native: NativeVideoSink
  readonly #turn = () => this.#deliver()
  #dropped: number | undefined
  #last = false

  constructor(options: VideoSinkOptions = {}) {
    checkOptions('VideoSink', options, schema)
    const { queue = 64 } = options
    super({ objectMode: true, highWaterMark: 1 })
    this.#native = new (native().NativeVideoSink)(queue, () => turns.join(this.#turn))
  }

  /** @internal */
  get nativeId(): number {
    return this.#native.id
  }

  /** Frames that were dropped because nobody read them in time, and those that needed them; kept when the sink is destroyed. */
  get dropped(): number {
    return this.#dropped ?? this.#native.dropped
  }

  /** Asks the other side for a frame that can be decoded by itself; it is asked twice a second at most. */
  requestKeyFrame(): void {
    if (!this.destroyed) this.#native.requestKeyFrame()
  }

  /** Ends it behind what waits; nothing comes any more. */
  close(): void {
    this.#last = true
    if (!this.destroyed) turns.join(this.#turn)
  }

  // Never at once: a reader that always finds the next frame would keep everything else from running.
  override _read(): void {
    turns.join(this.#turn)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    turns.leave(this.#turn)
    this.#dropped = this.#native.dropped
    this.#native.close()
    done(error)
  }

  #deliver(): boolean {
    const frame = this.destroyed ? null : this.#native.read()
    if (frame === null && this.#last && !this.destroyed) {
      this.#last = false
      this.push(null)
    }
    if (frame === null) return false
    const { codec, key, timestamp, data } = frame
    const read: EncodedFrame = { codec, key, timestamp, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }
    return this.push(read)
  }
}
