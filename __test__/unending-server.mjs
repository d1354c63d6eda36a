// A server in a worker that sends INVITE, re-INVITE or MESSAGE without end, as fast as they are read, and answers nothing
// but the first REGISTER.
import { parentPort, workerData } from 'node:worker_threads'
import { RawServer, contact, contactOf, invite, message, offer, reply } from './raw-server.mjs'

const server = await RawServer.start()
let target
let tag
server.registrar = (request) => {
  if (target !== undefined) return undefined
  target = contactOf(request)
  return reply(request, 200, 'OK', ['Expires: 600', contact(request)])
}
server.on('message', (text) => {
  if (/^SIP\/2.0 200/.test(text) && /^cseq: *1 INVITE/im.test(text)) tag = /^to:.*;tag=([^;\s]+)/im.exec(text)[1]
})

const inside = (method, number, headers = [], body = '') =>
  message(
    `${method} ${target} SIP/2.0`,
    [
      `Via: SIP/2.0/WS raw.invalid;branch=z9hG4bK${method}${number}`,
      'Max-Forwards: 70',
      'From: <sip:mallory@raw.invalid>;tag=call',
      `To: <sip:alice@raw.invalid>;tag=${tag}`,
      'Call-ID: call',
      `CSeq: ${number} ${method}`,
      'Contact: <sip:mallory@raw.invalid;transport=ws>',
      ...headers,
    ],
    body,
  )
const messageOf = (number) =>
  message(
    `MESSAGE ${target} SIP/2.0`,
    [
      `Via: SIP/2.0/WS raw.invalid;branch=z9hG4bKm${number}`,
      'Max-Forwards: 70',
      `From: <sip:mallory@raw.invalid>;tag=m${number}`,
      'To: <sip:alice@raw.invalid>',
      `Call-ID: m${number}`,
      'CSeq: 1 MESSAGE',
      'Content-Type: text/plain',
    ],
    'x'.repeat(1000),
  )
const kinds = {
  INVITE: (number) => invite(target, `i${number}`),
  'INVITE without SDP': (number) => invite(target, `i${number}`, { sdp: '' }),
  're-INVITE': (number) => inside('INVITE', number, ['Content-Type: application/sdp'], offer),
  're-INVITE without SDP': (number) => inside('INVITE', number),
  MESSAGE: messageOf,
}

const until = async (isDone) => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5))
}

parentPort.once('message', async () => {
  const { kind } = workerData
  server.send(invite(target, 'call'))
  await until(() => tag !== undefined)
  server.send(inside('ACK', 1))
  for (let number = 2; ; number++) {
    server.send(kinds[kind](number))
    if (number % 50 === 0) {
      await new Promise((resolve) => setImmediate(resolve))
      await until(() => server.backlog < 1024 * 1024)
    }
    if (number === 500) parentPort.postMessage('flooding')
  }
})
parentPort.postMessage({ url: server.url })
