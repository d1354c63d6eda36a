// Calls the echo extension of the embedded PBX, plays it a tone, and prints what comes back.
//   node node_modules/offhook/examples/first-call.mjs
import { AudioSink, Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'

const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
const phone = new Softphone({ ...pbx.account('alice'), logLevel: 'warn' })
phone.on('sessionEnded', (session, reason) => console.log(`ended: ${reason}, after ${session.duration} ms`))
await phone.initialize()

const heard = new AudioSink({ rate: 8000 })
const session = await phone.call('echo', { mediaStream: { tone: 440 }, audioElement: heard })
await session.answered
console.log('answered')

let frames = 0
for await (const frame of heard) {
  const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  if (loudest > 1000 && ++frames === 50) break
}
console.log(`heard a second of ${session.codec} echo`)

await session.end()
await phone.destroy()
await pbx.close()
