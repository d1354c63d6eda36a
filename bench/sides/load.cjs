// How long loading a module takes, in CPU seconds of a fresh process: node bench/sides/load.cjs <module>
// Whatever is put off until it is used counts as well.
const used = {
  offhook: ({ AudioSink }) => new AudioSink({ rate: 8000 }).destroy(),
  '@roamhq/wrtc': ({ RTCPeerConnection }) => RTCPeerConnection,
  'node-datachannel': ({ PeerConnection }) => PeerConnection,
}
const name = process.argv[2]
const [cpu, start] = [process.cpuUsage(), performance.now()]
used[name](require(name))
const { user, system } = process.cpuUsage(cpu)
const wall = performance.now() - start
process.stdout.write(`${JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: wall })}\n`, () => process.exit(0))
