// Phones that call each other for a long time, and what their process keeps: npm run soak -- [--minutes 60] [--pairs 4]
// Each line is what is left when nobody calls; at the end there is the slope of each figure. The process ends with 1 if one of
// those that can be counted has grown, if memory has by more than a call may leave or it was too short to say, or if a call has
// failed. Meanwhile the machine's address and its sound devices change, in a network namespace and on a sound server of its own.
import { parseArgs } from 'node:util'
import { forgotten, kept, onDevices, openHouse, settled, talk, visit } from '../__test__/long-life.mjs'
import { HEARD, Unrest, inNetworkOfItsOwn, inOwnNetwork, stillBecause } from '../__test__/unrest.mjs'

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
  const still = inOwnNetwork() ? undefined : stillBecause()
  if (!inOwnNetwork() && still === undefined) {
    process.exitCode = await inNetworkOfItsOwn()
    return
  }
  // Before anything is counted, as the stream that it goes to is a handle too.
  console.log(`${pairs} pairs of phones call for ${minutes} minutes${still ? ` and nothing changes beside them: ${still}` : ', and network and devices change'} …`)
  const unrest = still ? undefined : await Unrest.start()
  const house = await openHouse(pairs)
  const rows = []
  let calls = 0
  let failures = 0
  const failed = async (call, error) => {
    process.exitCode = 1
    failures++
    console.log(`${new Date().toISOString()} ${call}: ${error.stack}`)
  }
  const life = { failed, more: unrest ? [onDevices(HEARD)] : [] }
  try {
    for (let part = 0; part < PARTS; part++) {
      const end = performance.now() + (minutes * 60_000) / PARTS - QUIET
      const talking = talk(house, () => performance.now() < end, life)
      calls += await (unrest ? unrest.beside(talking) : talking)
      for (let number = 0; number < 10; number++) await visit(house, 'echo').catch((error) => failed('visit', error))
      await forgotten(house).catch((error) => failed('forgotten', error))
      await new Promise((passed) => setTimeout(passed, ABSORBED))
      if (rows.length > 0) await settled(rows[0]).catch((error) => failed('left', error))
      rows.push({ calls, ...kept() })
      const { counts, heap, rss } = rows.at(-1)
      console.log(`${String(calls).padStart(7)} calls  ${Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ')}, heap ${kilo(heap)}, process ${kilo(rss)}`)
    }
  } finally {
    await house.close()
    await unrest?.stop()
  }
  if (unrest) console.log(`${unrest.changes.network} changes of the network, ${unrest.changes.devices} of the devices`)
  console.log(`${failures} of all that was done went wrong`)
  const later = rows.filter((row) => row.calls >= FIRST_CALLS)
  if (later.length < FEWEST_PARTS) {
    process.exitCode = 1
    return console.log(`Memory is not judged: ${FEWEST_PARTS} parts after ${FIRST_CALLS} calls are needed, so take more --minutes`)
  }
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
