import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from '../scripts/bootstrap.mjs'
import { loss } from './loss.mjs'
import { pesq, pesqMissing } from './pesq.mjs'
import { row } from './table.mjs'

const sentence =
  'Good morning, this is the service desk. Could you read me the number on the back of your device, please? It begins with seven, four, nine. Thank you, I will look it up and call you back before noon.'

/** Echo, noise and level in computed rooms. */
export function rooms({ rust }) {
  return withVoices(async (folder, clips) => {
    const results = await (await rust())('sound', folder, ...clips)
    return [...echo(results), ...quality(results), ...cost(results)]
  })
}

/** Calls over a network that loses packets. */
export function lossy({ rust, quick }) {
  return withVoices((folder, clips) => loss({ rust, quick, folder, clips }))
}

async function withVoices(measure) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-sound-'))
  try {
    return await measure(folder, voices(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Clips of some people each: the same everywhere, so that figures can be compared. */
export function voices(folder) {
  const named = process.env.OFFHOOK_BENCH_VOICES
  if (named) return named.split(delimiter)
  const clips = [join(root, 'examples', 'speech.wav')]
  for (const [index, voice] of ['en-us', 'en-gb+f3'].entries()) {
    const clip = join(folder, `voice-${index}.wav`)
    try {
      execFileSync('espeak-ng', ['-v', voice, '-s', '150', '-w', clip, sentence], { stdio: 'ignore' })
      clips.push(clip)
    } catch {
      console.log(`espeak-ng is not installed: there is no voice ${voice}.`)
    }
  }
  return clips
}

function echo(results) {
  const aims = [
    ['erle converged', 'Echo, converged', 35],
    ['erle first', 'Echo, after 1.5 s', 15],
    ['erle after change', 'Echo, 2 s after the room changed', 15],
    ['erle drifting', 'Echo, clocks 100 ppm apart', 15],
  ]
  return aims.flatMap(([what, bench, least]) => spread(bench, 'dB', valuesOf(results, what), least))
}

function quality(results) {
  const judged = results.filter(({ clean }) => clean !== undefined)
  const scores = pesq(judged.flatMap(({ clean, raw, out }) => [[clean, raw], [clean, out]]))
  if (scores === undefined) {
    console.log(pesqMissing)
    return []
  }
  const gains = new Map()
  for (const [index, { what, of }] of judged.entries()) {
    const [raw, out] = scores.slice(2 * index, 2 * index + 2)
    const name = `${what}, ${of.join(', ')}`
    if (raw !== null && out !== null) gains.set(name, [...(gains.get(name) ?? []), out - raw])
  }
  return [...gains].flatMap(([name, values]) => spread(`Sound: ${name}`, 'PESQ', values, name.startsWith('noise') ? 0.5 : -0.3))
}

function cost(results) {
  return results.filter(({ what }) => what === 'cost').map(({ of: [name], value }) => {
    const aim = name === 'all' ? { target: 'below 0.3 ms', meets: ({ ours }) => ours < 0.3 } : {}
    return row({ bench: `Sound: 10 ms of a microphone, ${name}`, unit: 'ms CPU', ours: value, less: true, ...aim })
  })
}

function valuesOf(results, what) {
  return results.filter((result) => result.what === what).map(({ value }) => value)
}

/** The mean and the worst of several cases, each held to the target. */
function spread(bench, unit, values, least) {
  const aim = { target: `${least}`, meets: ({ ours }) => ours >= least }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return [
    row({ bench: `${bench}: mean of ${values.length}`, unit, ours: mean, ...aim }),
    row({ bench: `${bench}: worst`, unit, ours: Math.min(...values), ...aim }),
  ]
}
