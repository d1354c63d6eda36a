// Chromium: a page that shows itself its fake camera over two peer connections, and pages with JsSIP that see ours, or are seen
// by us. Prints one line of JSON.
//   node bench/sides/video-chromium.mjs '{ "do": "raw" | "ours" | "theirs", … }'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { chromiumFlags, chromiumInstalled, startChromium } from '../../__test__/interop/chromium.mjs'
import { writeCounterClip } from '../../__test__/interop/counter.mjs'
import { readCounter } from '../../__test__/interop/read-counter.mjs'
import { ImpairedLine } from '../impairment.mjs'
import { SipRewriter } from '../rewriter.mjs'
import { delay, percentile, report, stopwatch, Ticker } from './clock.mjs'
import { FORMATS, Glass, received, since } from './pictures.mjs'

/** Runs in the page. */
async function talk({ width, height, rate, impaired }) {
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: rate } })
  const context = new AudioContext()
  const tone = () => {
    const destination = context.createMediaStreamDestination()
    const oscillator = new OscillatorNode(context, { frequency: 440 })
    oscillator.connect(destination)
    oscillator.start()
    return destination.stream.getTracks()[0]
  }
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()]
  near.addTrack(tone(), camera)
  near.addTrack(camera.getVideoTracks()[0], camera)
  far.addTrack(tone(), camera)
  window.sightings = { shown: [], seen: [] }
  const watch = async (track, into) => {
    const video = Object.assign(document.createElement('video'), { muted: true, srcObject: new MediaStream([track]) })
    const note = (at) => {
      const count = window.readCounter(video)
      if (count !== undefined && count !== into.at(-1)?.[0]) into.push([count, at])
      video.requestVideoFrameCallback(note)
    }
    video.requestVideoFrameCallback(note)
    await video.play()
  }
  far.ontrack = ({ track }) => track.kind === 'video' && watch(track, window.sightings.seen)
  await watch(camera.getVideoTracks()[0], window.sightings.shown)
  const gathered = (peer) => new Promise((resolve) => {
    const look = () => peer.iceGatheringState === 'complete' && resolve()
    peer.onicegatheringstatechange = look
    look()
  })
  const told = async ({ localDescription: { type, sdp } }, end) => ({ type, sdp: impaired ? await window.rewrite(sdp, end) : sdp })
  await near.setLocalDescription()
  await gathered(near)
  await far.setRemoteDescription(await told(near, 0))
  await far.setLocalDescription()
  await gathered(far)
  await near.setRemoteDescription(await told(far, 1))
  window.peers = { near, far }
}

/** Runs in the page. */
async function figuresOf() {
  const of = async (peer) => {
    const all = [...(await peer.getStats()).values()].filter(({ type }) => type === 'inbound-rtp')
    return [all.find(({ kind }) => kind === 'video'), all.find(({ kind }) => kind === 'audio')]
  }
  const [[video, audio], [, back]] = [await of(window.peers.far), await of(window.peers.near)]
  return {
    freezes: video.freezeCount,
    frozen: video.totalFreezesDuration,
    frames: video.framesDecoded,
    audioLost: audio.packetsLost + back.packetsLost,
    audioReceived: audio.packetsReceived,
  }
}

/** Chromium to Chromium, in one page. */
async function raw({ format, seconds, settle, line: impairment }) {
  const line = impairment && (await ImpairedLine.open(impairment))
  const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'))
  const camera = writeCounterClip(join(folder, 'camera.y4m'), FORMATS[format])
  const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>')).listen(0, '127.0.0.1')
  await once(site, 'listening')
  const browser = await chromium.launchServer({ executablePath: chromiumInstalled(), headless: true, args: chromiumFlags({ camera }) })
  try {
    const page = await (await chromium.connect(browser.wsEndpoint())).newPage()
    await page.exposeFunction('rewrite', (sdp, end) => line.rewrite(sdp, end))
    await page.goto(`http://127.0.0.1:${site.address().port}/`)
    await page.evaluate(`window.readCounter = ${readCounter}`)
    await page.evaluate(talk, { ...FORMATS[format], impaired: line !== undefined })
    await delay(settle)
    const before = await page.evaluate(figuresOf)
    const [from, cpu] = [await page.evaluate(() => performance.now()), processorTime(browser.process().pid)]
    await delay(seconds * 1000)
    const used = processorTime(browser.process().pid) - cpu
    const after = await page.evaluate(figuresOf)
    const { shown, seen } = await page.evaluate(() => window.sightings)
    return { ...compare(shown, seen, from), cpu: used / seconds, ...since(before, after) }
  } finally {
    await browser.kill()
    site.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What was seen of what was shown since then: each is `[counter, milliseconds]`. */
function compare(shown, seen, from) {
  const sent = shown.filter(([, at]) => at >= from)
  const got = seen.filter(([, at]) => at >= from)
  const delays = got.flatMap(([count, at]) => {
    const source = shown.findLast(([other, then]) => other === count && then <= at + 5)
    return source ? [Math.max(0, at - source[1])] : []
  })
  const gaps = got.slice(1).map(([, at], index) => at - got[index][1])
  return {
    shown: sent.length,
    seen: got.length,
    lost: Math.max(0, sent.length - got.length) / sent.length,
    median: percentile(delays, 0.5),
    p95: percentile(delays, 0.95),
    longestGap: Math.max(0, ...gaps),
  }
}

/** CPU seconds so far of a process and all that it has started. */
function processorTime(root) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }]
    } catch {
      return []
    }
  })
  const family = new Set([root])
  for (let grown = true; grown; ) {
    const size = family.size
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid)
    grown = family.size > size
  }
  return all.filter(({ pid }) => family.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0) / 100
}

