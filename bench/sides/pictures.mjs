// Pictures that carry a counter, and what is told from those that arrive.
import { counterIn, counterPicture, COUNTED } from '../../__test__/interop/counter.mjs'
import { percentile } from './clock.mjs'

/** The sizes and rates of which all is measured. */
export const FORMATS = { '360p30': { width: 640, height: 360, rate: 30 }, '720p30': { width: 1280, height: 720, rate: 30 } }

/** When each picture was shown, and how long it took to be seen. */
export class Glass {
  #shown = []
  #delays = []
  #last
  #seen = 0
  #gaps = []
  #lastAt
  #pictures = new Map()

  constructor({ width, height }) {
    this.width = width
    this.height = height
  }

  /** The next picture, in I420, shown now. */
  next() {
    const count = this.#shown.length % COUNTED
    this.#shown.push(performance.now())
    if (!this.#pictures.has(count)) this.#pictures.set(count, counterPicture(count, this.width, this.height))
    return this.#pictures.get(count)
  }

  /** A picture that is seen now. */
  see({ width, height, data }) {
    const count = counterIn(data, width, height)
    if (count !== undefined) this.saw(count, performance.now())
  }

  /** A counter that was seen. */
  saw(count, at) {
    if (count === this.#last) return
    this.#last = count
    // The newest with this counter that was shown before.
    let number = this.#shown.length - 1 - ((((this.#shown.length - 1 - count) % COUNTED) + COUNTED) % COUNTED)
    while (number >= 0 && this.#shown[number] > at) number -= COUNTED
    if (number < 0) return
    this.#delays.push(at - this.#shown[number])
    if (this.#lastAt !== undefined) this.#gaps.push(at - this.#lastAt)
    this.#lastAt = at
    this.#seen++
  }

  /** From now on it is measured. */
  begin() {
    this.#delays = []
    this.#gaps = []
    this.#seen = 0
    this.#begun = this.#shown.length
  }
  #begun = 0

  figures() {
    const shown = this.#shown.length - this.#begun
    return {
      shown,
      seen: this.#seen,
      lost: Math.max(0, shown - this.#seen) / shown,
      median: percentile(this.#delays, 0.5),
      p95: percentile(this.#delays, 0.95),
      longestGap: Math.max(0, ...this.#gaps),
    }
  }
}

/** W3C's figures of a receiver's video and sound. */
export function received(report) {
  const inbound = [...report.values()].filter(({ type }) => type === 'inbound-rtp')
  const video = inbound.find(({ kind }) => kind === 'video') ?? {}
  const audio = inbound.find(({ kind }) => kind === 'audio') ?? {}
  return {
    freezes: video.freezeCount ?? 0,
    frozen: video.totalFreezesDuration ?? 0,
    frames: video.framesReceived ?? video.framesDecoded ?? 0,
    audioLost: audio.packetsLost ?? 0,
    audioReceived: audio.packetsReceived ?? 0,
  }
}

/** What came between two such figures. */
export function since(before, after) {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]))
}
