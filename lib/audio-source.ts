import { Writable } from 'node:stream'
import { types } from 'node:util'
import { SoftphoneError } from './errors'
import { checkOptions, className, type Schema } from './schema'
import { native, type NativeSource, type SourceEvent } from './native'

/** Samples per second of PCM that an application writes or reads. */
export type SampleRate = 8000 | 16000 | 24000 | 48000

/** @internal */
export const sampleRates: readonly SampleRate[] = [8000, 16000, 24000, 48000]

/** Options of an {@link AudioSource}. */
export interface AudioSourceOptions {
  /** Samples per second of what is written; default 48000. */
  rate?: SampleRate
  /** Milliseconds of sound that may wait to be played before `write` asks to wait; default 200. */
  queue?: number
}

const schema: Schema = {
  rate: { oneOf: sampleRates },
  queue: { number: { min: 20, max: 60_000 } },
}

/** How a mark of {@link AudioSource.mark} ended: its sample was played, or dropped. */
export type MarkOutcome = 'played' | 'cleared'

/**
 * Sound that the application writes: 16-bit mono PCM, little-endian, as Buffers or Int16Arrays of any size, or as text in base64.
 *
 * It is played at its own pace by the native engine: write as fast as `write` and `drain` allow. One session at a time
 * plays it. What is written before waits for that session; what still waits when the session ends or takes another
 * input is dropped, so that the next one does not hear the rest of a sentence. `finish` comes when everything was played
 * or dropped. A source that no session will play any more ends with `destroy()`, which settles all that waits.
 */
export class AudioSource extends Writable {
  /** Samples per second of what is written. */
  readonly rate: SampleRate
  readonly #native: NativeSource
  readonly #limit: number
  readonly #marks = new Map<number, (outcome: MarkOutcome) => void>()
  #nextMark = 1
  #half: number | undefined
  #queued = 0
  #waiting: (() => void) | undefined
  #defaultEncoding: unknown

  constructor(options: AudioSourceOptions = {}) {
    checkOptions('AudioSource', options, schema)
    const { rate = 48000, queue = 200 } = options
    // Half of it may wait before the stream is told to wait, half while it waits: what is written goes to the engine at once.
    const half = queue / 2
    super({ highWaterMark: bytes(rate, half), decodeStrings: true })
    this.rate = rate
    this.#limit = half
    this.#native = new (native().NativeSource)(rate, half / 2, (event, mark) => this.#onEvent(event, mark))
  }

  /** @internal */
  get nativeId(): number {
    return this.#native.id
  }

  /**
   * Takes PCM: a Buffer, an Int16Array, or text with the encoding of its bytes, such as `'base64'`.
   *
   * @throws `ERR_INVALID_ARGUMENT` for text without such an encoding, and for numbers of another size than 16 bits.
   */
  override write(chunk: any, ...rest: any[]): boolean {
    const pcm = this.#send(chunk, rest[0])
    return (super.write as (...args: unknown[]) => boolean)(pcm, ...rest)
  }

  override end(chunk?: any, ...rest: any[]): this {
    const pcm = this.#send(chunk, rest[0])
    return (super.end as (...args: unknown[]) => this)(pcm, ...rest)
  }

  /** Sets the encoding of text that is written without one. */
  override setDefaultEncoding(encoding: BufferEncoding): this {
    super.setDefaultEncoding(encoding)
    this.#defaultEncoding = encoding
    return this
  }

  /** Drops everything that waits to be played (barge-in); marks behind it resolve with `'cleared'`. */
  clear(): void {
    if (this.destroyed) return
    this.#half = undefined
    for (const mark of this.#native.clear()) this.#onEvent('cleared', mark)
    this.#release()
  }

  /**
   * Resolves with `'played'` when the last sample written so far was really played, or with `'cleared'` when it was dropped: by
   * `clear()`, by the end of the session that played it, or by `destroy()`. If nothing waits, that is at once. If no session plays
   * the source, what was written waits for one, and so does its mark.
   */
  mark(): Promise<MarkOutcome> {
    if (this.destroyed) return Promise.resolve('cleared')
    const mark = this.#nextMark++
    return new Promise((resolve) => {
      this.#marks.set(mark, resolve)
      const outcome = this.#native.mark(mark)
      if (outcome) this.#onEvent(outcome, mark)
    })
  }

  // The engine has it already: here a write only waits until it may be followed by the next.
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#queued > this.#limit) this.#waiting = done
    else done()
  }

  override _final(done: () => void): void {
    this.#native.end()
    // `finish` says that everything was played: destroying before would drop what waits.
    void this.mark().then(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.close()
    this.#release()
    for (const resolve of this.#marks.values()) resolve('cleared')
    this.#marks.clear()
    done(error)
  }

  // At once, not when the stream's turn comes: clear(), marks and the end of a session meet all that was written.
  #send(chunk: unknown, encoding: unknown): unknown {
    const pcm = asBytes(chunk, typeof encoding === 'string' ? encoding : this.#defaultEncoding)
    if (this.writable && Buffer.isBuffer(pcm)) {
      const samples = this.#wholeSamples(pcm)
      if (samples.length > 0) this.#queued = this.#native.write(samples)
    }
    return pcm
  }

  #wholeSamples(chunk: Buffer): Buffer {
    const joined = this.#half === undefined ? chunk : Buffer.concat([Buffer.of(this.#half), chunk])
    const odd = joined.length % 2 === 1
    this.#half = odd ? joined[joined.length - 1] : undefined
    return odd ? joined.subarray(0, -1) : joined
  }

  #onEvent(event: SourceEvent, mark: number): void {
    if (event === 'drain') return this.#release()
    this.#marks.get(mark)?.(event)
    this.#marks.delete(mark)
  }

  #release(): void {
    this.#queued = 0
    const done = this.#waiting
    this.#waiting = undefined
    done?.()
  }
}

const binary: ReadonlySet<unknown> = new Set(['base64', 'base64url', 'hex', 'latin1', 'binary'])

function asBytes(chunk: unknown, encoding: unknown): unknown {
  if (typeof chunk === 'string') return decoded(chunk, encoding)
  if (!ArrayBuffer.isView(chunk) || Buffer.isBuffer(chunk)) return chunk
  if (types.isInt16Array(chunk) || types.isUint8Array(chunk) || types.isDataView(chunk)) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  }
  throw notPcm(`a ${className(chunk) || 'typed array'}`)
}

// Text in an encoding of characters is never sound: it would be heard as noise.
function decoded(text: string, encoding: unknown): Buffer {
  const name = typeof encoding === 'string' ? encoding.toLowerCase() : 'utf8'
  if (!binary.has(name)) throw notPcm(`text in ${name}`)
  return Buffer.from(text, name as BufferEncoding)
}

function notPcm(what: string): SoftphoneError {
  const expected = "a Buffer or an Int16Array of 16-bit PCM, or text with the encoding of its bytes, such as write(text, 'base64')"
  return new SoftphoneError(`Bad argument "chunk": expected ${expected}, but it is ${what}`, {
    code: 'ERR_INVALID_ARGUMENT',
    type: 'invalid_options',
  })
}

function bytes(rate: SampleRate, milliseconds: number): number {
  return Math.ceil((rate * milliseconds) / 1000) * 2
}
