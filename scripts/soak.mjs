// Phones that call each other for a long time, and what their process keeps: npm run soak -- [--minutes 60] [--pairs 4]
// Each line is what is left when nobody calls; at the end there is the slope of each figure, and the process ends with 1 if one of
// those that can be counted has grown, or memory by more than a call may leave.
import { parseArgs } from 'node:util'
import { forgotten, kept, openHouse, settled, talk, visit } from '../__test__/long-life.mjs'

/** Parts of the time. */
const PARTS = 8
/** So many calls come before memory is judged: caches and histories fill, and the allocator takes what the calls need at once. */
const FIRST_CALLS = 3000
/** A slope needs so many parts after them. */
const FEWEST_PARTS = 4
/** More than that of each call is a leak: of the heap, which is collected before, and of the process. */
const MOST_OCTETS_A_CALL = { heap: 100, rss: 1000 }

/** Runs it; the process ends with 1 if something grows. */
export async function run(args) {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '60' }, pairs: { type: 'string', default: '4' } } })
  const [minutes, pairs] = [Number(values.minutes), Number(values.pairs)]
  if (!(minutes > 0) || !(Number.isInteger(pairs) && pairs > 0)) throw Object.assign(new Error('Usage: npm run soak -- [--minutes 60] [--pairs 4]'), { expected: true })
  // Before anything is counted, as the stream that it goes to is a handle too.
  console.log(`${pairs} pairs of phones call for ${minutes} minutes …`)
  const house = await openHouse(pairs)
  const rows = []
  let calls = 0
  try {
    for (let part = 0; part < PARTS; part++) {
      const end = performance.now() + (minutes * 60_000) / PARTS - QUIET
      calls += await talk(house, () => performance.now() < end)
      for (let number = 0; number < 10; number++) await visit(house, 'echo')
      await forgotten(house)
      await new Promise((passed) => setTimeout(passed, ABSORBED))
      if (rows.length > 0) await settled(rows[0])
      rows.push({ calls, ...kept() })
      const { counts, heap, rss } = rows.at(-1)
      console.log(`${String(calls).padStart(7)} calls  ${Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ')}, heap ${kilo(heap)}, process ${kilo(rss)}`)
    }
  } finally {
    await house.close()
  }
  const later = rows.filter((row) => row.calls >= FIRST_CALLS)
  if (later.length < FEWEST_PARTS) return console.log(`Memory is not judged: ${FEWEST_PARTS} parts after ${FIRST_CALLS} calls are needed, so take more --minutes`)
  for (const [what, most] of Object.entries(MOST_OCTETS_A_CALL)) {
    const octets = slope(later.map((row) => [row.calls, row[what]]))
    console.log(`${what}: ${octets.toFixed(0)} octets a call`)
    if (octets > most) process.exitCode = 1
  }
}

/**
 * In milliseconds: so long a server and a phone keep what belongs to an answered INVITE (RFC 6026, Timers L and M: 32 s), some 40 kB a
 * call beside the PBX. Before it is gone, what is measured is how fast the calls came.
 */
const ABSORBED = 34_000
/** What that and `forgotten` take. */
const QUIET = ABSORBED + 12_000

const kilo = (octets) => `${Math.round(octets / 1000)} kB`

/** By least squares. */
function slope(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
