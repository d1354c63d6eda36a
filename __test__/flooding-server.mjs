// A server in a worker, so that it goes on while the main thread's JavaScript is busy. It floods the phone once that is so,
// and lets the main thread go when every request has its final answer.
import { parentPort, workerData } from 'node:worker_threads'
import { RawServer, contactOf, invite, message } from './raw-server.mjs'

const busy = new Int32Array(workerData.busy)
const server = await RawServer.start()
let target
const answered = new Map()
server.on('message', (text) => {
  if (text.startsWith('REGISTER')) target = contactOf(text)
  const status = Number(/^SIP\/2.0 (\d+)/.exec(text)?.[1] ?? 0)
  if (status >= 200) answered.set(/^call-id: *(\S+)/im.exec(text)[1], { status, patience: /^retry-after: *\d+/im.test(text) })
})

const said = (method, id, headers, body) =>
  message(
    `${method} ${target} SIP/2.0`,
    [
      `Via: SIP/2.0/WS raw.invalid;branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
      `From: <sip:mallory@raw.invalid>;tag=${id}`,
      'To: <sip:alice@raw.invalid>',
      `Call-ID: ${id}`,
      `CSeq: 1 ${method}`,
      ...headers,
    ],
    body,
  )

const patience = async (isDone) => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5))
}

parentPort.on('message', async ({ messages, size }) => {
  const body = 'x'.repeat(size)
  const sms = (id, text) => server.send(said('MESSAGE', id, ['Content-Type: text/plain'], text))
  sms('first', 'first')
  await patience(() => Atomics.load(busy, 0) === 1)
  for (let number = 0; number < messages; number++) sms(`m${number}`, body)
  server.send(invite(target, 'call'))
  server.send(said('NOTIFY', 'mwi', ['Event: message-summary', 'Content-Type: application/simple-message-summary'], 'Messages-Waiting: yes\r\n'))
  await patience(() => answered.size === messages + 3)
  Atomics.store(busy, 0, 2)
  Atomics.notify(busy, 0)
  parentPort.postMessage({ answered })
})
parentPort.postMessage({ url: server.url })
