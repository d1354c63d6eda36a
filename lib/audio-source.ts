import { Writable } from 'node:stream'
import { types } from 'node:util'
import { SoftphoneError } from './errors'
import { hold, weakly } from './held'
import { checkOptions, className, type Schema, typeName } from './schema'
import { native, type EndedMark, type NativeSource, type SourceEvent } from './native'

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

/** How a mark with a name ended. */
export interface SourceMark {
  /** The name that it was given. */
  name: string
  /** What became of the sample before it. */
  outcome: MarkOutcome
  /** How many samples of the source had been played by then, since it was made; what was dropped does not count. */
  position: number
}

/** How far an {@link AudioSource} has been played, in samples at its `rate` since it was made; what was dropped does not count. */
export interface SourcePosition {
  /** Samples that were handed to the network. */
  sent: number
  /**
   * Of these, the samples that the other side has heard, by estimate: those that were sent longer than `delay` ago. Undefined
   * before the delay is known, and in a conference. What the network loses counts as heard.
   */
  heard: number | undefined
  /**
   * Milliseconds from the network to the other side's ear, by estimate: half the round trip that RTCP (or before its first report
   * ICE) measures, one packet, three times the jitter that the other side reports, for its jitter buffer, and 20 ms for its device.
   */
  delay: number | undefined
}

/** What {@link AudioSource.clear} did. */
export interface ClearedSound {
  /** Milliseconds that were played of what was written since the last `clear()`, or since the source was made. */
  played: number
  /** Milliseconds that waited, and were dropped. */
  dropped: number
}

/**
 * Sound that the application writes: 16-bit mono PCM, little-endian, as Buffers or Int16Arrays of any size, or as text in base64.
 *
 * It is played at its own pace by the native engine: write as fast as `write` and `drain` allow. One session at a time
 * plays it. What is written before waits for that session; what still waits when the session ends or takes another
 * input is dropped, so that the next one does not hear the rest of a sentence. `finish` comes when everything was played
 * or dropped. A source that no session will play any more ends with `destroy()`, which settles all that waits.
 *
 * Beside the events of a `Writable` there is `mark`, with a {@link SourceMark}, for each mark that has a name. While the session is
 * muted or on hold, or a digit stands in for the sound: muted sound and what digits replace counts as played; on hold nothing is.
 */
export class AudioSource extends Writable {
  /** Samples per second of what is written. */
  readonly rate: SampleRate
  readonly #native: NativeSource
  readonly #limit: number
  readonly #marks = new Map<number, (ended: EndedMark) => void>()
  #last: SourcePosition = { sent: 0, heard: undefined, delay: undefined }
  #nextMark = 1
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
    this.#native = new (native().NativeSource)(rate, half / 2, weakly(this as AudioSource, (source, ...event) => source.#onEvent(...event)))
  }

  /** @internal Its name, for whoever shall play it. */
  get nativeId(): number {
    hold(this, this.#native)
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

  /** How far it has been played, and heard. */
  get position(): SourcePosition {
    if (!this.destroyed) this.#look()
    return { ...this.#last }
  }

  /** Milliseconds of sound that wait to be played. */
  get queued(): number {
    return this.destroyed ? 0 : this.#native.queued()
  }

  /** Plays nothing, and keeps what waits, until `resume()`. What was sent already is still heard. */
  pause(): void {
    if (!this.destroyed) this.#native.pause()
  }

  /** Plays on after `pause()`. */
  resume(): void {
    if (!this.destroyed) this.#native.resume()
  }

  /**
   * Drops everything that waits to be played (barge-in), at once; marks behind it end as `'cleared'`. Returns the milliseconds of
   * what was played since the last time, and of what was dropped. A source that is paused stays so.
   */
  clear(): ClearedSound {
    if (this.destroyed) return { played: 0, dropped: 0 }
    const { played, dropped, marks } = this.#native.clear()
    for (const mark of marks) this.#reach(mark)
    this.#release()
    return { played, dropped }
  }

  /**
   * Resolves with `'played'` when the last sample written so far was really played, or with `'cleared'` when it was dropped: by
   * `clear()`, by the end of the session that played it, or by `destroy()`. If nothing waits, that is at once. If no session plays
   * the source, what was written waits for one, and so does its mark.
   */
  mark(): Promise<MarkOutcome>
  /**
   * Resolves as a mark without a name does, with the name and the position as well; the event `mark` says the same. Names need not
   * differ.
   *
   * @throws `ERR_INVALID_ARGUMENT` for a name that is no string.
   */
  mark(name: string): Promise<SourceMark>
  mark(name?: string): Promise<MarkOutcome | SourceMark> {
    if (name === undefined) return this.#mark(({ outcome }) => outcome)
    if (typeof name !== 'string') throw badArgument('name', 'a string', typeName(name))
    return this.#mark(({ outcome, position }) => {
      const mark = { name, outcome, position }
      // A listener of its own turn: one that throws keeps nothing else from being told.
      queueMicrotask(() => this.emit('mark', { ...mark }))
      return mark
    })
  }

  #mark<T>(read: (ended: EndedMark) => T): Promise<T> {
    const mark = this.#nextMark++
    return new Promise((resolve) => {
      this.#marks.set(mark, (ended) => resolve(read(ended)))
      const ended = this.destroyed ? this.#cleared(mark) : this.#native.mark(mark)
      if (ended) this.#reach(ended)
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
    this.#look()
    this.#native.close()
    this.#release()
    for (const mark of [...this.#marks.keys()]) this.#reach(this.#cleared(mark))
    done(error)
  }

  // At once, not when the stream's turn comes: clear(), marks and the end of a session meet all that was written.
  #send(chunk: unknown, encoding: unknown): unknown {
    const pcm = asBytes(chunk, typeof encoding === 'string' ? encoding : this.#defaultEncoding)
    if (this.writable && Buffer.isBuffer(pcm)) {
      this.#queued = this.#native.write(pcm)
    }
    return pcm
  }

  #look(): void {
    const { sent, heard, delay } = this.#native.position()
    this.#last = { sent, heard: heard ?? undefined, delay: delay ?? undefined }
  }

  #onEvent(event: SourceEvent, mark: number, position: number): void {
    if (event === 'drain') return this.#release()
    this.#reach({ mark, outcome: event, position })
  }

  #reach(ended: EndedMark): void {
    const reached = this.#marks.get(ended.mark)
    this.#marks.delete(ended.mark)
    reached?.(ended)
  }

  #cleared(mark: number): EndedMark {
    return { mark, outcome: 'cleared', position: this.#last.sent }
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
  return badArgument('chunk', expected, what)
}

function badArgument(name: string, expected: string, what: string): SoftphoneError {
  return new SoftphoneError(`Bad argument "${name}": expected ${expected}, but it is ${what}`, {
    code: 'ERR_INVALID_ARGUMENT',
    type: 'invalid_options',
  })
}

function bytes(rate: SampleRate, milliseconds: number): number {
  return Math.ceil((rate * milliseconds) / 1000) * 2
}
