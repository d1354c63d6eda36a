/** Samples that are made at once, 10.7 ms at 48 kHz. */
const BLOCK = 512

/** What a microphone hears of what a loudspeaker plays: each block by the room's response, in frequencies (overlap and save). */
export class Room {
  #parts
  /** The spectra of the last blocks, the newest first. */
  #played = []
  #before = new Float64Array(BLOCK)
  #rest = []

  /** @param {number[]} response what is heard of a click, at 48 kHz */
  constructor(response) {
    this.#parts = Array.from({ length: Math.ceil(response.length / BLOCK) }, (_, index) => {
      const part = new Float64Array(2 * BLOCK)
      part.set(response.slice(index * BLOCK, (index + 1) * BLOCK))
      return transform(part, new Float64Array(2 * BLOCK))
    })
  }

  /** Takes samples of any number; gives those that are heard of all whole blocks so far. */
  hear(samples) {
    const all = [...this.#rest, ...samples]
    const whole = all.length - (all.length % BLOCK)
    this.#rest = all.slice(whole)
    const heard = new Int16Array(whole)
    for (let at = 0; at < whole; at += BLOCK) heard.set(this.#block(Float64Array.from(all.slice(at, at + BLOCK))), at)
    return heard
  }

  #block(samples) {
    const both = new Float64Array(2 * BLOCK)
    both.set(this.#before)
    both.set(samples, BLOCK)
    this.#before = samples
    this.#played.unshift(transform(both, new Float64Array(2 * BLOCK)))
    this.#played.length = Math.min(this.#played.length, this.#parts.length)
    const sum = { re: new Float64Array(2 * BLOCK), im: new Float64Array(2 * BLOCK) }
    this.#played.forEach((played, index) => {
      const part = this.#parts[index]
      for (let bin = 0; bin < 2 * BLOCK; bin++) {
        sum.re[bin] += played.re[bin] * part.re[bin] - played.im[bin] * part.im[bin]
        sum.im[bin] += played.re[bin] * part.im[bin] + played.im[bin] * part.re[bin]
      }
    })
    // The inverse is the transform with its parts exchanged.
    const { im } = transform(sum.im, sum.re)
    return im.subarray(BLOCK).map((sample) => Math.max(-32_768, Math.min(32_767, sample / (2 * BLOCK))))
  }
}

/** The fast Fourier transform, in place. */
function transform(re, im) {
  const length = re.length
  for (let index = 1, other = 0; index < length; index++) {
    let bit = length >> 1
    for (; other & bit; bit >>= 1) other ^= bit
    other ^= bit
    if (index < other) {
      ;[re[index], re[other]] = [re[other], re[index]]
      ;[im[index], im[other]] = [im[other], im[index]]
    }
  }
  for (let half = 1; half < length; half *= 2) {
    for (let step = 0; step < half; step++) {
      const [cos, sin] = [Math.cos((Math.PI * step) / half), -Math.sin((Math.PI * step) / half)]
      for (let low = step; low < length; low += 2 * half) {
        const high = low + half
        const [real, imaginary] = [re[high] * cos - im[high] * sin, re[high] * sin + im[high] * cos]
        ;[re[high], im[high]] = [re[low] - real, im[low] - imaginary]
        re[low] += real
        im[low] += imaginary
      }
    }
  }
  return { re, im }
}
