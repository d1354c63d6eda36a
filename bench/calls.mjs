import { job } from './children.mjs'
import { rows } from './table.mjs'

const seconds = (quick) => (quick ? 3 : 10)
const wideband = (complexity) => ({ codecs: ['opus'], opus: { rate: 16000, complexity } })

/** Calls in one process, both legs: the most that lose nothing, each peer's and ours, and what they cost. */
export async function calls({ rust, quick }) {
  const side = (name, more) => (calls) => job(name, { do: 'calls', calls, seconds: seconds(quick), ...more })
  const peers = {
    '@roamhq/wrtc': await most(side('wrtc'), quick ? only(2) : { from: 2, to: 200 }),
    werift: await most(side('werift'), quick ? only(2) : { from: 10, to: 400 }),
  }
  const results = []
  const crates = await rust()
  const alone = async (name, calls) => (await crates(name, calls, seconds(quick)))[0]
  const webrtc = await most((calls) => alone('webrtc', calls), quick ? only(2) : { from: 20, to: 400 })
  for (const count of quick ? [10] : [50, 200, 500]) {
    results.push(...transportRows(count, await alone('transport', count), { webrtc, werift: peers.werift }))
  }
  const runs = [
    { name: 'Opus 16 kHz, complexity 5', options: wideband(5), aims: {} },
    { name: 'Opus 16 kHz, complexity 1', options: wideband(1), aims: { calls: 200 } },
    { name: 'G.711', options: { codecs: ['PCMU'] }, aims: { calls: 500 } },
  ]
  for (const { name, options, aims } of runs) {
    // Ours takes no more calls than it has time for, so that one run finds how many those are.
    const ours = await side('offhook', options)(quick ? 5 : 2000)
    results.push(...callRows(ours.spared > 0 ? `${name}, with thrift` : name, ours, peers, aims))
  }
  // So few that nothing is left out.
  const fixed = [
    ['Opus 16 kHz, complexity 5', 50, wideband(5), {}],
    ['Opus 16 kHz, complexity 1', 100, wideband(1), { isFleet: true }],
  ]
  for (const [name, count, options, aims] of quick ? [] : fixed) {
    const ours = await side('offhook', options)(count)
    results.push(...callRows(`${ours.calls} calls, ${name}${ours.spared > 0 ? ', with thrift' : ''}`, ours, peers, aims))
  }
  return results
}

/** Of what would be heard: a tick more or less at the edges of the measurement is no loss. */
const losesNothing = ({ lost, expected }) => lost <= expected * 0.001

const only = (calls) => ({ from: calls, to: calls })

/** The figures with the most calls that lose nothing: twice as many each time until some is lost, then three halvings; those of the fewest where all lose. */
async function most(run, { from, to }) {
  let best
  const attempt = async (count) => {
    const figures = await run(count).catch((error) => {
      // So many that it never ends.
      if (best === undefined) throw error
    })
    const loses = figures === undefined || !losesNothing(figures)
    if (!loses || best === undefined) best = figures
    return !loses
  }
  let [holds, count] = [0, from]
  while (count <= to && (await attempt(count))) {
    holds = count
    count *= 2
  }
  if (holds === 0 || count > to) return best
  for (let step = 0; step < 3; step++) {
    const middle = Math.round((holds + count) / 2)
    if (await attempt(middle)) holds = middle
    else count = middle
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

function callRows(bench, ours, figures, { calls: wanted, isFleet = false }) {
  const peers = byName(figures)
  const [wrtc, werift] = Object.entries(peers)
  const cpu = (aim, [peer, theirs]) => {
    const of = 'cpuPerCallSecond'
    const measured = { bench, unit: 'CPU s per call-second', peers: { [peer]: theirs }, ours, of }
    return metric(measured, isFleet && aim)
  }
  return [
    // What loses some is no such number, whatever was taken.
    ...metric({ bench, unit: 'calls that lose nothing', peers, ours: losesNothing(ours) ? ours : { calls: 0 }, of: 'calls', less: false }, {
      target: `≥ ${wanted ?? 1}`,
      meets: (each) => each.ours >= (wanted ?? 1),
    }),
    ...cpu({ target: 'a third of wrtc', meets: ({ ratio }) => ratio >= 3 }, wrtc),
    ...cpu({ target: '< 0.0075', meets: (each) => each.ours < 0.0075 }, werift),
    ...metric({ bench, unit: 'kB a call', peers, ours, of: 'bytesPerCall', scale: 1e-3 }),
    ...metric({ bench, unit: 'packets lost', peers, ours, of: 'lost' }, none),
    ...metric({ bench, unit: 'ticks over 10 ms late', peers, ours, of: 'lateTicks' }, none),
    ...metric({ bench, unit: 'event-loop delay p99, ms', peers, ours, of: 'loopDelayP99Ms' }, {
      target: '< 5 ms',
      meets: (each) => each.ours < 5,
    }),
  ]
}

function metric({ bench, unit, peers, ours, of, scale = 1, less = true }, aim) {
  const values = Object.fromEntries(Object.entries(peers).map(([peer, figures]) => [peer, figures[of] * scale]))
  return rows({ bench, unit, less, ours: ours[of] * scale, peers: values, ...(aim || { target: null }) })
}

function byName(figures) {
  return Object.fromEntries(Object.entries(figures).map(([peer, each]) => [named(peer, each), each]))
}

function named(peer, { calls, lost, expected }) {
  const losing = lost > expected * 0.001 ? `, ${Math.round((100 * lost) / expected)} % lost` : ''
  return `${peer} (${calls} calls${losing})`
}
