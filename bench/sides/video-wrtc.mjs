// @roamhq/wrtc: pictures from one peer connection to another in this process. Prints one line of JSON.
//   node bench/sides/video-wrtc.mjs '{ "do": "raw", … }'
import wrtc from '@roamhq/wrtc'
import { ImpairedLine } from '../impairment.mjs'
import { delay, report, stopwatch, Ticker } from './clock.mjs'
import { FORMATS, Glass, received, since } from './pictures.mjs'

const { MediaStream, RTCPeerConnection } = wrtc
const { RTCAudioSource, RTCVideoSink, RTCVideoSource } = wrtc.nonstandard
const SAMPLES = 480

async function raw({ format, seconds, settle, line: impairment }) {
  const { rate, ...size } = FORMATS[format]
  const line = impairment && (await ImpairedLine.open(impairment))
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()]
  const [camera, microphone, other] = [new RTCVideoSource(), new RTCAudioSource(), new RTCAudioSource()]
  const stream = new MediaStream()
  near.addTrack(microphone.createTrack(), stream)
  near.addTrack(camera.createTrack(), stream)
  far.addTrack(other.createTrack(), stream)
  const glass = new Glass(size)
  far.ontrack = ({ track }) => {
    if (track.kind !== 'video') return
    const sink = new RTCVideoSink(track)
    sink.onframe = ({ frame }) => glass.see(frame)
  }
  await connect(near, far, line)
  const tone = Int16Array.from({ length: SAMPLES }, (_, n) => 8000 * Math.sin((2 * Math.PI * 440 * n) / 48_000))
  const sound = { samples: tone, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: SAMPLES }
  new Ticker(10, () => [microphone, other].forEach((each) => each.onData(sound)))
  new Ticker(1000 / rate, () => camera.onFrame({ ...size, data: new Uint8ClampedArray(glass.next()) }))
  await delay(settle)
  const before = [received(await far.getStats()), received(await near.getStats())]
  const watch = stopwatch()
  glass.begin()
  await delay(seconds * 1000)
  const { cpu, seconds: wall } = watch()
  const figures = glass.figures()
  const [there, here] = [since(before[0], received(await far.getStats())), since(before[1], received(await near.getStats()))]
  return { ...figures, cpu: cpu / wall, ...there, audioLost: there.audioLost + here.audioLost }
}

/** Without trickling, so that an impaired line sees all addresses. */
async function connect(near, far, line) {
  await near.setLocalDescription(await near.createOffer())
  await gathered(near)
  await far.setRemoteDescription(told(near, line, 0))
  await far.setLocalDescription(await far.createAnswer())
  await gathered(far)
  await near.setRemoteDescription(told(far, line, 1))
}

function told({ localDescription: { type, sdp } }, line, end) {
  return { type, sdp: line ? line.rewrite(sdp, end) : sdp }
}

function gathered(peer) {
  return new Promise((resolve) => {
    const look = () => peer.iceGatheringState === 'complete' && resolve()
    peer.onicegatheringstatechange = look
    look()
  })
}

const job = JSON.parse(process.argv[2])
report(await { raw }[job.do](job))
