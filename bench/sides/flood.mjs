// Whoever floods a phone: between it and the embedded PBX, so that it knows the dialog of the phone's call. Prints one line of JSON.
//   node bench/sides/flood.mjs '{ "kind": "INVITE" | "re-INVITE", "rate": 5000, "seconds": 10, "rest": 60 }'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pbx } from 'offhook/testing'
import WebSocket, { WebSocketServer } from 'ws'
import { delay, report } from './clock.mjs'

const { kind, rate, seconds, rest } = JSON.parse(process.argv[2])
/** In the Via of everything that is ours, so that its answers go no further. */
const us = 'flood.invalid'
const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
const account = pbx.account('alice')

const line = { phone: undefined, invite: undefined, answer: undefined, waiting: new Map() }
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'sip' })
server.on('connection', (phone) => {
  line.phone = phone
  const early = []
  const upstream = new WebSocket(account.servers, 'sip')
  phone.on('message', (data) => {
    const text = String(data)
    if (isOurs(text)) return answered(text)
    if (text.startsWith('INVITE')) line.invite ??= text
    if (upstream.readyState === WebSocket.OPEN) upstream.send(text)
    else early.push(text)
  })
  upstream.on('open', () => early.forEach((text) => upstream.send(text)))
  upstream.on('message', (data) => {
    const text = String(data)
    if (/^SIP\/2.0 200[^]*\r\nCSeq: *\d+ INVITE/i.test(text)) line.answer ??= text
    phone.send(text)
  })
  for (const [one, other] of [[phone, upstream], [upstream, phone]]) {
    one.on('error', () => {})
    one.on('close', () => other.close())
  }
})
await once(server, 'listening')

function isOurs(text) {
  return new RegExp(`^Via: .*${us}`, 'im').test(text)
}

function answered(text) {
  const branch = /branch=([^;\r\n]+)/.exec(text)?.[1]
  if (/^SIP\/2.0 1/.test(text)) return
  line.waiting.get(branch)?.(text)
  line.waiting.delete(branch)
}

const phone = fork(fileURLToPath(new URL('flooded.mjs', import.meta.url)), {
  execArgv: ['--expose-gc'],
  env: { ...process.env, OPTIONS: JSON.stringify({ ...account, servers: `ws://127.0.0.1:${server.address().port}` }) },
})
let orders = 0
async function ask(order) {
  const id = ++orders
  phone.send({ id, order })
  for (;;) {
    const [reply] = await once(phone, 'message')
    if (reply.id === id) return reply.value
  }
}

const header = (text, name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(text)[1].trim()

/** A request of ours; inside the phone's call if it has a number there. */
function request(method, number, { within, body = '', type } = {}) {
  const branch = `z9hG4bKflood${method}${number}`
  const dialog = within
    ? { uri: /<([^>]+)>/.exec(header(line.invite, 'Contact'))[1], contact: header(line.answer, 'Contact'), from: header(line.answer, 'To'), to: header(line.answer, 'From'), callId: header(line.answer, 'Call-ID'), cseq: number }
    : { uri: 'sip:alice@phone.invalid', contact: `<sip:mallory@${us}>`, from: `<sip:mallory@${us}>;tag=m${number}`, to: '<sip:alice@127.0.0.1>', callId: `flood${number}`, cseq: 1 }
  const lines = [
    `${method} ${dialog.uri} SIP/2.0`, `Via: SIP/2.0/WS ${us};branch=${branch}`, 'Max-Forwards: 70', `From: ${dialog.from}`, `To: ${dialog.to}`,
    `Call-ID: ${dialog.callId}`, `CSeq: ${dialog.cseq} ${method}`, `Contact: ${dialog.contact}`, ...(type ? [`Content-Type: ${type}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return { branch, text: `${lines.join('\r\n')}\r\n\r\n${body}` }
}

const sdp = { type: 'application/sdp', get body() { return line.answer.slice(line.answer.indexOf('\r\n\r\n') + 4) } }
let number = 100_000
const next = {
  INVITE: () => request('INVITE', number++, sdp),
  're-INVITE': () => request('INVITE', number++, { within: true, ...sdp }),
}[kind]

/** Milliseconds until the phone has answered a request in its call with a 2xx; as long as the patience if it does not. */
async function answer(method, options) {
  const { branch, text } = request(method, number++, { within: true, ...options })
  const start = performance.now()
  const got = new Promise((resolve) => line.waiting.set(branch, resolve))
  line.phone.send(text)
  const reply = await Promise.race([got, delay(5000)])
  return reply?.startsWith('SIP/2.0 2') ? performance.now() - start : 5000
}

await once(phone, 'message')
await delay(2000)
const before = await ask('memory')
await ask('listen')

const start = performance.now()
const end = start + seconds * 1000
let sent = 0
let peak = before
const sending = (async () => {
  while (performance.now() < end) {
    const due = Math.floor(((performance.now() - start) / 1000) * rate)
    while (sent < due) {
      sent++
      line.phone.send(next().text)
    }
    // What the phone does not take is not sent either: as TCP has it.
    while (line.phone.bufferedAmount > 1 << 20) await delay(1)
    await delay(2)
  }
})()
const watching = (async () => {
  while (performance.now() < end) {
    await delay(500)
    peak = Math.max(peak, await ask('memory'))
  }
})()

await delay(seconds * 300)
const figures = { info: await answer('INFO', { type: 'application/dtmf-relay', body: 'Signal=5\r\nDuration=160\r\n' }) }
// On hold it is silent, as it should be.
figures.silence = await ask('silence')
figures.hold = await ask('hold')
figures.call = await ask('call')
figures.bye = await answer('BYE')
await Promise.all([sending, watching])
figures.perSecond = sent / seconds
await delay(rest * 1000)
figures.peak = Math.max(peak, await ask('memory'))
figures.grown = Math.max(0, (await ask('memory')) - before)
phone.kill()
server.close()
await pbx.close()
report(figures)
