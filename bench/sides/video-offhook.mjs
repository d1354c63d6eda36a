// offhook: calls with pictures between phones of ours and the embedded PBX in this process. Prints one line of JSON.
//   node bench/sides/video-offhook.mjs '{ "do": "raw" | "forward", … }'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Softphone, VideoSink, VideoSource } from 'offhook'
import { Pbx } from 'offhook/testing'
import { ImpairedLine } from '../impairment.mjs'
import { SipRewriter } from '../rewriter.mjs'
import { delay, report, stopwatch, Ticker } from './clock.mjs'
import { FORMATS, Glass, received, since } from './pictures.mjs'

const logger = Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, () => {}]))
const pbx = await Pbx.start({ users: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })) })

async function phone(name, options) {
  const made = new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio: 'none', maxRinging: 1000, logger, logLevel: 'error', ...options })
  await made.initialize()
  return made
}

/** Alice's call to Bob, who sees what she shows; sound goes both ways. */
async function connect(alice, bob, video) {
  const ringing = bob.once('pendingSession')
  const session = await alice.call('bob', { mediaStream: { tone: 440 }, video })
  const [{ id }] = await ringing
  const theirs = await bob.answer(id, { mediaStream: { tone: 660 }, video: 'none' })
  await session.answered
  return { session, theirs }
}

async function look(theirs, sink) {
  while (theirs.streams.length === 0) await delay(20)
  await theirs.setVideoOutput(theirs.streams[0].id, sink)
}

/** Pictures that are encoded and decoded here, from glass to glass; over an impaired line if there is one. */
async function raw({ format, seconds, settle, line: impairment }) {
  const { rate, ...size } = FORMATS[format]
  const line = impairment && (await ImpairedLine.open(impairment))
  const rewriter = line && (await SipRewriter.open(pbx.url, line))
  const [alice, bob] = [await phone('alice', line && { servers: rewriter.url }), await phone('bob')]
  const source = new VideoSource({ format: 'raw' })
  const { session, theirs } = await connect(alice, bob, source)
  const glass = new Glass(size)
  const sink = new VideoSink({ format: 'I420' })
  sink.on('data', (picture) => glass.see(picture))
  await look(theirs, sink)
  const ticker = new Ticker(1000 / rate, () => source.write({ format: 'I420', ...size, data: glass.next() }))
  // Until the network's rate has been found.
  await delay(settle)
  const before = received(await theirs.getStats())
  const [there, watch] = [received(await session.getStats()), stopwatch()]
  glass.begin()
  await delay(seconds * 1000)
  const { cpu, seconds: wall } = watch()
  const figures = glass.figures()
  const theirsNow = since(before, received(await theirs.getStats()))
  const oursNow = since(there, received(await session.getStats()))
  ticker.stop()
  return { ...figures, cpu: cpu / wall, ...theirsNow, audioLost: theirsNow.audioLost + oursNow.audioLost }
}

/** A file of encoded frames, such as a page's camera makes them. */
async function encodedClip({ format, settle }) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'))
  const [alice, bob] = [await phone('alice'), await phone('bob')]
  const { rate, ...size } = FORMATS[format]
  const source = new VideoSource({ format: 'raw' })
  const { session, theirs } = await connect(alice, bob, source)
  const ivf = join(folder, 'clip.ivf')
  const glass = new Glass(size)
  const ticker = new Ticker(1000 / rate, () => source.write({ format: 'I420', ...size, data: glass.next() }))
  await delay(settle / 2)
  await look(theirs, { ivf })
  await delay(settle)
  await session.end()
  ticker.stop()
  source.close()
  await Promise.all([alice.destroy(), bob.destroy()])
  return { ivf, done: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Encoded frames through calls, as a room forwards them: nothing is encoded or decoded; `streams` receivers of one source. */
async function forward({ format, seconds, settle, streams }) {
  const clip = await encodedClip({ format, settle })
  // The sound of telephones: what is measured are pictures.
  const [alice, bob] = [await phone('alice', { codecs: ['PCMU'] }), await phone('bob', { codecs: ['PCMU'] })]
  try {
    const feed = await connect(alice, bob, { ivf: clip.ivf, loop: true })
    const sink = new VideoSink()
    const sources = []
    const counts = []
    let forwarded = 0
    for (let number = 0; number < streams; number++) {
      const source = new VideoSource({ codecs: ['vp8'] })
      const made = await connect(alice, bob, source).catch((error) => {
        if (error.code !== 'ERR_TOO_MANY_SESSIONS') throw error
      })
      // The machine has no time for another.
      if (made === undefined) break
      const { theirs } = made
      const seen = new VideoSink()
      const index = counts.push(0) - 1
      seen.on('data', () => counts[index]++)
      await look(theirs, seen)
      source.on('keyFrameRequest', () => sink.requestKeyFrame())
      sources.push(source)
    }
    sink.on('data', (frame) => {
      forwarded += sources.length
      for (const source of sources) source.write(frame)
    })
    await look(feed.theirs, sink)
    await delay(settle)
    counts.fill(0)
    forwarded = 0
    const sessions = [...bob.sessions]
    const audio = async () => (await Promise.all(sessions.map((each) => each.getStats()))).map(received)
    const before = await audio()
    const watch = stopwatch()
    await delay(seconds * 1000)
    const { cpu, seconds: wall, loopDelayP99Ms } = watch()
    const after = await audio()
    const seen = counts.reduce((sum, count) => sum + count, 0)
    return {
      streams: sources.length,
      cpu: cpu / wall / (sources.length + 1),
      lost: Math.max(0, 1 - seen / forwarded),
      audioLost: after.reduce((sum, each, index) => sum + each.audioLost - before[index].audioLost, 0),
      loopDelayP99Ms,
    }
  } finally {
    clip.done()
  }
}

const job = JSON.parse(process.argv[2])
report(await { raw, forward }[job.do](job))
