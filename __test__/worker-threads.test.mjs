import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { next, pbxOf } from './pbx.mjs'

describe('a worker thread', () => {
  const worker = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Softphone } = require('offhook')
    const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
    for (const event of ['registered', 'pendingSession', 'sessionStarted', 'sessionEnded']) {
      phone.on(event, (...payload) => parentPort.postMessage({ event, payload }))
    }
    parentPort.on('message', async ({ method, args }) => parentPort.postMessage({ method, result: await phone[method](...args) }))
    phone.initialize()`

  test('drives a phone over its port: every payload can be cloned', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const thread = new Worker(worker, { eval: true, workerData: pbx.account('alice') })
    t.after(() => thread.terminate())
    const said = (event) =>
      new Promise((resolve) => {
        const listen = (message) => {
          if (message.event !== event) return
          thread.off('message', listen)
          resolve(message.payload)
        }
        thread.on('message', listen)
      })
    await said('registered')
    const [rings, started, ended] = [said('pendingSession'), said('sessionStarted'), said('sessionEnded')]
    const session = await bob.call('alice')
    const [{ id }] = await rings
    thread.postMessage({ method: 'acceptPendingSession', args: [id] })
    const [snapshot] = await started
    assert.equal(snapshot.id, id)
    await session.answered
    thread.postMessage({ method: 'endSession', args: [{ id }] })
    const [, reason] = await ended
    assert.equal(reason.condition, 'success')
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
