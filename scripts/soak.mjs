// Phones that call each other for a long time, and what their process keeps: npm run soak -- [--minutes 60] [--pairs 4]
// Each line is what is left when nobody calls; at the end there is the slope of each figure, and the process ends with 1 if one of
// those that can be counted has grown, or memory by more than a call may leave.
import { parseArgs } from 'node:util'
import { forgotten, kept, openHouse, settled, talk, visit } from '../__test__/long-life.mjs'

/** Parts of the time; what the first leaves is what all begin with: caches fill, and threads come up. */
const PARTS = 12
/** More than that of each call is a leak. A session of a call is some 20 kB while it lives. */
const MOST_OCTETS_A_CALL = 100

/** Runs it; the process ends with 1 if something grows. */
export async function run(args) {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '60' }, pairs: { type: 'string', default: '4' } } })
  const [minutes, pairs] = [Number(values.minutes), Number(values.pairs)]
  if (!(minutes > 0) || !(Number.isInteger(pairs) && pairs > 0)) throw Object.assign(new Error('Usage: npm run soak -- [--minutes 60] [--pairs 4]'), { expected: true })
  const house = await openHouse(pairs)
  const rows = []
  let calls = 0
  try {
    for (let part = 0; part < PARTS; part++) {
      const end = performance.now() + (minutes * 60_000) / PARTS - QUIET
      calls += await talk(house, () => performance.now() < end)
      for (let number = 0; number < 10; number++) await visit(house, 'echo')
      await forgotten(house)
      if (rows.length > 0) await settled(rows[0])
      rows.push({ calls, ...kept() })
      const { counts, heap, rss } = rows.at(-1)
      console.log(`${String(calls).padStart(7)} calls  ${Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ')}, heap ${kilo(heap)}, process ${kilo(rss)}`)
    }
  } finally {
    await house.close()
  }
  const later = rows.slice(PARTS / 4)
  const slopes = ['heap', 'rss'].map((what) => [what, slope(later.map((row) => [row.calls, row[what]]))])
  for (const [what, octets] of slopes) console.log(`${what}: ${octets.toFixed(0)} octets a call`)
  const long = minutes >= 10
  if (long && slopes.some(([, octets]) => octets > MOST_OCTETS_A_CALL)) process.exitCode = 1
}

/** What `forgotten` takes, in milliseconds. */
const QUIET = 12_000

const kilo = (octets) => `${Math.round(octets / 1000)} kB`

/** By least squares. */
function slope(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}
