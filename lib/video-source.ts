import { types } from 'node:util'
import { hideListeners, TypedEmitter } from './emitter'
import { SoftphoneError } from './errors'
import { hold, weakly } from './held'
import { native, type NativeVideoSource, type VideoSourceEvent } from './native'
import { checkedPicture, needRawVideo, type RawFrame } from './raw-video'
import { checkOptions, isPlainObject, type Schema, shownNumber, typeName } from './schema'

/** How pictures are encoded: VP8 (RFC 7741), or H.264 in packets of packetization-mode 1 (RFC 6184). */
export type VideoCodec = 'vp8' | 'h264'

/** One encoded picture. */
export interface EncodedFrame {
  /** How it is encoded. */
  codec: VideoCodec
  /** Whether it can be decoded without those before it. */
  key: boolean
  /** Microseconds by the clock of whoever made it, 0 or more. */
  timestamp: number
  /** A frame of VP8, or an access unit of H.264 as a byte stream with start codes (Annex B), parameter sets before each key frame. */
  data: Uint8Array
}

/** Options of a {@link VideoSource}. */
export interface VideoSourceOptions {
  /**
   * `'encoded'` (default): {@link EncodedFrame}s. `'raw'`: {@link RawFrame}s, encoded natively as VP8, as large and as often as the
   * network takes them and the processor has time for.
   */
  format?: 'encoded' | 'raw'
  /** The codecs in which frames can be given; default all. The other side takes one of them. Of encoded ones only. */
  codecs?: readonly VideoCodec[]
}

/** The events of a {@link VideoSource}, with what their listeners get. */
export interface VideoSourceEvents {
  /** The other side can't go on without a key frame: the next frame should be one. */
  keyFrameRequest: []
  /** So many bits per second may be sent from now on, as the network takes them. */
  bitrate: [bitsPerSecond: number]
  /** Whether what is written is sent, and in which codec it is wanted. */
  active: [active: boolean, codec: VideoCodec | undefined]
  /** It was closed: nothing that is written is sent any more. Comes once, the last of all. */
  close: []
}

const known: readonly VideoCodec[] = ['vp8', 'h264']
const schema: Schema = { format: { oneOf: ['encoded', 'raw'] }, codecs: { arrayOf: { oneOf: known }, min: 1 } }

/**
 * Pictures that the application writes, encoded or raw. One session at a time shows them, as the camera or as the screen.
 *
 * Nothing waits for long: what is written while nobody shows it, or faster than the network takes it, is dropped, and then all up
 * to the next key frame.
 */
export class VideoSource extends TypedEmitter<VideoSourceEvents> {
  /** The codecs in which frames can be given. */
  readonly codecs: readonly VideoCodec[]
  /** What `write()` takes. */
  readonly format: 'encoded' | 'raw'
  readonly #native: NativeVideoSource
  #codec: VideoCodec | undefined
  #closed = false

  constructor(options: VideoSourceOptions = {}) {
    checkOptions('VideoSource', options, schema)
    super()
    hideListeners(this)
    this.format = options.format ?? 'encoded'
    const isRaw = this.format === 'raw'
    if (isRaw && options.codecs) throw wrong('options.codecs', 'left out with raw pictures', 'there')
    if (isRaw) needRawVideo('options.format')
    this.codecs = isRaw ? ['vp8'] : [...new Set(options.codecs ?? known)]
    const listen = weakly(this as VideoSource, (source, ...event: [VideoSourceEvent, number, string]) => source.#onEvent(...event))
    this.#native = new (native().NativeVideoSource)([...this.codecs], listen, isRaw)
  }

  /** @internal Its name, for whoever shall show it. */
  get nativeId(): number {
    hold(this, this.#native)
    return this.#native.id
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** Whether what is written is sent: a session shows it, the other side takes it, and it is neither muted nor on hold. */
  get active(): boolean {
    return this.#codec !== undefined
  }

  /** The codec in which frames are wanted while it is `active`. */
  get codec(): VideoCodec | undefined {
    return this.#codec
  }

  /**
   * Takes a frame: its bytes are copied. False if it was dropped, since nobody shows it, too much waits, or a key frame has to come
   * first: then send less. False also after `close()`. Whether it is a key frame is read from its bytes. Of raw pictures two wait to
   * be encoded; false if an older one was dropped for this one.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no frame of this source; the text names the member that is wrong.
   */
  write(frame: EncodedFrame | RawFrame): boolean {
    if (this.format === 'raw') return this.#writeRaw(frame as RawFrame)
    const { codec, timestamp, data } = checked(frame, this.codecs)
    if (this.#closed) return false
    try {
      return this.#native.write(codec, timestamp, data)
    } catch (error) {
      throw wrong('frame.data', `a frame of ${codec}`, (error as Error).message)
    }
  }

  #writeRaw(frame: RawFrame): boolean {
    if (!isPlainObject(frame)) throw wrong('frame', 'an object', typeName(frame))
    const picture = checkedPicture(frame, wrong)
    if (!isTime(picture.timestamp)) throw wrong('frame.timestamp', TIME, shownNumber(picture.timestamp))
    if (!types.isUint8Array(frame.data)) throw wrong('frame.data', 'a Uint8Array', typeName(frame.data))
    if (this.#closed) return false
    try {
      return this.#native.writeRaw(picture, frame.data)
    } catch (error) {
      throw wrong('frame.data', `a picture of ${picture.width} x ${picture.height} in ${picture.format}`, (error as Error).message)
    }
  }

  /** Drops what waits and lets go of it; the session that showed it sends nothing any more. */
  close(): void {
    if (this.#closed) return
    // A listener of `active` may close it, too.
    this.#closed = true
    this.#activate(undefined)
    this.#native.close()
    this.deliver('close')
  }

  #onEvent(event: VideoSourceEvent, value: number, codec: string): void {
    if (this.#closed) return
    switch (event) {
      case 'keyFrame':
        return this.deliver('keyFrameRequest')
      case 'bitrate':
        return this.deliver('bitrate', value)
      case 'active':
        return this.#activate(codec as VideoCodec)
      case 'inactive':
        return this.#activate(undefined)
    }
  }

  #activate(codec: VideoCodec | undefined): void {
    if (codec === this.#codec) return
    this.#codec = codec
    this.deliver('active', codec !== undefined, codec)
  }
}

function checked(frame: unknown, codecs: readonly unknown[]): EncodedFrame {
  if (!isPlainObject(frame)) throw wrong('frame', 'an object', typeName(frame))
  const { codec, key, timestamp, data } = frame
  if (!codecs.includes(codec)) {
    const others = codecs.map((codec) => `'${codec}'`).join(' or ')
    throw wrong('frame.codec', others, typeof codec === 'string' && codec !== '' ? 'another string' : typeName(codec))
  }
  if (typeof key !== 'boolean') throw wrong('frame.key', 'a boolean', typeName(key))
  if (!isTime(timestamp)) throw wrong('frame.timestamp', TIME, shownNumber(timestamp))
  if (!types.isUint8Array(data)) throw wrong('frame.data', 'a Uint8Array', typeName(data))
  if (data.length === 0) throw wrong('frame.data', 'the bytes of a frame', 'empty')
  return frame as unknown as EncodedFrame
}

const TIME = 'microseconds, 0 or more'

function isTime(timestamp: unknown): boolean {
  return typeof timestamp === 'number' && timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER
}

function wrong(name: string, expected: string, what: string): SoftphoneError {
  return new SoftphoneError(`Bad argument "${name}": expected ${expected}, but it is ${what}`, {
    code: 'ERR_INVALID_ARGUMENT',
    type: 'invalid_options',
  })
}
