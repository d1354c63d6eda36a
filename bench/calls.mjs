import { job } from './children.mjs'
import { rows } from './table.mjs'

const seconds = (quick) => (quick ? 3 : 10)
const wideband = (complexity) => ({ codecs: ['opus'], opus: { rate: 16000, complexity } })

/** Calls in one process, both legs; each peer with the largest number of calls in which it loses nothing. */
export async function calls({ rust, quick }) {
  const side = (name) => (calls) => job(name, { do: 'calls', calls, seconds: seconds(quick) })
  const peers = {
    '@roamhq/wrtc': await largest(side('wrtc'), quick ? [2] : [2, 5, 10, 20, 50]),
    werift: await largest(side('werift'), quick ? [2] : [5, 10, 20, 50, 100]),
  }
  const results = []
  const crates = await rust()
  const alone = async (name, calls) => (await crates(name, calls, seconds(quick)))[0]
  const webrtc = await largest((calls) => alone('webrtc', calls), quick ? [2] : [50, 200, 500])
  for (const count of quick ? [10] : [50, 200, 500]) {
    results.push(...transportRows(count, await alone('transport', count), { webrtc, werift: peers.werift }))
  }
  const runs = quick
    ? [['Opus 16 kHz, complexity 5', 5, wideband(5)]]
    : [
        ['Opus 16 kHz, complexity 5', 20, wideband(5)],
        ['Opus 16 kHz, complexity 5', 50, wideband(5)],
        ['Opus 16 kHz, complexity 1', 200, wideband(1)],
        ['G.711', 500, { codecs: ['PCMU'] }],
      ]
  for (const [name, count, options] of runs) {
    const ours = await job('offhook', { do: 'calls', calls: count, seconds: seconds(quick), ...options })
    results.push(...callRows(`${count} calls, ${name}`, ours, peers, options.opus?.complexity === 1))
  }
  return results
}

/** The figures with the most calls of `counts` that lose nothing; those of the fewest where all lose. */
async function largest(run, counts) {
  let best
  for (const count of counts) {
    const figures = await run(count).catch((error) => {
      if (best === undefined) throw error
    })
    // So many that it never ends.
    if (figures === undefined) break
    best ??= figures
    // Of what would be heard: a tick more or less at the edges of the measurement is no loss.
    if (figures.lost > figures.expected * 0.001) break
    best = figures
  }
  return best
}

function transportRows(count, ours, figures) {
  const bench = `${count} calls, transport alone`
  const peers = byName(figures)
  const is200 = count === 200
  return [
    ...metric({ bench, unit: 'CPU s per call-second', peers, ours, of: 'cpuPerCallSecond' }, is200 && {
      target: '< 0.002 (0.001 a leg)',
      meets: (each) => each.ours < 0.002,
    }),
    ...metric({ bench, unit: 'kB a call', peers, ours, of: 'bytesPerCall', scale: 1e-3 }, is200 && {
      target: '< 300 kB (150 kB a leg)',
      meets: (each) => each.ours < 300,
    }),
    ...metric({ bench, unit: 'packets lost', peers, ours, of: 'lost' }, none),
    ...metric({ bench, unit: 'ticks over 10 ms late', peers, ours, of: 'lateTicks' }, none),
  ]
}

const none = { target: '0', meets: ({ ours }) => ours === 0 }

function callRows(bench, ours, figures, isFleet) {
  const peers = byName(figures)
  const [wrtc, werift] = Object.entries(peers)
  const cpu = (aim, [peer, theirs]) => {
    const of = 'cpuPerCallSecond'
    const measured = { bench, unit: 'CPU s per call-second', peers: { [peer]: theirs }, ours, of }
    return metric(measured, isFleet && aim)
  }
  return [
    ...cpu({ target: 'a third of wrtc', meets: ({ ratio }) => ratio >= 3 }, wrtc),
    ...cpu({ target: 'below werift', meets: ({ ratio }) => ratio > 1 }, werift),
    ...metric({ bench, unit: 'kB a call', peers, ours, of: 'bytesPerCall', scale: 1e-3 }),
    ...metric({ bench, unit: 'packets lost', peers, ours, of: 'lost' }, none),
    ...metric({ bench, unit: 'ticks over 10 ms late', peers, ours, of: 'lateTicks' }, none),
    ...metric({ bench, unit: 'event-loop delay p99, ms', peers, ours, of: 'loopDelayP99Ms' }, {
      target: '< 5 ms',
      meets: (each) => each.ours < 5,
    }),
  ]
}

function metric({ bench, unit, peers, ours, of, scale = 1 }, aim) {
  const values = Object.fromEntries(Object.entries(peers).map(([peer, figures]) => [peer, figures[of] * scale]))
  return rows({ bench, unit, less: true, ours: ours[of] * scale, peers: values, ...(aim || { target: null }) })
}

function byName(figures) {
  return Object.fromEntries(Object.entries(figures).map(([peer, each]) => [named(peer, each), each]))
}

function named(peer, { calls, lost, expected }) {
  const losing = lost > expected * 0.001 ? `, ${Math.round((100 * lost) / expected)} % lost` : ''
  return `${peer} (${calls} calls${losing})`
}
