import { Readable } from 'node:stream'
import { sampleRates, type SampleRate } from './audio-source'
import { hold, weakly } from './held'
import { native, type NativeSink } from './native'
import { checkOptions, type Schema } from './schema'
import { Turns } from './turns'

/** Options of an {@link AudioSink}. */
export interface AudioSinkOptions {
  /** Samples per second of what is read; default 48000. */
  rate?: SampleRate
  /** Milliseconds of sound that wait for a slow reader before the oldest are dropped; default 1000. */
  queue?: number
}

const schema: Schema = {
  rate: { oneOf: sampleRates },
  queue: { number: { min: 20, max: 60_000 } },
}

/** All sinks of this thread. */
const turns = new Turns()

/**
 * Sound that the application reads: Buffers of 20 ms each, 16-bit mono PCM, little-endian.
 *
 * A reader that is too slow loses the oldest frames, which `dropped` counts; the call is never held up, and neither is the
 * rest of the application: the sinks of a thread give a frame each in turn, for 4 ms at most of each turn of its event loop.
 */
export class AudioSink extends Readable {
  /** Samples per second of what is read. */
  readonly rate: SampleRate
  readonly #native: NativeSink
  readonly #turn = () => this.#deliver()
  #dropped: number | undefined
  #last = false

  constructor(options: AudioSinkOptions = {}) {
    checkOptions('AudioSink', options, schema)
    const { rate = 48000, queue = 1000 } = options
    super({ objectMode: true, highWaterMark: 1 })
    this.rate = rate
    this.#native = new (native().NativeSink)(rate, queue, weakly(this.#turn, (turn) => turns.join(turn)))
  }

  /** @internal Its name, for whoever shall give to it. */
  get nativeId(): number {
    hold(this, this.#native)
    return this.#native.id
  }

  /** Frames of 20 ms that were dropped because nobody read them in time; kept when the sink is destroyed. */
  get dropped(): number {
    return this.#dropped ?? this.#native.dropped
  }

  /** @internal Nothing comes any more: it ends behind what waits. */
  finish(): void {
    this.#last = true
    turns.join(this.#turn)
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
    return frame !== null && this.push(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength))
  }
}
