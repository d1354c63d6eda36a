import { setTimeout as wait } from 'node:timers/promises'
import { row } from './table.mjs'

const RATE = 16_000
/** A tone that is written far ahead, as a bot's sentence is. */
const AHEAD_MS = 3000
/** Louder than what a codec leaves of silence. */
const AUDIBLE = 300

/** From `clear()` of a bot's source to silence at the far end: what barge-in takes. */
export async function clearing({ quick }) {
  const { AudioSink, AudioSource, Softphone } = await import('offhook')
  const { Pbx } = await import('offhook/testing')
  const pbx = await Pbx.start({ users: ['bot', 'caller'].map((name) => ({ name, password: 'secret' })) })
  const source = new AudioSource({ rate: RATE, queue: 2 * AHEAD_MS })
  const sink = new AudioSink({ rate: RATE })
  const phone = (name, audio) => new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio, logLevel: 'error' })
  const [bot, caller] = [phone('bot', { input: source, output: 'none' }), phone('caller', { input: 'none', output: sink })]
  try {
    await Promise.all([bot.initialize(), caller.initialize()])
    bot.on('pendingSession', ({ id }) => bot.acceptPendingSession(id))
    await (await caller.call('bot')).answered
    let heard = 0
    sink.on('data', (chunk) => {
      const samples = new Int16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2)
      if (samples.some((sample) => Math.abs(sample) > AUDIBLE)) heard = performance.now()
    })
    const delays = []
    for (let turn = 0; turn < (quick ? 10 : 60); turn++) {
      source.write(tone())
      // Not always at the same moment of a packet.
      await wait(700 + 7.3 * (turn % 20))
      const cleared = performance.now()
      source.clear()
      await wait(500)
      if (heard > cleared - 100) delays.push(Math.max(0, heard - cleared))
    }
    if (delays.length < 5) throw new Error('the tone was not heard')
    delays.sort((one, other) => one - other)
    const [median, p95] = [0.5, 0.95].map((part) => delays[Math.floor((delays.length - 1) * part)])
    console.log(`From clear() to silence at the far end: ${delays.length} times, median ${median.toFixed(0)} ms, at most ${delays.at(-1).toFixed(0)} ms.`)
    const bench = 'From clear() to silence at the far end, p95'
    return [row({ bench, unit: 'ms', ours: p95, less: true, target: '< 120 ms', meets: ({ ours }) => ours < 120 })]
  } finally {
    await Promise.all([bot.destroy(), caller.destroy()])
    await pbx.close()
  }
}

function tone() {
  const length = (RATE * AHEAD_MS) / 1000
  return Int16Array.from({ length }, (_, index) => 8000 * Math.sin((2 * Math.PI * 600 * index) / RATE))
}
