// offhook: two phones and the embedded PBX in this process. Prints one line of JSON.
//   node bench/sides/offhook.mjs '{ "do": "setUp" | "calls", … }'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { AudioSink, Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { delay, missing, percentile, report, stopwatch } from './clock.mjs'

const { native } = createRequire(import.meta.url)('../../dist/native.js')
const speech = { wav: fileURLToPath(new URL('../../examples/speech.wav', import.meta.url)), loop: true }
const logger = Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, () => {}]))
/** New calls a second: a registrar-friendly pace, below what the phone takes as a flood. */
const pace = 50

const users = ['alice', 'bob'].map((name) => ({ name, password: 'secret' }))
const pbx = await Pbx.start({ users })

async function phones(options) {
  const pair = users.map(({ name }) => {
    return new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio: 'none', maxRinging: 1000, logger, logLevel: 'error', ...options })
  })
  await Promise.all(pair.map((phone) => phone.initialize()))
  return pair
}

/** Milliseconds from call() to the first frame of the caller's tone that the callee's application is handed. */
async function setUp({ calls, atOnce }) {
  const [alice, bob] = await phones({})
  const ears = new Map()
  bob.on('pendingSession', ({ id, headers }) => {
    const ear = new AudioSink({ rate: 8000 })
    ears.get(headers['x-bench'][0])(ear)
    bob.acceptPendingSession(id, { audioElement: ear })
  })
  const one = async (number) => {
    const ear = new Promise((resolve) => ears.set(String(number), resolve))
    const start = performance.now()
    const session = await alice.call('bob', { mediaStream: { tone: 440 }, headers: { 'X-Bench': String(number) } })
    await firstSound(await ear)
    const took = performance.now() - start
    return { took, session, ear: await ear }
  }
  const end = async ({ session, ear }) => {
    ear.destroy()
    await session.end()
  }
  // The first calls of a process load what the later ones find.
  for (let number = -3; number < 0; number++) await end(await one(number))
  const took = []
  if (atOnce) {
    const all = await Promise.all(Array.from({ length: calls }, (_, number) => one(number)))
    took.push(...all.map((call) => call.took))
    await Promise.all(all.map(end))
  } else {
    for (let number = 0; number < calls; number++) {
      const call = await one(number)
      took.push(call.took)
      await end(call)
    }
  }
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99) }
}

function firstSound(ear) {
  return new Promise((resolve) => {
    ear.on('data', (frame) => {
      const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
      if (samples.some((sample) => Math.abs(sample) > 1000)) resolve()
    })
  })
}

/** Places calls up to `most`, or until the process has no time for another: then later once more, for it may have been a moment's. */
async function fill(most, place, load) {
  let placed = 0
  for (let refusals = 0; placed < most && refusals < 3; ) {
    const outcomes = await Promise.allSettled(Array.from({ length: Math.min(5, most - placed) }, place))
    const failed = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
    const other = failed.find(({ code, sip }) => code !== 'ERR_TOO_MANY_SESSIONS' && sip?.code !== 503)
    if (other) throw other
    placed += outcomes.length - failed.length
    await delay(5000 / pace)
    if (failed.length === 0) continue
    refusals++
    for (let waited = 0; load() === 1 && waited < 3000; waited += 100) await delay(100)
  }
  return placed
}

async function calls({ calls: most, seconds, codecs, opus }) {
  const [alice, bob] = await phones({ codecs, opus })
  bob.on('pendingSession', ({ id }) => {
    bob.answer(id, { mediaStream: speech }).catch(() => bob.rejectPendingSession(id, { code: 503 }))
  })
  const place = async () => {
    const session = await alice.call('bob', { mediaStream: speech })
    await session.answered
    return session
  }
  await (await place()).end()
  const sessions = () => [...alice.sessions, ...bob.sessions]
  const before = process.memoryUsage.rss()
  const count = await fill(most, place, () => alice.load)
  await Promise.all(sessions().map((session) => session.connected || session.once('change:connected')))
  await delay(3000)
  const [packets, clock, watch] = [await total(sessions()), figures(), stopwatch()]
  await delay(seconds * 1000)
  const { cpu, seconds: wall, loopDelayP99Ms } = watch()
  const [packetsAfter, clockAfter] = [await total(sessions()), figures()]
  const rss = process.memoryUsage.rss() - before
  if (sessions().length !== 2 * count) throw new Error(`${sessions().length} of ${2 * count} sessions are left`)
  return {
    calls: count,
    cpuPerCallSecond: cpu / wall / count,
    bytesPerCall: rss / count,
    ...missing({
      calls: count,
      seconds: wall,
      received: packetsAfter.received - packets.received,
      lost: packetsAfter.lost - packets.lost,
    }),
    lateTicks: clockAfter.late + clockAfter.skipped - clock.late - clock.skipped,
    loopDelayP99Ms,
    load: alice.load,
    spared: clockAfter.spared,
  }
}

function figures() {
  return JSON.parse(native().clockFigures())
}

async function total(sessions) {
  const reports = await Promise.all(sessions.map((session) => session.getStats()))
  const inbound = reports.flatMap((each) => [...each.values()].filter(({ type }) => type === 'inbound-rtp'))
  const sum = (member) => inbound.reduce((all, each) => all + (each[member] ?? 0), 0)
  return { lost: sum('packetsLost'), received: sum('packetsReceived') }
}

const job = JSON.parse(process.argv[2])
report(await { setUp, calls }[job.do](job))
