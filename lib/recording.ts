import { finished, Readable, type Writable } from 'node:stream'
import { type SampleRate, sampleRates } from './audio-source'
import { SoftphoneError } from './errors'
import { settledLater } from './later'
import type { PhoneLink } from './link'
import { native, type NativeSink } from './native'
import { checkOptions, isText, mismatch, type Schema } from './schema'
import type { WireCommandOf, WireRecordingReport } from './wire'

/** How a recording is stored. */
export type RecordingFormat = 'wav' | 'ogg-opus'

/** What is heard in a recording: this side on the left and the other on the right, both in one channel, or one of them. */
export type RecordingLegs = 'stereo' | 'mix' | 'local' | 'remote'

/** Options of {@link Session.record} and {@link Conference.record}. */
export interface RecordOptions {
  /**
   * `'wav'` has 16 bits; `'ogg-opus'` (RFC 7845) some 14 MB for each hour and channel. Default `'ogg-opus'` for a path that ends with
   * `.ogg` or `.opus`, else `'wav'`.
   */
  format?: RecordingFormat
  /** Default `'stereo'`. */
  legs?: RecordingLegs
  /** Samples per second; default 48000, at which nothing of any codec is lost. A second of `'stereo'` takes four octets for each. */
  rate?: SampleRate
}

/** What is in a recording that is whole. */
export interface RecordingResult {
  /** The path as it was given; undefined for a Writable. */
  file: string | undefined
  /** Its length in milliseconds. */
  duration: number
  /** The parts in which it was paused, which are silent: in milliseconds since its beginning. */
  paused: { from: number; to: number }[]
  /** Milliseconds that are silent because the disk, or whoever reads the Writable, was too slow. */
  lost: number
}

const schema: Schema = {
  format: { oneOf: ['wav', 'ogg-opus'] },
  legs: { oneOf: ['stereo', 'mix', 'local', 'remote'] },
  rate: { oneOf: sampleRates },
}

/** Chunks of half a second that wait for a slow Writable, as milliseconds of a sink's frames; what is said meanwhile waits in the engine. */
const QUEUE_MS = 160

/** The recordings of each phone that are not whole, by number. */
const running = new WeakMap<PhoneLink, Map<number, Recording>>()

/**
 * A recording of a call or a conference, from {@link Session.record} or {@link Conference.record}.
 *
 * It ends with `stop()`, or with what it records. The file is whole to its last half second at any time, even if the process is killed.
 */
export class Recording {
  /** The path as it was given; undefined for a Writable. */
  readonly file: string | undefined
  /** How it is stored. */
  readonly format: RecordingFormat
  /** What is heard in it. */
  readonly legs: RecordingLegs
  /** Samples per second. */
  readonly rate: SampleRate
  readonly #link: PhoneLink
  readonly #number: number
  readonly #stream: RecordingStream | undefined
  readonly #result = settledLater<RecordingResult>()
  #paused = false
  #ended = false

  /** @internal */
  static async begin(
    link: PhoneLink,
    recorded: WireCommandOf<'record'>['recorded'],
    to: string | Writable,
    options: RecordOptions = {},
  ): Promise<Recording> {
    checkOptions('options of record', options, schema)
    const file = isText(to) && to !== '' ? to : undefined
    const { format = formatOf(file), legs = 'stereo', rate = 48000 } = options
    const stream = file === undefined ? new RecordingStream(checkedWritable(to)) : undefined
    const target = stream === undefined ? ({ type: 'file', path: file! } as const) : ({ type: 'stream', id: stream.nativeId } as const)
    try {
      const begun = { file, format, legs, rate, stream }
      return await link.command({ type: 'record', recorded, target, format, legs, rate }, undefined, (reply) => {
        return new Recording(link, (reply as { recording: number }).recording, begun)
      })
    } catch (error) {
      stream?.destroy()
      throw error
    }
  }

  private constructor(
    link: PhoneLink,
    number: number,
    { file, format, legs, rate, stream }: Required<RecordOptions> & { file: string | undefined; stream: RecordingStream | undefined },
  ) {
    this.file = file
    this.format = format
    this.legs = legs
    this.rate = rate
    this.#link = link
    this.#number = number
    this.#stream = stream
    // What becomes of a recording that nobody stops is no unhandled rejection.
    this.#result.promise.catch(() => {})
    const all = running.get(link) ?? new Map<number, Recording>()
    running.set(link, all.set(number, this))
    stream?.begin((reason) => link.post({ type: 'stopRecording', recording: number, failure: reason }))
  }

