// What others send while JavaScript is busy is bounded, and what was accepted is not lost.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Softphone } from 'offhook'

test('messages that nobody reads are refused above 4 MiB, and each that was accepted arrives', { timeout: 60_000 }, async () => {
  const busy = new Int32Array(new SharedArrayBuffer(4))
  const server = new Worker(new URL('flooding-server.mjs', import.meta.url), { workerData: { busy: busy.buffer } })
  const [{ url }] = await once(server, 'message')
  const phone = new Softphone({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: url, audio: 'none', autoAnswer: 'off' })
  const told = { message: 0, messageWaiting: 0, pendingSession: 0 }
  for (const event of Object.keys(told)) {
    phone.on(event, () => {
      told[event]++
      if (event === 'message' && told.message === 1) {
        Atomics.store(busy, 0, 1)
        Atomics.wait(busy, 0, 1)
      }
    })
  }
  await phone.initialize()
  const [messages, size] = [200, 60_000]
  server.postMessage({ messages, size })
  const [{ answered }] = await once(server, 'message')

  const all = [...answered.values()]
  const accepted = all.filter(({ status }) => status === 200)
  const refused = all.filter(({ status }) => status === 503)
  assert.equal(accepted.length + refused.length, messages + 3)
  assert.ok(refused.every(({ patience }) => patience))
  assert.ok(accepted.length * size < 5 * 1024 * 1024, `${accepted.length} accepted`)
  assert.ok(accepted.length * size > 3 * 1024 * 1024, `${accepted.length} accepted`)
  for (const late of ['call', 'mwi']) assert.equal(answered.get(late).status, 503, late)

  await phone.sendOptions('bob', { signal: AbortSignal.timeout(100) }).catch(() => {})
  assert.deepEqual(told, { message: accepted.length, messageWaiting: 0, pendingSession: 0 })
  await phone.destroy()
  await server.terminate()
})
