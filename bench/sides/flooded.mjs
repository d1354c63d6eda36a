// The phone that is flooded, in a process of its own: it obeys its parent (flood.mjs).
import { AudioSink, Softphone } from 'offhook'

const logger = Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, () => {}]))
const phone = new Softphone({ ...JSON.parse(process.env.OPTIONS), audio: 'none', logger, logLevel: 'error' })
await phone.initialize()

const ear = new AudioSink({ rate: 8000 })
const session = await phone.call('echo', { mediaStream: { tone: 440 }, audioElement: ear })
await session.answered
let silent = 0
ear.on('data', (frame) => {
  const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
  if (samples.every((sample) => Math.abs(sample) < 1000)) silent += 20
})

/** Milliseconds until it works or fails. */
async function timed(act) {
  const start = performance.now()
  await act().catch(() => {})
  return performance.now() - start
}

const orders = {
  memory: () => {
    globalThis.gc()
    return process.memoryUsage.rss() / 1e6
  },
  listen: () => {
    silent = 0
  },
  silence: () => silent,
  hold: () => timed(() => session.hold()),
  call: () => timed(async () => (await phone.call('echo', { audioElement: 'none' })).end()),
}
process.on('message', async ({ id, order }) => process.send({ id, value: await orders[order]() }))
process.send({ ready: true })