  /** Whether what is said is left out. */
  get paused(): boolean {
    return this.#paused
  }

  /**
   * Leaves out what is said from now on: nothing of it gets as far as the file, which is silent meanwhile. A file has a mark at
   * both ends of it, so that players show it. Again, it does nothing.
   *
   * @throws `ERR_RECORDING_ENDED` if the recording has ended.
   */
  async pause(): Promise<void> {
    await this.#pause(true)
  }

  /**
   * Has again what is said from now on.
   *
   * @throws as {@link pause}.
   */
  async resume(): Promise<void> {
    await this.#pause(false)
  }

  /**
   * Ends the recording; resolves when it is whole, with what is in it. A Writable is ended then, and waited for; if it takes nothing
   * for 10 s, it is given up with the warning `recording-failed`. Again, and if the call has ended meanwhile, it resolves with the same.
   *
   * @throws `ERR_DESTROYED` if the phone was destroyed before it was whole.
   */
  async stop(): Promise<RecordingResult> {
    // Of one that failed it says that this is known. A phone that is closing says what became of it all the same.
    await this.#link.command({ type: 'stopRecording', recording: this.#number }).catch(() => {})
    return this.#result.promise
  }

  async #pause(paused: boolean): Promise<void> {
    if (this.#ended) throw new SoftphoneError('The recording has ended', { code: 'ERR_RECORDING_ENDED', type: 'media' })
    await this.#link.command({ type: 'pauseRecording', recording: this.#number, paused })
    this.#paused = paused
  }

  /** @internal */
  static end(link: PhoneLink, number: number, { duration, paused, lost }: WireRecordingReport): void {
    const recording = running.get(link)?.get(number)
    if (recording === undefined) return
    recording.#ended = true
    recording.#stream?.destroy()
    running.get(link)?.delete(number)
    recording.#result.resolve({ file: recording.file, duration, paused, lost })
  }

  /** @internal The phone is closed: nothing is told of what is not whole. */
  static abandon(link: PhoneLink): void {
    for (const recording of running.get(link)?.values() ?? []) {
      recording.#ended = true
      recording.#stream?.destroy()
      recording.#result.reject(new SoftphoneError('The phone was destroyed', { code: 'ERR_DESTROYED', type: 'generic' }))
    }
    running.delete(link)
  }
}

function formatOf(file = ''): RecordingFormat {
  return /\.(?:ogg|opus)$/i.test(file) ? 'ogg-opus' : 'wav'
}

function checkedWritable(to: unknown): Writable {
  const writable = to as Partial<Writable> | null | undefined
  const is = typeof writable?.write === 'function' && typeof writable.end === 'function' && typeof writable.on === 'function'
  if (!is) throw mismatch('file', to, 'the path of a file, or a Writable')
  if (!writable.writable) throw mismatch('file', to, 'the path of a file, or a Writable that can be written to', 'one that has ended')
  return writable as Writable
}

/** What the engine writes, on its way to a Writable; destroyed, it tells the engine that the Writable has all, or takes no more. */
class RecordingStream extends Readable {
  readonly #native: NativeSink
  readonly #to: Writable
  #given = false

  constructor(to: Writable) {
    // Not when all was read, but when the Writable has it.
    super({ highWaterMark: 1 << 16, autoDestroy: false })
    this.#to = to
    this.#native = new (native().NativeSink)(48000, QUEUE_MS, () => this.#deliver())
  }

  get nativeId(): number {
    return this.#native.id
  }

  /** A Writable that fails, or that somebody else ends, ends the recording and not the process. */
  begin(fail: (reason: string) => void): void {
    const failed = (reason: string) => {
      if (!this.destroyed) fail(`The Writable of a recording ${reason}`)
      this.destroy()
    }
    this.#to.on('error', (error: Error) => failed(`failed: ${error.message}`))
    this.#to.once('close', () => failed('was closed'))
    // Standard output is never ended.
    const stays = this.#to === process.stdout || this.#to === process.stderr
    finished(stays ? this : this.#to, { readable: stays }, () => (this.#given ? this.destroy() : failed('was closed')))
    this.pipe(this.#to)
  }

  override _read(): void {
    this.#deliver()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#native.close()
    done(error)
  }

  #deliver(): void {
    if (this.destroyed || this.#given) return
    for (let chunk = this.#native.read(); chunk !== null; chunk = this.#native.read()) {
      if (!this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) return
    }
    if (!this.#native.ended) return
    this.#given = true
    this.push(null)
  }
}
