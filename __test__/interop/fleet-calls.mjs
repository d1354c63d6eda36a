// Calls to a fleet, and what became of each.
import { setTimeout as pause } from 'node:timers/promises'

const target = (fleet) => `sip:bot@${fleet.domain}`

/** Places one call, and ends it after so many milliseconds, or when `until` is settled. */
export async function placeCall(phone, fleet, { hold = 1000, until } = {}) {
  const begun = performance.now()
  const call = { outcome: 'talked', code: undefined, setUp: undefined, ended: undefined, loss: undefined }
  let session
  try {
    session = await phone.call(target(fleet))
    const ended = session.once('terminated')
    await session.answered
    call.setUp = performance.now() - begun
    call.over = ended.then(([, reason]) => {
      call.ended = performance.now()
      call.loss = reason.summary?.loss
      if (reason.side !== 'local') call.outcome = 'dropped'
    })
    await Promise.race([until ?? pause(hold), call.over])
    if (session.state !== 'ended') await session.end()
    await call.over
  } catch (error) {
    call.outcome = call.setUp === undefined ? 'refused' : 'dropped'
    call.code = error.sip ? `${error.sip.code} ${error.sip.reason}` : error.code
  }
  return call
}

/** Places calls at a rate until `over` is settled or there are so many; resolves with all when the last has ended. */
export async function placeMany(phone, fleet, { rate, count = Infinity, over, hold, until, placed }) {
  let done = false
  void over?.finally(() => (done = true))
  const calls = []
  const begun = performance.now()
  for (let number = 0; number < count && !done; number++) {
    // A late timer does not make the rate lower.
    const wait = begun + (number * 1000) / rate - performance.now()
    if (wait > 0) await pause(wait)
    calls.push(placeCall(phone, fleet, { hold, until }))
    placed?.()
  }
  return Promise.all(calls)
}

/** A promise, and what settles it. */
export function later() {
  let release
  const until = new Promise((resolve) => (release = resolve))
  return { until, release }
}

/** How many calls had each outcome. */
export function outcomes(calls) {
  const of = (outcome) => calls.filter((call) => call.outcome === outcome)
  return { talked: of('talked').length, dropped: of('dropped').length, refused: of('refused').length, codes: tally(of('refused').map(({ code }) => code)) }
}

function tally(values) {
  const counts = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Of what took so long, in milliseconds. */
export function percentiles(values) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  const at = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
