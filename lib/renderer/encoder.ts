import type { VideoCodec } from './channel'
import { configOf, evenPart, type Encoding } from './encoding'

/** What an encoder made. */
export interface EncodedPicture {
  codec: VideoCodec
  key: boolean
  /** Microseconds. */
  timestamp: number
  data: Uint8Array
}

/** Pictures that the encoder may have at once: another one would only come later. */
const MOST_QUEUED = 2
/** A bitrate that changes by less is left as it is. */
const NOTICEABLE = 0.1

/** WebCodecs' encoder, made anew when it breaks, or when the codec is another. */
export class Encoder {
  readonly #give: (picture: EncodedPicture) => void
  readonly #fail: (error: Error) => void
  #encoder: VideoEncoder | undefined
  #encoding: Encoding | undefined
  #proven = false

  constructor(give: (picture: EncodedPicture) => void, fail: (error: Error) => void) {
    this.#give = give
    this.#fail = fail
  }

  get encoding(): Encoding | undefined {
    return this.#encoding
  }

  get queued(): number {
    return this.#encoder?.encodeQueueSize ?? 0
  }

  /** Whether a picture that is given now would be late. */
  get busy(): boolean {
    return this.queued >= MOST_QUEUED
  }

  /** Encodes a picture, which stays the caller's. */
  encode(frame: VideoFrame, encoding: Encoding, key: boolean): void {
    const part = evenPart(frame)
    try {
      const encoder = this.#configured(encoding)
      encoder.encode(part, { keyFrame: key })
    } catch (error) {
      this.#broken(error as Error)
    } finally {
      if (part !== frame) part.close()
    }
  }

  close(): void {
    const encoder = this.#encoder
    this.#encoder = undefined
    this.#encoding = undefined
    if (encoder && encoder.state !== 'closed') encoder.close()
  }

  #configured(encoding: Encoding): VideoEncoder {
    if (this.#encoding?.codec !== encoding.codec) this.close()
    const encoder = (this.#encoder ??= this.#made(encoding.codec))
    if (!this.#encoding || differs(this.#encoding, encoding)) {
      encoder.configure(configOf(encoding))
      this.#encoding = encoding
    }
    return encoder
  }

  #made(codec: VideoCodec): VideoEncoder {
    const encoder: VideoEncoder = new VideoEncoder({
      output: (chunk) => {
        if (this.#encoder !== encoder) return
        this.#proven = true
        const data = new Uint8Array(chunk.byteLength)
        chunk.copyTo(data)
        this.#give({ codec, key: chunk.type === 'key', timestamp: chunk.timestamp, data })
      },
      error: (error) => {
        if (this.#encoder === encoder) this.#broken(error)
      },
    })
    return encoder
  }

  // A codec in hardware may be taken away at any time; one that has never made a picture never will.
  #broken(error: Error): void {
    const worked = this.#proven
    this.#proven = false
    this.close()
    if (!worked) this.#fail(error)
  }
}

function differs(old: Encoding, { codec, width, height, bitrate, framerate }: Encoding): boolean {
  if (old.codec !== codec || old.width !== width || old.height !== height || old.framerate !== framerate) return true
  return Math.abs(bitrate - old.bitrate) > old.bitrate * NOTICEABLE
}
