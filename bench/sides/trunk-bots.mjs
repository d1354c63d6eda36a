// offhook: bots on a trunk, who say again what they hear. Prints its ports, and its figures when it is told to by standard input.
//   node bench/sides/trunk-bots.mjs '{ "bots": 1, "codecs": ["PCMU"], "opus": …, "rate": 8000 }'
import { once } from 'node:events'
import { AudioSink, AudioSource, Softphone } from 'offhook'
import { freeUdpPorts } from '../../__test__/interop/ports.mjs'
import { silent } from '../../__test__/phones.mjs'
import { stopwatch } from './clock.mjs'

const { bots, codecs, opus, rate } = JSON.parse(process.argv[2])

async function bot() {
  // Another process may take the port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const [port] = await freeUdpPorts(1)
    const options = { uri: 'sip:bot@trunk.test', register: false, listen: { udp: { port, host: '127.0.0.1' } }, peers: ['127.0.0.1'], media: ['rtp'] }
    const phone = new Softphone({ ...options, codecs, opus, autoAnswer: 'off', audio: 'none', maxRinging: 1000, logger: silent, logLevel: 'error' })
    phone.on('error', () => {})
    phone.on('pendingSession', ({ id }) => {
      const [ear, mouth] = [new AudioSink({ rate }), new AudioSource({ rate })]
      ear.pipe(mouth)
      // Who has hung up meanwhile is no bot's fault.
      phone.answer(id, { mediaStream: mouth, audioElement: ear }).catch(() => {})
    })
    try {
      await phone.initialize()
      return { phone, port }
    } catch (error) {
      await phone.destroy()
      if (attempt === 3) throw error
    }
  }
}

const tell = (what) => console.log(JSON.stringify(what))
const all = await Promise.all(Array.from({ length: bots }, bot))
const calls = () => all.reduce((count, { phone }) => count + phone.sessions.length, 0)
const before = process.memoryUsage.rss()
let watch
tell({ ports: all.map(({ port }) => port) })

for (;;) {
  const [word] = await once(process.stdin, 'data')
  if (`${word}`.startsWith('begin')) watch = stopwatch()
  else {
    const { cpu, seconds } = watch()
    tell({ calls: calls(), cpuPerCallSecond: cpu / seconds / calls(), bytesPerCall: (process.memoryUsage.rss() - before) / calls() })
    await Promise.all(all.map(({ phone }) => phone.destroy()))
    process.stdin.destroy()
    break
  }
}
