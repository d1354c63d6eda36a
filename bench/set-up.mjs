import { job } from './children.mjs'
import { rows } from './table.mjs'

const sides = { '@roamhq/wrtc': 'wrtc', werift: 'werift' }

/** Call set-up on loopback: milliseconds of wall time, which is what a caller waits. */
export async function setUp({ quick }) {
  return [
    ...(await measure({ calls: quick ? 10 : 100, atOnce: false }, { p50: 40 })),
    ...(await measure({ calls: quick ? 10 : 50, atOnce: true }, { p99: 500 })),
  ]
}

async function measure({ calls, atOnce }, limits) {
  const what = { do: 'setUp', calls, atOnce }
  const ours = await job('offhook', what)
  const theirs = {}
  for (const [peer, name] of Object.entries(sides)) theirs[peer] = await job(name, what)
  return ['p50', 'p99'].flatMap((share) => {
    const limit = limits[share]
    return rows({
      bench: `Call set-up, ${calls} ${atOnce ? 'at once' : 'in series'}, ${share}`,
      unit: 'ms',
      less: true,
      ours: ours[share],
      peers: Object.fromEntries(Object.entries(theirs).map(([peer, figures]) => [peer, figures[share]])),
      target: limit === undefined ? null : `< ${limit} ms`,
      meets: ({ ours }) => ours < limit,
    })
  })
}
