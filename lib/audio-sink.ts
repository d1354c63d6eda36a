import { Readable } from 'node:stream'
import { sampleRates, type SampleRate } from './audio-source'
import { native, type NativeSink } from './native'
import { checkOptions, type Schema } from './schema'

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

/**
 * Sound that the application reads: Buffers of 20 ms each, 16-bit mono PCM, little-endian.
 *
 * A reader that is too slow loses the oldest frames, which `dropped` counts; the call is never held up.
 */
export class AudioSink extends Readable {
  /** Samples per second of what is read. */
  readonly rate: SampleRate
  readonly #native: NativeSink
  #wanted = false

  constructor(options: AudioSinkOptions = {}) {
    checkOptions('AudioSink', options, schema)
    const { rate = 48000, queue = 1000 } = options
    super({ objectMode: true, highWaterMark: 1 })
    this.rate = rate
    this.#native = new (native().NativeSink)(rate, queue, () => this.#pump())
  }

  /** @internal */
  get nativeId(): number {
    return this.#native.id
  }

  /** Frames of 20 ms that were dropped because nobody read them in time. */
  get dropped(): number {
    return this.#native.dropped
  }

  override _read(): void {
    this.#wanted = true
    this.#pump()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.close()
    done(error)
  }

  #pump(): void {
    while (this.#wanted && !this.destroyed) {
      const frame = this.#native.read()
      if (frame === null) return
      this.#wanted = this.push(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength))
    }
  }
}
