// Speech both ways over a line that loses packets: ours to ours, ours and a page with JsSIP, and two peer connections of a page.
// Leaves a WAV file for each way that was heard. Prints one line of JSON.
//   node bench/sides/speech.mjs '{ "do": "ours" | "both" | "chromium", "said": "said.wav", "seconds": …, "line": { … }, "folder": … }'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { AudioSink, Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { launchChromium, startChromium } from '../../__test__/interop/chromium.mjs'
import { ImpairedLine } from '../impairment.mjs'
import { SipRewriter } from '../rewriter.mjs'
import { RATE, wav } from '../speech.mjs'
import { delay, report } from './clock.mjs'
import { inject } from './page-speech.mjs'

const job = JSON.parse(process.argv[2])
const said = readFileSync(job.said).toString('base64')
const logger = Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, () => {}]))

function keep(way, samples) {
  const path = join(job.folder, `${way}-${job.name}.wav`)
  writeFileSync(path, wav(samples))
  return [way, path]
}

/** All that a sink gives, from now on. */
function record(sink) {
  const frames = []
  sink.on('data', (frame) => frames.push(frame))
  return () => new Int16Array(Uint8Array.from(Buffer.concat(frames)).buffer)
}

/** Alice, whose descriptions go through a line of its own. */
async function house() {
  const pbx = await Pbx.start({ domain: 'example.com', users: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })) })
  const line = await ImpairedLine.open(job.line)
  const rewriter = await SipRewriter.open(pbx.url, line)
  const phone = async (name, servers) => {
    const made = new Softphone({ ...pbx.account(name), ...servers, autoAnswer: 'off', audio: 'none', logger, logLevel: 'error' })
    await made.initialize()
    return made
  }
  return { pbx, phone, alice: await phone('alice', { servers: rewriter.url }) }
}

/** In a call each side says the whole track at once with the other. */
async function ours() {
  const { phone, alice } = await house()
  const bob = await phone('bob')
  const ears = [new AudioSink({ rate: RATE }), new AudioSink({ rate: RATE })]
  const heard = ears.map(record)
  const voice = { wav: job.said }
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none', audioElement: ears[0] }))
  const session = await alice.call('bob', { mediaStream: 'none', audioElement: ears[1] })
  await session.answered
  await Promise.all([session, ...bob.sessions].map((one) => one.setInput(voice)))
  await delay(job.seconds * 1000)
  return [keep('ours to ours', heard[0]())]
}

async function both() {
  const { pbx, alice } = await house()
  const browser = await startChromium()
  const page = await browser.phone({ server: pbx.url, uri: 'sip:bob@example.com', password: 'secret' })
  const sink = new AudioSink({ rate: RATE })
  const heard = record(sink)
  const session = await alice.call('bob', { mediaStream: 'none', audioElement: sink })
  await page.event('incoming', 30_000)
  await page.answer(1000)
  await session.answered
  await page.evaluate(inject)
  await page.evaluate(async (given) => {
    const { connection } = window.phone
    const mouth = await window.speech.mouth(given)
    const [receiver] = connection.getReceivers()
    window.heard = await window.speech.ear(receiver.track)
    await connection.getSenders()[0].replaceTrack(mouth.track)
    mouth.begin()
  }, said)
  await session.setInput({ wav: job.said })
  await delay(job.seconds * 1000)
  const there = await page.evaluate(() => window.heard().base64)
  const result = [keep('ours to Chromium', samplesOf(there)), keep('Chromium to ours', heard())]
  await browser.stop()
  return result
}

/** Runs in the page. */
async function talk(given) {
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()]
  const mouths = await Promise.all([window.speech.mouth(given), window.speech.mouth(given)])
  near.addTrack(mouths[0].track, new MediaStream([mouths[0].track]))
  far.addTrack(mouths[1].track, new MediaStream([mouths[1].track]))
  const track = new Promise((resolve) => (far.ontrack = (event) => resolve(event.track)))
  const gathered = (peer) => new Promise((resolve) => {
    const look = () => peer.iceGatheringState === 'complete' && resolve()
    peer.onicegatheringstatechange = look
    look()
  })
  const told = async ({ localDescription: { type, sdp } }, end) => ({ type, sdp: await window.rewrite(sdp, end) })
  await near.setLocalDescription()
  await gathered(near)
  await far.setRemoteDescription(await told(near, 0))
  await far.setLocalDescription()
  await gathered(far)
  await near.setRemoteDescription(await told(far, 1))
  while (far.connectionState !== 'connected') await new Promise((later) => setTimeout(later, 50))
  window.heard = await window.speech.ear(await track)
  window.peers = { near, far }
  for (const mouth of mouths) mouth.begin()
}

async function chromium() {
  const line = await ImpairedLine.open(job.line)
  const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>')).listen(0, '127.0.0.1')
  await once(site, 'listening')
  const browser = await launchChromium({})
  const page = await browser.newPage()
  await page.exposeFunction('rewrite', (sdp, end) => line.rewrite(sdp, end))
  await page.goto(`http://127.0.0.1:${site.address().port}/`)
  await page.evaluate(inject)
  await page.evaluate(talk, said)
  await delay(job.seconds * 1000)
  const result = [keep('Chromium to Chromium', samplesOf(await page.evaluate(() => window.heard().base64)))]
  await browser.close()
  return result
}

function samplesOf(base64) {
  return new Int16Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer)
}

report({ heard: Object.fromEntries(await { ours, both, chromium }[job.do]()) })
