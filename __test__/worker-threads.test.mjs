import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { next, pbxOf } from './pbx.mjs'

const phoneEvents = [
  'connected',
  'registered',
  'ready',
  'trace',
  'error',
  'pendingSession',
  'cancelPendingSession',
  'sessionStarted',
  'sessionEnded',
  'unregistered',
  'disconnected',
]
const sessionEvents = [
  'change:sessionState',
  'change:connectionState',
  'change:active',
  'change:interrupted',
  'endOfCandidates',
  'warning',
  'dtmf',
  'stats',
  'terminated',
]

describe('a worker thread', () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Softphone } = require('offhook')
    const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
    const forward = (emitter, events) => {
      for (const event of events) emitter.on(event, (...payload) => parentPort.postMessage({ event, payload }))
    }
    phone.on('sessionStarted', (session) => forward(session, ${JSON.stringify(sessionEvents)}))
    forward(phone, ${JSON.stringify(phoneEvents)})
    parentPort.on('message', async ({ method, args }) => parentPort.postMessage({ method, result: await phone[method](...args) }))
    phone.initialize()`

  test('drives a phone over its port: every payload can be cloned', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const thread = new Worker(worker, { eval: true, workerData: pbx.account('alice') })
    const broken = new Promise((_, reject) => thread.once('error', reject))
    t.after(() => thread.terminate())
    const seen = new Set()
    thread.on('message', ({ event }) => seen.add(event))
    const said = (event) => {
      const message = new Promise((resolve) => {
        const listen = (message) => {
          if (message.event !== event) return
          thread.off('message', listen)
          resolve(message.payload)
        }
        thread.on('message', listen)
      })
      return Promise.race([message, broken])
    }
    const tell = (method, ...args) => thread.postMessage({ method, args })

    await said('ready')
    const failed = said('error')
    tell('acceptPendingSession', 'nobody')
    const [error, details] = await failed
    assert.ok(error instanceof Error)
    assert.equal(details.code, 'ERR_SESSION_NOT_FOUND')

    const [rings, gone] = [said('pendingSession'), said('cancelPendingSession')]
    const refused = await bob.call('alice')
    await rings
    await refused.end()
    const [, how] = await gone
    assert.equal(how.reason.condition, 'cancel')

    const [ringsAgain, started, ended] = [said('pendingSession'), said('sessionStarted'), said('sessionEnded')]
    const session = await bob.call('alice')
    const [{ id }] = await ringsAgain
    tell('acceptPendingSession', id, { mediaStream: '/no/such/device' })
    const [snapshot] = await started
    assert.equal(snapshot.id, id)
    const [digit, figures] = [said('dtmf'), said('stats')]
    await session.answered
    await session.sendDtmf('5')
    assert.deepEqual((await digit)[0].tone, '5')
    await figures
    tell('endSession', { id })
    const [last, reason] = await ended
    assert.equal(reason.condition, 'success')
    assert.equal(last.state, 'ended')
    assert.equal(typeof last.duration, 'number')
    const over = said('disconnected')
    tell('destroy')
    await over
    const missing = [...phoneEvents, ...sessionEvents].filter((event) => !seen.has(event))
    assert.deepEqual(missing, ['change:interrupted'])
  })

  test('that is terminated in a call takes neither the process nor the other side along', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob', { autoAnswer: 'always' })
    const thread = new Worker(worker, { eval: true, workerData: pbx.account('alice') })
    const registered = new Promise((resolve) => {
      thread.on('message', ({ event }) => event === 'registered' && resolve())
    })
    await registered
    const started = next(bob, 'sessionStarted')
    thread.postMessage({ method: 'call', args: ['bob'] })
    const [session] = await started
    await session.answered
    const ended = next(bob, 'sessionEnded', 10_000)
    await thread.terminate()
    const [, reason] = await ended
    assert.ok(reason.condition)
  })
})
