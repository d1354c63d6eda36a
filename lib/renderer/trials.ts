import type { VideoCodec } from './channel'
import { configOf, evenPart, fitted } from './encoding'

/** Half of the time that a picture lasts, VP8 may take: every phone decodes it. */
const LEISURELY = 0.5
/** Pictures that are encoded to see how long that takes. */
const TRIED = 6

/**
 * Finds out which codec suits this machine: VP8, unless it is too slow here for pictures as these and H.264 is faster. It is given
 * pictures of the track, which are real: a still one is encoded much faster.
 */
export class Trials {
  readonly #trials: Map<VideoCodec, Trial>
  readonly #framerate: number
  #count = 0

  constructor(codecs: readonly VideoCodec[], framerate: number) {
    this.#framerate = framerate
    this.#trials = new Map(codecs.map((codec) => [codec, new Trial(codec, framerate)]))
  }

  /** Whether enough was tried. */
  get done(): boolean {
    return this.#trials.size < 2 || this.#count >= TRIED
  }

  /** Encodes a picture by each codec, one after the other. */
  async encode(frame: VideoFrame): Promise<void> {
    for (const trial of this.#trials.values()) await trial.encode(frame)
    this.#count += 1
  }

  /** The codecs, the best first; as they were given, if nothing was tried. */
  get order(): VideoCodec[] {
    const cost = (codec: VideoCodec) => {
      const time = this.#trials.get(codec)?.milliseconds ?? 0
      return codec === 'vp8' && time <= (1000 / this.#framerate) * LEISURELY ? 0 : time
    }
    return [...this.#trials.keys()].sort((one, other) => cost(one) - cost(other))
  }

  close(): void {
    for (const trial of this.#trials.values()) trial.close()
  }
}

class Trial {
  readonly #times: number[] = []
  readonly #encoder: VideoEncoder
  readonly #codec: VideoCodec
  readonly #framerate: number
  #failed = false

  constructor(codec: VideoCodec, framerate: number) {
    this.#codec = codec
    this.#framerate = framerate
    this.#encoder = new VideoEncoder({ output: () => {}, error: () => (this.#failed = true) })
  }

  async encode(frame: VideoFrame): Promise<void> {
    if (this.#failed || this.#encoder.state === 'closed') return
    const part = evenPart(frame)
    const { displayWidth: width, displayHeight: height } = part
    try {
      if (this.#encoder.state === 'unconfigured') {
        const { bitrate } = fitted(width, height, this.#framerate, Infinity, true, 1)
        this.#encoder.configure(configOf({ codec: this.#codec, width, height, bitrate, framerate: this.#framerate }))
      }
      const started = performance.now()
      this.#encoder.encode(part)
      await this.#encoder.flush()
      this.#times.push(performance.now() - started)
    } catch {
      this.#failed = true
    } finally {
      if (part !== frame) part.close()
    }
  }

  /** The median; the first picture does not count, which sets everything up. Undefined before there is one. */
  get milliseconds(): number | undefined {
    if (this.#failed) return Infinity
    const counted = this.#times.slice(1).sort((one, other) => one - other)
    return counted[counted.length >> 1]
  }

  close(): void {
    if (this.#encoder.state !== 'closed') this.#encoder.close()
  }
}
