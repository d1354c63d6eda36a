// A fleet behind Kamailio, and what becomes of calls to it: npm run fleet -- [--rate 50] [--seconds 20] [--hold 1000] [--capacity 30] [--quick]
// The process ends with 1 if a call is dropped or refused that should not be.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { expectedError } from './processes.mjs'
import { spread, startFleet, taken } from '../__test__/interop/fleet.mjs'
import { later, outcomes, percentiles, placeMany } from '../__test__/interop/fleet-calls.mjs'
import { Softphone } from '../index.mjs'

const usage = 'Usage: npm run fleet -- [--rate 50] [--seconds 20] [--hold 1000] [--capacity 30] [--quick]'
const whole = { rate: 50, seconds: 20, hold: 1000, capacity: 30 }
/** Is everything in working order? */
const small = { rate: 5, seconds: 4, hold: 400, capacity: 4 }

function settingsOf(args) {
  const number = { type: 'string' }
  const known = { rate: number, seconds: number, hold: number, capacity: number, quick: { type: 'boolean', default: false } }
  const { quick, ...texts } = parseArgs({ args, options: known }).values
  const given = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]))
  if (!Object.values(given).every((value) => value > 0)) throw expectedError(usage)
  return { ...(quick ? small : whole), ...given }
}

/** Runs it. */
export async function run(args) {
  const settings = settingsOf(args)
  const { rate, hold, capacity } = settings
  console.log(`${new Date().toISOString().slice(0, 16)}, load ${load()}: 3 processes that take ${capacity} calls each; ${rate} calls/s of ${hold} ms, G.711`)
  const fleet = await startFleet({ calls: capacity })
  const callers = new Softphone({
    uri: `sip:caller@${fleet.domain}`, servers: fleet.server, register: false,
    codecs: ['PCMU'], audio: 'none', logLevel: 'error', mediaTimeout: 8000,
  })
  try {
    await callers.initialize()
    await spread(fleet, callers, AbortSignal.timeout(30_000))
    for (const [name, stage] of Object.entries(stages)) report(name, await stage(fleet, callers, settings))
  } finally {
    await callers.destroy()
    await fleet.stop()
  }
}

const load = () => loadavg()[0].toFixed(1)

const stages = {
  async 'even spread'(fleet, callers, { rate, seconds, hold }) {
    const before = await taken(fleet)
    const calls = await placeMany(callers, fleet, { rate, hold, count: rate * seconds })
    const by = (await taken(fleet)).map((count, index) => count - before[index])
    const even = Math.max(...by) - Math.min(...by) <= Math.max(2, calls.length / 20)
    return { calls, good: { dropped: 0, refused: 0 }, asIs: even, shown: { 'by process': by } }
  },

  async 'one process replaced after another'(fleet, callers, { rate, hold }) {
    const replaced = (async () => {
      for (const index of fleet.members.keys()) {
        await pause(1000)
        await fleet.replace(index)
      }
      await pause(1000)
    })()
    const calls = await placeMany(callers, fleet, { rate, hold, over: replaced })
    await replaced
    return { calls, good: { dropped: 0, refused: 0 } }
  },

  async 'kill -9 of one'(fleet, callers, { capacity }) {
    const { until, release } = later()
    // Those that are left have places for what comes afterwards.
    const count = Math.min(12, Math.floor((fleet.members.length * capacity) / 2))
    const placing = placeMany(callers, fleet, { rate: 10, count, until })
    await eventually(() => callers.sessions.filter((session) => session.active).length === count)
    const victim = fleet.members.pop()
    const { calls: its } = await victim.health()
    process.kill(victim.child.pid, 'SIGKILL')
    const killed = performance.now()
    const afterwards = await placeMany(callers, fleet, { rate: 5, count: 10, hold: 300 })
    await eventually(() => callers.sessions.length === count - its)
    release()
    const calls = await placing
    const heard = calls.filter(({ outcome }) => outcome === 'dropped').map(({ ended }) => Math.round(ended - killed))
    return { calls: [...calls, ...afterwards], good: { dropped: its, refused: 0 }, shown: { 'its callers heard of it after ms': heard } }
  },

  async 'twice the capacity'(fleet, callers, { capacity, rate }) {
    const places = fleet.members.length * capacity
    const { until, release } = later()
    let open = 0
    const placing = placeMany(callers, fleet, { rate, count: 2 * places, until, placed: () => open++ })
    // All are answered or refused, and those that are answered are heard for a while.
    await eventually(() => open === 2 * places && callers.sessions.every((session) => session.active))
    await pause(5000)
    release()
    const calls = await placing
    const losses = calls.map((call) => call.loss).filter((loss) => loss !== undefined)
    const shown = { 'most loss to a caller %': Math.max(...losses), 'of so many calls': losses.length }
    return { calls, good: { dropped: 0, refused: places }, asIs: each503(calls) && losses.every((loss) => loss === 0), shown }
  },
}

/** Waits until it is so, for a minute at most: what becomes of the calls is told in any case. */
async function eventually(isSo) {
  const end = performance.now() + 60_000
  while (!isSo() && performance.now() < end) await pause(50)
}

const each503 = (calls) => calls.every(({ outcome, code }) => outcome !== 'refused' || code.startsWith('503 '))

function report(name, { calls, good, asIs = true, shown }) {
  const { talked, dropped, refused, codes } = outcomes(calls)
  const { p50, p95, p99 } = percentiles(calls.map((call) => call.setUp))
  console.log(`${name}: ${calls.length} calls, ${talked} talked, ${dropped} dropped, ${refused} refused ${JSON.stringify(codes)}, set-up p50 ${p50} p95 ${p95} p99 ${p99} ms, load ${load()}`)
  for (const [what, value] of Object.entries(shown ?? {})) console.log(`  ${what}: ${JSON.stringify(value)}`)
  if (dropped === good.dropped && refused === good.refused && asIs) return
  console.log(`  NOT AS IT SHOULD BE: ${JSON.stringify(good)} were expected`)
  process.exitCode = 1
}
