// @roamhq/wrtc: pairs of peer connections in this process, Opus as near to offhook's as SDP allows. Prints one line of JSON.
//   node bench/sides/wrtc.mjs '{ "do": "setUp" | "calls", … }'
import { readFileSync } from 'node:fs'
import wrtc from '@roamhq/wrtc'
import { delay, missing, percentile, report, speech, stopwatch, Ticker } from './clock.mjs'

const { MediaStream, RTCPeerConnection } = wrtc
const { RTCAudioSink, RTCAudioSource } = wrtc.nonstandard
const rate = 16000
const frames = speech(readFileSync(new URL('../../examples/speech.wav', import.meta.url)), rate / 100)
const tone = Int16Array.from({ length: rate / 100 }, (_, n) => 10000 * Math.sin((2 * Math.PI * 500 * n) / rate))

function leg() {
  const peer = new RTCPeerConnection()
  const source = new RTCAudioSource()
  peer.addTrack(source.createTrack(), new MediaStream())
  const sound = new Promise((resolve) => {
    peer.ontrack = ({ track }) => {
      const sink = (self.sink = new RTCAudioSink(track))
      sink.ondata = ({ samples }) => {
        if (samples.some((sample) => Math.abs(sample) > 1000)) {
          sink.ondata = null
          resolve()
        }
      }
    }
  })
  const send = (samples) => source.onData({ samples, sampleRate: rate, bitsPerSample: 16, channelCount: 1, numberOfFrames: samples.length })
  const self = { peer, send, sound }
  return self
}

// 16 kHz, 24 kbit/s, mono; libwebrtc offers no setting for the complexity.
function wideband({ type, sdp }) {
  const opus = /a=rtpmap:(\d+) opus\//.exec(sdp)[1]
  return {
    type,
    sdp: sdp.replace(new RegExp(`(a=fmtp:${opus} .*)`), '$1;maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=24000'),
  }
}

async function pair() {
  const [caller, callee] = [leg(), leg()]
  const trickle = (from, to) => {
    const queued = []
    from.peer.onicecandidate = ({ candidate }) => candidate && queued.push(candidate) && flush()
    const flush = () => {
      if (to.peer.remoteDescription) for (const candidate of queued.splice(0)) to.peer.addIceCandidate(candidate)
    }
    return flush
  }
  const flushes = [trickle(caller, callee), trickle(callee, caller)]
  const offer = await caller.peer.createOffer()
  await caller.peer.setLocalDescription(offer)
  await callee.peer.setRemoteDescription(wideband(offer))
  const answer = await callee.peer.createAnswer()
  await callee.peer.setLocalDescription(answer)
  await caller.peer.setRemoteDescription(wideband(answer))
  for (const flush of flushes) flush()
  return { caller, callee, legs: [caller, callee] }
}

function close({ legs }) {
  for (const { peer, sink } of legs) {
    sink?.stop()
    peer.close()
  }
}

/** Milliseconds from making the peers to the first frame of the caller's tone that the callee's application is handed. */
async function setUp({ calls, atOnce }) {
  const one = async () => {
    const start = performance.now()
    const call = await pair()
    const ticker = new Ticker(10, () => call.caller.send(tone))
    await call.callee.sound
    const took = performance.now() - start
    ticker.stop()
    return { took, ...call }
  }
  for (let warm = 0; warm < 3; warm++) close(await one())
  const took = []
  if (atOnce) {
    const all = await Promise.all(Array.from({ length: calls }, one))
    took.push(...all.map((call) => call.took))
  } else {
    for (let number = 0; number < calls; number++) {
      const call = await one()
      took.push(call.took)
      close(call)
    }
  }
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99) }
}

async function calls({ calls: count, seconds }) {
  const first = await pair()
  await delay(500)
  close(first)
  const before = process.memoryUsage.rss()
  const legs = []
  for (let placed = 0; placed < count; placed++) {
    legs.push(...(await pair()).legs)
    await delay(20)
  }
  const ticker = new Ticker(10, (tick) => {
    const samples = frames[tick % frames.length]
    for (const { send } of legs) send(samples)
  })
  await delay(3000)
  const packets = await total(legs)
  ticker.late = 0
  const watch = stopwatch()
  await delay(seconds * 1000)
  const { cpu, seconds: wall, loopDelayP99Ms } = watch()
  const { late } = ticker
  const after = await total(legs)
  const rss = process.memoryUsage.rss() - before
  ticker.stop()
  return {
    calls: count,
    cpuPerCallSecond: cpu / wall / count,
    bytesPerCall: rss / count,
    ...missing({ calls: count, seconds: wall, received: after.received - packets.received, lost: after.lost - packets.lost }),
    lateTicks: late,
    loopDelayP99Ms,
  }
}

async function total(legs) {
  const reports = await Promise.all(legs.map(({ peer }) => peer.getStats()))
  const inbound = reports.flatMap((each) => [...each.values()].filter(({ type }) => type === 'inbound-rtp'))
  const sum = (member) => inbound.reduce((all, each) => all + (each[member] ?? 0), 0)
  return { lost: sum('packetsLost'), received: sum('packetsReceived') }
}

const job = JSON.parse(process.argv[2])
report(await { setUp, calls }[job.do](job))
