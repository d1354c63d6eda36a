import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { next, pbxOf } from './pbx.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a script in a Node of its own; it must end by itself. */
async function runs(script, deadline = 10_000) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: root })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), deadline)
  const [code, signal] = await once(child, 'close')
  clearTimeout(late)
  assert.equal(signal, null, `it did not end in ${deadline} ms:\n${output}`)
  assert.equal(code, 0, output)
  return output
}

const phone = (pbx, options = '') =>
  `import { Softphone } from 'offhook'
   const phone = new Softphone({ ...${JSON.stringify(pbx.account('alice'))}, audio: 'none', logLevel: 'warn', ${options} })`

describe('8. the process', () => {
  test('ends by itself after destroy()', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      const session = await phone.call('echo')
      await session.answered
      await phone.destroy()`)
  })

  test('ends by itself when nothing was initialized', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(phone(pbx))
  })

  test('does not end before destroy() is done, also of a phone that was never initialized', async (t) => {
    const { pbx } = await pbxOf(t)
    assert.match(await runs(`${phone(pbx)}\nawait phone.destroy()\nconsole.log('destroyed')`), /destroyed/)
  })

  test('ends by itself although an unref()ed phone runs', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      phone.unref()`)
  })

  test('ends at process.exit() in the middle of a call', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      const session = await phone.call('echo')
      await session.answered
      process.exit(0)`)
  })
})

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
