import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumInstalled } from '../__test__/interop/chromium.mjs'
import { job } from './children.mjs'
import { pesq, pesqMissing } from './pesq.mjs'
import { voices } from './sound.mjs'
import { clipsIn, track } from './speech.mjs'
import { row } from './table.mjs'

/** Two legs of 20 ms, each up to 10 ms later. */
const LINE = { delay: 40, jitter: 10 }
/** PESQ-WB at each loss: between two of ours, and each way with Chromium. */
const AIMS = { 0: [4.35, 4.35], 0.1: [3.9, 3.6], 0.2: [3.5, 3.1] }
/** After the last word, until all of it was heard. */
const AFTER_S = 3

/** Calls in real time over a line that loses packets, ours, Chromium's, and between the two. */
export async function lossWithChromium({ quick }) {
  if (!chromiumInstalled()) {
    console.log('Loss with Chromium is not measured: it is not installed.')
    return []
  }
  const folder = mkdtempSync(join(tmpdir(), 'offhook-speech-'))
  try {
    const said = track(folder, voices(folder).slice(0, quick ? 1 : undefined))
    const rows = []
    for (const [loss, aims] of Object.entries(AIMS).slice(quick ? 1 : 0, quick ? 2 : undefined)) {
      const scores = await scoresAt(Number(loss), said, folder)
      if (scores === undefined) return []
      rows.push(...rowsOf(Number(loss), aims, scores))
    }
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** PESQ of each clip for each way; undefined if there is no PESQ. */
async function scoresAt(loss, said, folder) {
  const scores = {}
  for (const kind of ['ours', 'both', 'chromium']) {
    const seconds = said.seconds + AFTER_S
    const { heard } = await job('speech', { do: kind, name: `${loss}`, said: said.path, seconds, folder, line: { ...LINE, loss } })
    for (const [way, file] of Object.entries(heard)) {
      scores[way] = pesq(clipsIn(said, file, 'clip'))
      if (scores[way] === undefined) {
        console.log(pesqMissing)
        return undefined
      }
    }
  }
  return scores
}

function rowsOf(loss, [among, across], scores) {
  const between = scores['Chromium to Chromium']
  return ['ours to ours', 'ours to Chromium', 'Chromium to ours'].map((way) => {
    const least = way === 'ours to ours' ? among : across
    const judged = scores[way].filter((score) => score !== null)
    console.log(`${way}, ${loss * 100} % lost: ${scores[way].map((score) => score?.toFixed(2) ?? 'no speech').join(', ')}.`)
    return row({
      bench: `Speech ${way} in real time, ${loss * 100} % lost: mean of ${judged.length}`,
      unit: 'PESQ',
      ours: mean(judged),
      peer: 'Chromium to Chromium',
      theirs: mean(between.filter((score) => score !== null)),
      target: `${least}`,
      meets: ({ ours }) => ours >= least,
    })
  })
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
