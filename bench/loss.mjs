import { pesq, pesqMissing } from './pesq.mjs'
import { row } from './table.mjs'

const aims = { 'opus 0 1': 4.35, 'opus 10 1': 3.9, 'opus 20 1': 3.5, 'opus 10 3': 3.4 }

/** Calls between two of our sessions over a network that loses packets, with each of the clips. */
export async function loss({ rust, quick, folder, clips }) {
  const side = await rust()
  const calls = []
  for (const which of clips.keys()) calls.push(...(await side('loss', folder, quick ? 1 : 10, which, ...clips)))
  const scores = pesq(calls.map(({ clean, heard }) => [clean, heard]))
  if (scores === undefined) {
    console.log(pesqMissing)
    return []
  }
  const kinds = new Map()
  for (const [index, call] of calls.entries()) {
    const kind = `${call.codec} ${call.loss} ${call.burst}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), { ...call, score: scores[index] }])
  }
  return [...kinds].flatMap(([kind, made]) => rowsOf(kind, made.filter(({ score }) => score !== null)))
}

function rowsOf(kind, calls) {
  const [{ codec, loss, burst }] = calls
  const name = `Loss: ${codec}, ${loss} %${burst > 1 ? ` in bursts of ${burst}` : ''}`
  const scores = calls.map(({ score }) => score)
  const delays = calls.map(({ delay }) => delay)
  const least = aims[kind]
  const aim = least === undefined ? {} : { target: `${least}`, meets: ({ ours }) => ours >= least }
  const most = least === undefined ? {} : { target: 'at most 110 ms', meets: ({ ours }) => ours <= 110 }
  return [
    row({ bench: `${name}: mean of ${calls.length}`, unit: 'PESQ', ours: mean(scores), ...aim }),
    row({ bench: `${name}: standard deviation`, unit: 'PESQ', ours: deviation(scores), less: true }),
    row({ bench: `${name}: worst`, unit: 'PESQ', ours: Math.min(...scores) }),
    row({ bench: `${name}: mouth to ear`, unit: 'ms', ours: mean(delays), less: true, ...most }),
  ]
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values) {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
