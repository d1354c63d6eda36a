import { readFileSync } from 'node:fs'

/** A WAV file of 16 bits: its rate, its channels as samples, and the chunks behind the sound. Throws where its header lies. */
export function wavOf(file) {
  const bytes = typeof file === 'string' ? readFileSync(file) : file
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 16) !== 'WAVEfmt ') throw new Error('not a WAV file')
  const [channels, rate, size] = [bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt32LE(40)]
  const known = size !== 0xffffffff
  if (known && 44 + size > bytes.length) throw new Error(`the header says ${size} octets of sound, but there are ${bytes.length - 44}`)
  const sound = bytes.subarray(44, known ? 44 + size : undefined)
  const length = Math.floor(sound.length / 2 / channels)
  const legs = Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length }, (_, index) => sound.readInt16LE((index * channels + channel) * 2)),
  )
  return { rate, legs, milliseconds: (length * 1000) / rate, behind: known ? bytes.subarray(44 + size).toString('latin1') : '' }
}

/** The level in dBFS of one frequency in each 100 ms of a leg. */
export function levelsOf(leg, rate, frequency) {
  const window = rate / 10
  return Array.from({ length: Math.floor(leg.length / window) }, (_, index) => {
    const part = leg.subarray(index * window, (index + 1) * window)
    const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / rate)
    let [before, last] = [0, 0]
    for (const sample of part) [before, last] = [last, sample + coefficient * last - before]
    const power = (2 * (last * last + before * before - coefficient * last * before)) / window ** 2
    return Math.round(10 * Math.log10(power / 32768 ** 2 + 1e-12))
  })
}

/** How many milliseconds of a leg have this frequency, in steps of 100. */
export function millisecondsOf(leg, rate, frequency) {
  return levelsOf(leg, rate, frequency).filter((level) => level > -40).length * 100
}
