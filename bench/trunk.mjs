import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AudioSink, Softphone } from 'offhook'
import { freeUdpPorts } from '../__test__/interop/ports.mjs'
import { Child } from '../__test__/interop/processes.mjs'
import { sippInstalled } from '../__test__/interop/sipp.mjs'
import { silent } from '../__test__/phones.mjs'
import { root } from '../scripts/bootstrap.mjs'
import { expectedError } from '../scripts/processes.mjs'
import { percentile } from './sides/clock.mjs'
import { row } from './table.mjs'

const rtp = { register: false, media: ['rtp'], audio: 'none', logger: silent, logLevel: 'error' }
/** New calls a second that one phone takes. */
const PACE = 80

/** Bots on a trunk over UDP, in plain RTP: what a leg costs, and how soon calls are set up. */
export async function trunk({ quick }) {
  const legs = [
    ['G.711', { codecs: ['PCMU'], rate: 8000 }, 0.0012],
    ['Opus, complexity 1', { codecs: ['opus'], opus: { rate: 16000, complexity: 1 }, rate: 16000 }, 0.004],
  ]
  const results = []
  for (const count of quick ? [5] : [50, 200, 500]) {
    for (const [name, options, most] of legs) results.push(...legRows(`${count} bot legs, ${name}`, await legsOf(options, count, quick ? 2 : 20), most))
  }
  if (!sippInstalled()) throw expectedError('sipp is not installed: sip-tester')
  return [...results, ...(await setUps(quick)), ...(await burst(quick))]
}

/** What so many bots cost their process, while each says again what a caller says. */
async function legsOf({ codecs, opus, rate }, count, seconds) {
  const bots = await startBots({ bots: 1, codecs, opus, rate })
  const [port] = bots.ports
  const phone = new Softphone({ ...rtp, uri: 'sip:caller@127.0.0.1', servers: `sip:127.0.0.1:${port}`, codecs, opus })
  try {
    await phone.initialize()
    const speech = { wav: join(root, 'examples/speech.wav'), loop: true }
    for (let placed = 0; placed < count; placed++) {
      await Promise.all([phone.call(`sip:bot@127.0.0.1:${port}`, { mediaStream: speech }).then((session) => session.answered), pause(1000 / PACE)])
    }
    await heard(phone.sessions[0])
    // Buffers fill, and the first seconds of a process are dearer.
    await pause(3000)
    bots.begin()
    await pause(seconds * 1000)
    const figures = await bots.end()
    if (figures.calls !== count) throw new Error(`${figures.calls} of ${count} calls are left`)
    return figures
  } finally {
    await phone.destroy()
    await bots.stop()
  }
}

/** Resolves once the bot has said something again. */
async function heard(session) {
  const ear = new AudioSink({ rate: 8000 })
  await session.setOutput(ear)
  for await (const frame of ear) {
    const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
    if (samples.some((sample) => Math.abs(sample) > 1000)) break
  }
  await session.setOutput('none')
}

function legRows(bench, { cpuPerCallSecond, bytesPerCall }, most) {
  const measured = (unit, ours, target, limit) => row({ bench, unit, ours, less: true, target, meets: (each) => each.ours < limit })
  return [
    measured('% of a core a leg', 100 * cpuPerCallSecond, `< ${100 * most} %`, 100 * most),
    measured('kB a leg', bytesPerCall / 1000, '< 150 kB', 150),
  ]
}

/** Calls that sipp places at a rate, each of a second, to three bots of one process: a phone takes a hundred new ones a second. */
async function setUps(quick) {
  const [rate, seconds] = quick ? [10, 2] : [70, 20]
  const times = await placed({ bots: 3, rate, count: rate * seconds, held: 1000 })
  const measured = (unit, ours, limit) => row({ bench: `${3 * rate} calls a second, from sipp`, unit, ours, less: true, ...(limit && { target: `< ${limit} ms`, meets: (each) => each.ours < limit }) })
  return [
    measured('ms to the answer, p50', percentile(times.answer, 0.5)),
    measured('ms to the answer, p99', percentile(times.answer, 0.99), 50),
    row({ bench: `${3 * rate} calls a second, from sipp`, unit: 'calls that failed', ours: 3 * rate * seconds - times.answer.length, less: true, target: '0', meets: (each) => each.ours === 0 }),
  ]
}

async function burst(quick) {
  const count = quick ? 10 : 60
  const { ringing } = await placed({ bots: 1, rate: 1000, count, held: 2000 })
  const ours = percentile(ringing, 0.95)
  return [row({ bench: `${count} INVITEs at once, from sipp`, unit: 'ms to 180, p95', ours, less: true, target: '< 200 ms', meets: () => ours < 200 && ringing.length === count })]
}

/** Milliseconds to each 180 and each answer of sipp's calls, `count` to each of so many bots. */
async function placed({ bots: number, rate, count, held }) {
  const bots = await startBots({ bots: number, codecs: ['PCMU'], rate: 8000 })
  const folders = bots.ports.map(() => mkdtempSync(join(tmpdir(), 'offhook-bench-sipp-')))
  try {
    await Promise.all(bots.ports.map((port, index) => sipp(folders[index], { port, rate, count, held })))
    const lines = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('_rtt.csv')).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n')))
    const of = (wanted) => lines.map((line) => line.split(';')).filter(([, , name]) => name === wanted).map(([, time]) => Number(time))
    const times = { ringing: of('ringing'), answer: of('answer') }
    if (times.answer.length === 0) throw new Error('no call of sipp was answered')
    return times
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    await bots.stop()
  }
}

async function sipp(folder, { port, rate, count, held }) {
  writeFileSync(join(folder, 'call.xml'), scenario(held))
  const [own, media] = await freeUdpPorts(2)
  const where = [`127.0.0.1:${port}`, '-s', 'bot', '-i', '127.0.0.1', '-p', `${own}`, '-mi', '127.0.0.1', '-mp', `${media}`]
  const how = ['-sf', 'call.xml', '-r', `${rate}`, '-m', `${count}`, '-l', '100000', '-nostdin', '-timeout', '120s', '-timeout_error', '-trace_rtt', '-rtt_freq', '1']
  const child = new Child('/usr/bin/sipp', [...where, ...how], { cwd: folder, env: { ...process.env, TERM: 'dumb' } })
  await child.exited
  // 1 says that some calls have failed, which are missing in its times.
  if (child.exitCode !== 0 && child.exitCode !== 1) throw new Error(`sipp ended with ${child.exitCode}:\n${child.log.slice(-2000)}`)
}

const scenario = (held) => `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="bench">
  <nop start_rtd="answer"/>
  <send retrans="500" start_rtd="ringing"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true" rtd="ringing"/>
  <recv response="200" rtd="answer" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <pause milliseconds="${held}"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
`

/** Bots in a process of their own; `begin` and `end` are the span that is measured. */
async function startBots(what) {
  const options = { stdio: ['pipe', 'pipe', 'pipe'] }
  const child = new Child(process.execPath, [join(root, 'bench/sides/trunk-bots.mjs'), JSON.stringify(what)], options)
  const told = async (member) => JSON.parse((await child.prints(new RegExp(`^\\{"${member}".*$`, 'm'), AbortSignal.timeout(60_000)))[0])
  const { ports } = await told('ports')
  return {
    ports,
    begin: () => child.write('begin'),
    async end() {
      child.write('end')
      return told('calls')
    },
    stop: () => child.stop('SIGKILL'),
  }
}
