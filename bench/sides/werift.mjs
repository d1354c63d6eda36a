// werift: pairs of peer connections in this process that send RTP as it is; nothing is encoded. Prints one line of JSON.
//   node bench/sides/werift.mjs '{ "do": "setUp" | "calls", … }'
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS } from 'werift'
import { delay, missing, percentile, report, stopwatch, Ticker } from './clock.mjs'

// 20 ms of Opus at 32 kbit/s.
const payload = Buffer.alloc(80, 0x5a)
const counters = { sent: 0, received: 0 }

function leg() {
  const peer = new RTCPeerConnection({ codecs: { audio: [useOPUS()] }, iceServers: [], iceUseIpv6: false })
  const track = new MediaStreamTrack({ kind: 'audio' })
  peer.addTransceiver(track, { direction: 'sendrecv' })
  const header = { payloadType: 111, sequenceNumber: 0, timestamp: 0, ssrc: (Math.random() * 2 ** 32) >>> 0 }
  const firstPacket = new Promise((resolve) => {
    peer.onTrack.subscribe((remote) => {
      remote.onReceiveRtp.subscribe(() => {
        counters.received++
        resolve()
      })
    })
  })
  const connected = new Promise((resolve) => {
    peer.connectionStateChange.subscribe((state) => state === 'connected' && resolve())
  })
  const send = () => {
    header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff
    header.timestamp = (header.timestamp + 960) >>> 0
    track.writeRtp(new RtpPacket(new RtpHeader({ ...header }), payload))
    counters.sent++
  }
  return { peer, send, firstPacket, connected }
}

async function pair() {
  const [caller, callee] = [leg(), leg()]
  await caller.peer.setLocalDescription(await caller.peer.createOffer())
  await callee.peer.setRemoteDescription(caller.peer.localDescription)
  await callee.peer.setLocalDescription(await callee.peer.createAnswer())
  await caller.peer.setRemoteDescription(callee.peer.localDescription)
  return { caller, callee, legs: [caller, callee] }
}

const close = ({ legs }) => Promise.all(legs.map(({ peer }) => peer.close()))

/** Milliseconds from making the peers to the caller's first packet at the callee. */
async function setUp({ calls, atOnce }) {
  const one = async () => {
    const start = performance.now()
    const call = await pair()
    call.caller.connected.then(() => (call.ticker = new Ticker(20, call.caller.send)))
    await call.callee.firstPacket
    const took = performance.now() - start
    call.ticker?.stop()
    return { took, ...call }
  }
  for (let warm = 0; warm < 3; warm++) await close(await one())
  const took = []
  if (atOnce) {
    const all = await Promise.all(Array.from({ length: calls }, one))
    took.push(...all.map((call) => call.took))
  } else {
    for (let number = 0; number < calls; number++) {
      const call = await one()
      took.push(call.took)
      await close(call)
    }
  }
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99) }
}

async function calls({ calls: count, seconds }) {
  const first = await pair()
  await Promise.all(first.legs.map(({ connected }) => connected))
  await close(first)
  const before = process.memoryUsage.rss()
  const legs = []
  for (let placed = 0; placed < count; placed++) {
    const call = await pair()
    await Promise.all(call.legs.map(({ connected }) => connected))
    legs.push(...call.legs)
  }
  const ticker = new Ticker(10, (tick) => {
    for (let index = tick % 2; index < legs.length; index += 2) legs[index].send()
  })
  await delay(3000)
  Object.assign(counters, { sent: 0, received: 0 })
  ticker.late = 0
  const watch = stopwatch()
  await delay(seconds * 1000)
  const { cpu, seconds: wall, loopDelayP99Ms } = watch()
  const rss = process.memoryUsage.rss() - before
  const { late } = ticker
  ticker.stop()
  await delay(500)
  return {
    calls: count,
    cpuPerCallSecond: cpu / wall / count,
    bytesPerCall: rss / count,
    ...missing({ calls: count, seconds: wall, received: counters.received, lost: counters.sent - counters.received }),
    lateTicks: late,
    loopDelayP99Ms,
  }
}

const job = JSON.parse(process.argv[2])
report(await { setUp, calls }[job.do](job))
