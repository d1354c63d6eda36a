import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wavOf } from '../__test__/wav.mjs'

/** Samples a second, as wide-band PESQ takes them. */
export const RATE = 16_000
/** Speech quality is judged in the middle of a call: so much is said before. */
const BEFORE = 8 * RATE
const PAUSE = RATE / 2
/** The root mean square of speech at −26 dBov. */
const LOUDNESS = 1640

/** A WAV file of one channel at `RATE`. */
export function wav(samples) {
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(36 + samples.length * 2, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples.length * 2, 40)
  return Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)])
}

/** One track of all clips, with enough of them before: its file, its length in seconds, and where each clip is in it. */
export function track(folder, files) {
  const clips = files.map((file) => levelled(read(file)))
  const silence = new Int16Array(PAUSE)
  const [parts, sounds] = [[], []]
  let at = 0
  const add = (samples) => {
    sounds.push(samples)
    at += samples.length
  }
  for (let index = 0; at < BEFORE; index++) [clips[index % clips.length], silence].forEach(add)
  clips.forEach((clip, index) => {
    const path = join(folder, `clip-${index}.wav`)
    writeFileSync(path, wav(clip))
    parts.push({ at, clip, path })
    add(clip)
    add(silence)
  })
  const path = join(folder, 'said.wav')
  writeFileSync(path, wav(joined(sounds)))
  return { path, parts, seconds: at / RATE }
}

/** Finds each clip of a track in what was heard of it, and writes it to a file of its own; pairs of files for PESQ. */
export function clipsIn({ parts }, heardFile, name) {
  const { legs: [heard] } = wavOf(heardFile)
  // Where the track began in what was heard: the first clip says it nearly, and clocks drift little.
  let begin
  return parts.map(({ at, clip, path }, index) => {
    const near = begin === undefined ? [0, 5 * RATE] : [begin - RATE / 5, begin + RATE / 5]
    begin = lag(clip, heard, near.map((from) => Math.max(0, at + from))) - at
    const part = heardFile.replace(/\.wav$/, `-${name}-${index}.wav`)
    writeFileSync(part, wav(heard.slice(at + begin, at + begin + clip.length)))
    return [path, part]
  })
}

/** Where in `heard`, between two places, what is most like a clip begins: every fourth sample of sums of four is enough. */
function lag(clip, heard, [from, to]) {
  const coarse = (samples) => Float32Array.from({ length: Math.floor(samples.length / 4) }, (_, index) => {
    return samples[4 * index] + samples[4 * index + 1] + samples[4 * index + 2] + samples[4 * index + 3]
  })
  const [a, b] = [coarse(clip), coarse(heard.subarray(from, to + clip.length))]
  let [best, most] = [0, -Infinity]
  for (let shift = 0; shift + a.length <= b.length; shift++) {
    let alike = 0
    for (let index = 0; index < a.length; index++) alike += a[index] * b[shift + index]
    if (alike > most) [best, most] = [shift, alike]
  }
  return from + 4 * best
}

function read(file) {
  const { rate, legs: [samples] } = wavOf(readFileSync(file))
  return resampled(samples, rate)
}

/** By a windowed sinc of 32 samples to each side. */
function resampled(samples, rate) {
  if (rate === RATE) return samples
  const step = rate / RATE
  const cutoff = Math.min(1, 1 / step)
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const place = index * step
    let sum = 0
    for (let at = Math.ceil(place - 32); at <= place + 32; at++) {
      const from = (at - place) * cutoff * Math.PI
      const sinc = from === 0 ? 1 : Math.sin(from) / from
      sum += (samples[at] ?? 0) * sinc * cutoff * (0.5 + 0.5 * Math.cos(((at - place) * Math.PI) / 33))
    }
    return Math.max(-32_768, Math.min(32_767, sum))
  })
}

function levelled(samples) {
  const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  const gain = LOUDNESS / Math.sqrt(energy)
  return samples.map((sample) => Math.max(-32_768, Math.min(32_767, sample * gain)))
}

function joined(parts) {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
