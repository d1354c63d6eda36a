import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { block, outcomes, rings } from './calls.mjs'

describe('1. pendingSession listeners have run before anything acts on it', () => {
  test('a listener that rejects wins over auto-answer', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    const seen = outcomes(alice)
    alice.on('pendingSession', (pending) => {
      assert.equal(pending.autoAnswer, true)
      alice.rejectPendingSession(pending.id)
    })
    const cancelled = next(alice, 'cancelPendingSession')
    rings(pbx)
    const [id] = await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: busy'])
  })

  test('a listener that blocks the thread for half a second is waited for', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    let free
    alice.on('pendingSession', () => {
      block(500)
      free = Date.now()
    })
    const started = next(alice, 'sessionStarted')
    rings(pbx)
    const [session] = await started
    await session.answered
    assert.ok(session.startTime >= free, `answered ${free - session.startTime} ms too early`)
  })

  test('a listener that blocks the thread for longer is waited for one second, and the call is answered', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    let free
    alice.on('pendingSession', () => {
      // One second for this event and one for sessionStarted, which comes from the same thread.
      block(5000)
      free = Date.now()
    })
    const started = next(alice, 'sessionStarted', 15_000)
    const before = Date.now()
    rings(pbx)
    const [session] = await started
    await session.answered
    assert.ok(session.startTime >= before + 1000, `answered after ${session.startTime - before} ms`)
    assert.ok(session.startTime < free, `answered ${session.startTime - free} ms after the thread was free`)
  })

  test('an autoAnswer function that does not decide in two seconds lets the call ring', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: () => new Promise(() => {}) })
    const pendingSession = next(alice, 'pendingSession', 10_000)
    rings(pbx)
    const [pending] = await pendingSession
    assert.equal(pending.autoAnswer, false)
  })
})
