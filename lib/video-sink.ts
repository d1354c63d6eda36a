import { Readable } from 'node:stream'
import { hold, weakly } from './held'
import { native, type NativeVideoFrame, type NativeVideoSink } from './native'
import { checkOptions, type Schema } from './schema'
import { Turns } from './turns'
import { needRawVideo, type RawFrame, type RawVideoFormat } from './raw-video'
import type { EncodedFrame } from './video-source'

/** Options of a {@link VideoSink}. */
export interface VideoSinkOptions {
  /**
   * `'encoded'` (default): {@link EncodedFrame}s. `'I420'`, `'RGBA'`: {@link RawFrame}s, decoded natively; only VP8 is, so have the
   * call take nothing else.
   */
  format?: 'encoded' | RawVideoFormat
  /** Frames that wait for a slow reader before the oldest are dropped, 1 to 256; default 64 encoded or 8 raw ones. */
  queue?: number
}

const schema: Schema = { format: { oneOf: ['encoded', 'I420', 'RGBA'] }, queue: { number: { min: 1, max: 256, integer: true } } }

/** All sinks of pictures of this thread. */
const turns = new Turns()

/**
 * Pictures that the application reads: an {@link EncodedFrame} or a {@link RawFrame} each, whole and in order, beginning with a key
 * frame.
 *
 * A reader that is too slow loses the oldest frames and then all up to the next key frame, which is asked for by itself; `dropped`
 * counts them. The call is never held up. One stream at a time goes into it; it outlives that, and ends with `close()`.
 */
export class VideoSink extends Readable {
  readonly #native: NativeVideoSink
  readonly #queue: number
  readonly #turn = () => this.#deliver()
  #dropped: number | undefined
  /** What waited when it was closed. */
  #rest: NativeVideoFrame[] | undefined

  constructor(options: VideoSinkOptions = {}) {
    checkOptions('VideoSink', options, schema)
    const { format = 'encoded', queue = format === 'encoded' ? 64 : 8 } = options
    if (format !== 'encoded') needRawVideo('options.format')
    super({ objectMode: true, highWaterMark: 1 })
    this.#queue = queue
    this.#native = new (native().NativeVideoSink)(queue, weakly(this.#turn, (turn) => turns.join(turn)), format === 'encoded' ? undefined : format)
  }

  /** @internal Its name, for whoever shall fill it. */
  get nativeId(): number {
    hold(this, this.#native)
    return this.#native.id
  }

  /** Frames that were dropped because nobody read them in time, and those that needed them; kept when the sink is closed. */
  get dropped(): number {
    return this.#dropped ?? this.#native.dropped
  }

  /** Asks the other side for a frame that can be decoded by itself; it is asked twice a second at most. */
  requestKeyFrame(): void {
    if (!this.destroyed && !this.#rest) this.#native.requestKeyFrame()
  }

  /** Ends it behind what waits; nothing comes any more. */
  close(): void {
    if (this.destroyed || this.#rest) return
    this.#rest = this.#waiting()
    this.#letGo()
    turns.join(this.#turn)
  }

  // Never at once: a reader that always finds the next frame would keep everything else from running.
  override _read(): void {
    turns.join(this.#turn)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    turns.leave(this.#turn)
    if (!this.#rest) this.#letGo()
    done(error)
  }

  // What comes meanwhile is not waited for: that need not end.
  #waiting(): NativeVideoFrame[] {
    const frames: NativeVideoFrame[] = []
    while (frames.length < this.#queue) {
      const frame = this.#native.read()
      if (!frame) break
      frames.push(frame)
    }
    return frames
  }

  #letGo(): void {
    this.#dropped = this.#native.dropped
    this.#native.close()
  }

  #deliver(): boolean {
    if (this.destroyed) return false
    const frame = this.#rest ? this.#rest.shift() : this.#native.read()
    if (!frame) {
      if (this.#rest) this.push(null)
      return false
    }
    return this.push(read(frame))
  }
}

function read(frame: NativeVideoFrame): EncodedFrame | RawFrame {
  const { codec, key = false, format, rotation, timestamp, width, height } = frame
  const data = Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength)
  if (codec !== undefined) return { codec, key, timestamp, data }
  return { format, width, height, rotation, timestamp, data } as RawFrame
}
