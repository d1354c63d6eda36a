import { chromiumInstalled } from '../__test__/interop/chromium.mjs'
import { job } from './children.mjs'
import { row, rows } from './table.mjs'

const RECEIVERS = 50
/** Networks that lose packets or take few, both ways. */
const LINES = { '5 % loss': { loss: 0.05 }, '10 % loss': { loss: 0.1 }, '500 kbit/s': { rate: 500_000 } }

const times = (quick) => ({ seconds: quick ? 2 : 20, settle: quick ? 1500 : 8000 })

/** Pictures between two engines of ours and to Chromium, beside Chromium and @roamhq/wrtc. */
export async function glass({ quick }) {
  if (!chromiumInstalled()) console.log('Chromium is not measured: it is not installed.')
  const results = []
  for (const format of quick ? ['360p30'] : ['360p30', '720p30']) results.push(...glassRows(format, await all({ format, ...times(quick) })))
  return results
}

/** The same on networks that lose packets or take few. */
export async function badNetworks({ quick }) {
  const results = []
  for (const [name, line] of Object.entries(quick ? { '500 kbit/s': LINES['500 kbit/s'] } : LINES)) {
    results.push(...networkRows(name, line, await all({ format: '360p30', ...times(quick), line })))
  }
  return results
}

/** What each side makes of the same job. */
async function all(what) {
  const raw = { do: 'raw', ...what }
  const chromium = chromiumInstalled() !== undefined
  return {
    ours: await job('video-offhook', raw),
    toChromium: chromium ? await job('video-chromium', { do: 'ours', ...what }) : undefined,
    // Without loss the receiver has nothing to do.
    fromChromium: chromium && what.line ? await job('video-chromium', { do: 'theirs', ...what }) : undefined,
    peers: { ...(chromium && { Chromium: await job('video-chromium', raw) }), '@roamhq/wrtc': await job('video-wrtc', raw) },
  }
}

const member = (peers, of) => Object.fromEntries(Object.entries(peers).map(([name, figures]) => [name, figures[of]]))

function glassRows(format, { ours, toChromium, peers }) {
  const units = [
    ['lost', 'share of pictures not seen'],
    ['median', 'ms from glass to glass, median'],
    ['p95', 'ms from glass to glass, p95'],
    ['cpu', 'CPU s per second of a call'],
  ]
  return units.flatMap(([of, unit]) => [
    ...rows({ bench: `Video ${format}`, unit, less: true, ours: ours[of], peers: member(peers, of) }),
    ...(toChromium ? [row({ bench: `Video ${format}, to Chromium`, unit, less: true, ours: toChromium[of] })] : []),
  ])
}

function networkRows(name, line, { ours, toChromium, fromChromium, peers }) {
  const bench = `Video 360p30, ${name}`
  const freeze = { target: "no longer than Chromium's", against: 'Chromium', meets: (measured) => measured.ours <= measured.theirs }
  // What a line loses at random it loses of sound as well: that is not the pictures' doing.
  const sound = line.loss === undefined ? { target: '0', meets: (measured) => measured.ours === 0 } : {}
  return [
    ...rows({ bench, unit: 'freezes', less: true, ours: ours.freezes, peers: member(peers, 'freezes') }),
    ...rows({ bench, unit: 's that pictures were frozen', less: true, ours: ours.frozen, peers: member(peers, 'frozen'), ...freeze }),
    ...rows({ bench, unit: 'ms between two pictures, longest', less: true, ours: ours.longestGap, peers: member(peers, 'longestGap') }),
    ...rows({ bench, unit: 'audio packets lost', less: true, ours: ours.audioLost, peers: member(peers, 'audioLost'), ...sound }),
    ...(toChromium ? [row({ bench: `${bench}, to Chromium`, unit: 's that pictures were frozen', less: true, ours: toChromium.frozen })] : []),
    ...(fromChromium ? rows({ bench: `${bench}, from Chromium`, unit: 's that pictures were frozen', less: true, ours: fromChromium.frozen, peers: { Chromium: peers.Chromium.frozen }, ...freeze }) : []),
  ]
}

/** Encoded pictures from one call to others, as a room forwards them. */
export async function forwarded({ quick }) {
  const what = { do: 'forward', format: '360p30', ...times(quick) }
  const one = await job('video-offhook', { ...what, streams: quick ? 1 : 10 })
  const theirs = await job('video-wrtc', { ...what, do: 'raw' })
  // As many as the machine takes, of those that are asked for.
  const many = await job('video-offhook', { ...what, streams: quick ? 3 : RECEIVERS })
  const bench = `Encoded 360p30 forwarded to ${many.streams}`
  const none = { target: '0', meets: ({ ours }) => ours === 0 }
  return [
    row({
      bench: `Encoded 360p30 forwarded to ${one.streams}`,
      unit: 'CPU s per second of a stream',
      ours: one.cpu,
      peer: '@roamhq/wrtc',
      theirs: theirs.cpu,
      less: true,
      target: '< 0.2 of wrtc',
      meets: ({ ratio }) => ratio > 5,
    }),
    row({ bench: 'Encoded 360p30, streams forwarded at once', unit: 'streams', ours: many.streams, target: '50 on two cores', meets: ({ ours }) => ours >= RECEIVERS }),
    row({ bench, unit: 'CPU s per second of a stream', less: true, ours: many.cpu }),
    row({ bench, unit: 'share of frames lost', less: true, ours: many.lost, target: '< 0.01', meets: ({ ours }) => ours < 0.01 }),
    row({ bench, unit: 'audio packets lost', less: true, ours: many.audioLost, ...none }),
    row({ bench, unit: 'event-loop delay p99, ms', less: true, ours: many.loopDelayP99Ms }),
  ]
}