/** A phone of ours, and a page with JsSIP in a browser that has this camera. */
async function both({ line: impairment, camera }) {
  const [{ Softphone }, { Pbx }] = await Promise.all([import('offhook'), import('offhook/testing')])
  const pbx = await Pbx.start({ domain: 'example.com', users: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })) })
  const line = impairment && (await ImpairedLine.open(impairment))
  const rewriter = line && (await SipRewriter.open(pbx.url, line))
  const browser = await startChromium({ camera })
  const page = await browser.phone({ server: pbx.url, uri: 'sip:bob@example.com', password: 'secret' })
  const logger = Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, () => {}]))
  const options = { autoAnswer: 'off', audio: 'none', logger, logLevel: 'error', ...(rewriter && { servers: rewriter.url }) }
  const alice = new Softphone({ ...pbx.account('alice'), ...options })
  await alice.initialize()
  return { browser, page, alice }
}

/** A page with JsSIP to us: what its camera films is decoded here. */
async function theirs({ format, seconds, settle, line }) {
  const { VideoSink } = await import('offhook')
  const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'))
  const camera = writeCounterClip(join(folder, 'camera.y4m'), FORMATS[format])
  const { browser, page, alice } = await both({ line, camera })
  try {
    const ringing = alice.once('pendingSession')
    await page.callWithVideo('sip:alice@example.com', 660)
    const [{ id }] = await ringing
    const session = await alice.answer(id, { mediaStream: { tone: 440 }, video: 'none' })
    while (session.streams.length === 0) await delay(20)
    const sink = new VideoSink({ format: 'I420' })
    sink.resume()
    await session.setVideoOutput(session.streams[0].id, sink)
    await delay(settle)
    const [before, watch] = [received(await session.getStats()), stopwatch()]
    await delay(seconds * 1000)
    const { cpu, seconds: wall } = watch()
    return { cpu: cpu / wall, ...since(before, received(await session.getStats())) }
  } finally {
    await browser.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Ours to a page with JsSIP. */
async function ours({ format, seconds, settle, line }) {
  const { VideoSource } = await import('offhook')
  const { rate, ...size } = FORMATS[format]
  const { browser, page, alice } = await both({ line })
  const source = new VideoSource({ format: 'raw' })
  const session = await alice.call('bob', { mediaStream: { tone: 440 }, video: source })
  await page.event('incoming')
  await page.answer(660)
  await session.answered
  const glass = new Glass(size)
  new Ticker(1000 / rate, () => source.write({ format: 'I420', ...size, data: glass.next() }))
  await page.look()
  await delay(settle)
  const figures = async () => {
    const [[video], { lost, packets }] = [(await page.pictures()).filter(({ type }) => type === 'inbound-rtp'), await page.received()]
    return { freezes: video.freezeCount, frozen: video.totalFreezesDuration, frames: video.frames, audioLost: lost, audioReceived: packets }
  }
  const before = await figures()
  const skipped = (await page.sightings()).length
  const watch = stopwatch()
  glass.begin()
  await delay(seconds * 1000)
  const { cpu, seconds: wall } = watch()
  for (const [count, at] of (await page.sightings()).slice(skipped)) glass.saw(count, at - performance.timeOrigin)
  const result = { ...glass.figures(), cpu: cpu / wall, ...since(before, await figures()) }
  await browser.stop()
  return result
}

const job = JSON.parse(process.argv[2])
report(await { raw, ours, theirs }[job.do](job))
