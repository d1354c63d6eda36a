// A call between two phones through the embedded PBX: click-to-call, answered by itself, speech one way and its echo back.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AudioSink, AudioSource, Softphone } from '../index.mjs'
import { Pbx } from '../testing.mjs'
import { root } from './bootstrap.mjs'

const RATE = 16000
// LibriVox's public-domain reading of Sense and Sensibility.
const SPEECH = join(root, 'examples', 'speech.wav')
const OUTPUT = join(root, 'demo.wav')
const CONVERSATION = 'demo-4711'
const TALK_MS = 6000

/** Runs the demo; rejects where either side heard nothing. */
export async function run() {
  const timeline = new Timeline()
  const pbx = await Pbx.start({ users: ['alice', 'bob'].map((name) => ({ name, password: `${name}-secret` })) })
  timeline.note('pbx', `listens on ${pbx.url}`)
  const alice = phoneOf(pbx, 'alice', timeline)
  const bob = phoneOf(pbx, 'bob', timeline)
  try {
    await Promise.all([alice.initialize(), bob.initialize()])
    const legs = await converse(pbx, alice, bob, timeline)
    writeFileSync(OUTPUT, stereo(legs.bob, legs.alice))
    report(legs)
  } finally {
    await Promise.all([alice.destroy(), bob.destroy()])
    await pbx.close()
  }
}

async function converse(pbx, alice, bob, timeline) {
  const legs = { alice: new Leg(), bob: new Leg() }
  // Bob says back what he hears.
  const echo = new AudioSource({ rate: RATE })
  legs.bob.sink.on('data', (frame) => echo.write(frame))
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: echo, audioElement: legs.bob.sink }))

  const started = alice.once('sessionStarted', { signal: AbortSignal.timeout(10_000) })
  await alice.expectCall({ conversationId: CONVERSATION })
  timeline.note('alice', `expects the call of conversation ${CONVERSATION}`)
  await pbx.originate({ to: 'alice', with: 'bob', autoAnswer: true, conversationId: CONVERSATION })
  const [session] = await started
  await session.answered
  await Promise.all([session.setInput({ wav: SPEECH }), session.setOutput(legs.alice.sink)])
  timeline.note('alice', 'speaks')
  await elapsed(session, TALK_MS)
  await session.sendDtmf('42#')
  legs.stats = await lastStats(session)
  legs.codec = session.codec
  await alice.endSession({ conversationId: CONVERSATION })
  echo.destroy()
  return legs
}

function phoneOf(pbx, name, timeline) {
  const phone = new Softphone({ ...pbx.account(name), audio: 'none', logLevel: 'warn' })
  const note = (text) => timeline.note(name, text)
  phone.on('connected', () => note('connected'))
  phone.on('registered', ({ expires }) => note(`registered for ${expires} s`))
  phone.on('pendingSession', ({ address, autoAnswer }) => note(`${address} calls${autoAnswer ? ', answered by itself' : ''}`))
  phone.on('sessionStarted', (session) => {
    note(`session started with ${session.address}`)
    session.on('change:connectionState', (_, state) => note(`media ${state}`))
    session.on('change:active', (_, active) => active && note('call active'))
    session.on('dtmf', ({ tone, duration }) => note(`received the digit ${tone} (${duration} ms)`))
  })
  phone.on('sessionEnded', (session, reason) => note(`session ended after ${session.duration} ms: ${reason}`))
  phone.on('unregistered', () => note('unregistered'))
  phone.on('error', (error) => note(`ERROR ${error.code}: ${error.message}`))
  return phone
}

/** Waits for the call's own clock, one `stats` a second. */
async function elapsed(session, milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end) await lastStats(session)
}

async function lastStats(session) {
  const [stats] = await session.once('stats', { signal: AbortSignal.timeout(5000) })
  return stats
}

/** What one side hears, and when it began to. */
class Leg {
  sink = new AudioSink({ rate: RATE })
  #frames = []
  #start

  constructor() {
    this.sink.on('data', (frame) => {
      this.#start ??= performance.now()
      this.#frames.push(frame)
    })
  }

  get start() {
    return this.#start ?? Infinity
  }

  get samples() {
    const bytes = Buffer.concat(this.#frames)
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  }

  /** The level in dBFS of its loudest second. */
  get loudest() {
    const { samples } = this
    let most = 0
    for (let start = 0; start + RATE <= samples.length; start += RATE / 2) {
      const energy = samples.subarray(start, start + RATE).reduce((sum, sample) => sum + sample * sample, 0)
      most = Math.max(most, energy / RATE)
    }
    return 10 * Math.log10(most / (32768 * 32768) + 1e-12)
  }
}

function report({ alice, bob, stats, codec }) {
  const rows = [
    ['codec', codec],
    ['loss', `${stats.lossPct} %`],
    ['jitter', `${stats.jitterMs} ms`],
    ['round trip', stats.rttMs === null ? 'unknown' : `${stats.rttMs} ms`],
    ['MOS', stats.mos],
    ['bob hears speech', `${bob.loudest.toFixed(0)} dBFS`],
    ['alice hears its echo', `${alice.loudest.toFixed(0)} dBFS`],
    ['written', `${OUTPUT} (left: what bob hears, right: what alice hears)`],
  ]
  console.log(`\n${rows.map(([name, value]) => `${name.padEnd(22)}${value}`).join('\n')}`)
  for (const [name, leg] of Object.entries({ alice, bob })) {
    if (leg.loudest < -50) throw new Error(`${name} heard nothing`)
  }
}

/** A stereo WAV file of two legs, aligned in time. */
function stereo(left, right) {
  const start = Math.min(left.start, right.start)
  const [first, second] = [left, right].map((leg) => ({
    samples: leg.samples,
    offset: Math.round(((leg.start - start) / 1000) * RATE),
  }))
  const length = Math.max(first.offset + first.samples.length, second.offset + second.samples.length)
  const wav = Buffer.alloc(44 + length * 4)
  header(wav, length)
  for (const [channel, { samples, offset }] of [first, second].entries()) {
    samples.forEach((sample, index) => wav.writeInt16LE(sample, 44 + (offset + index) * 4 + channel * 2))
  }
  return wav
}

function header(wav, length) {
  wav.write('RIFF', 0)
  wav.writeUInt32LE(36 + length * 4, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(2, 22)
  wav.writeUInt32LE(RATE, 24)
  wav.writeUInt32LE(RATE * 4, 28)
  wav.writeUInt16LE(4, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(length * 4, 40)
}

class Timeline {
  #start = performance.now()

  note(who, text) {
    const milliseconds = Math.round(performance.now() - this.#start)
    console.log(`${String(milliseconds).padStart(6)} ms  ${who.padEnd(6)} ${text}`)
  }
}
