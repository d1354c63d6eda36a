// Loads the package and makes a call with sound and digits, in the main thread and in a worker; must then end by itself.
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { Worker, isMainThread } = require('node:worker_threads')
const { AudioSink, Softphone } = require('offhook')
const { Pbx } = require('offhook/testing')

async function call() {
  const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }, { name: 'bob', password: 'hidden' }] })
  const phone = (name, options) => new Softphone({ ...pbx.account(name), audio: 'none', logLevel: 'error', ...options })
  const [alice, bob] = [phone('alice'), phone('bob', { autoAnswer: 'always' })]
  await Promise.all([alice.initialize(), bob.initialize()])

  let digits = ''
  const four = new Promise((resolve) => {
    bob.on('sessionStarted', (session) => {
      session.on('dtmf', ({ tone }) => (digits += tone).length === 4 && resolve())
    })
  })
  const session = await alice.call('bob')
  await session.answered
  await session.sendDtmf('42#A')
  await four
  assert.equal(digits, '42#A')
  await session.end()

  const heard = new AudioSink({ rate: 8000 })
  const echoed = await bob.call('echo', { mediaStream: { tone: 440 }, audioElement: heard })
  await echoed.answered
  for await (const frame of heard) {
    const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
    if (samples.some((sample) => Math.abs(sample) > 1000)) break
  }
  await Promise.all([alice.destroy(), bob.destroy()])
  await pbx.close()
}

async function main() {
  await call()
  if (!isMainThread) return
  const worker = new Worker(__filename)
  const [code] = await once(worker, 'exit')
  assert.equal(code, 0)
  console.log(`Node ${process.version}: called in the main thread and in a worker`)
}

main()
