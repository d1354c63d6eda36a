import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { connect } from '../phones.mjs'
import { outcomes, ringing } from './calls.mjs'

describe('4. a started session has exactly one terminated, then one sessionEnded', () => {
  for (const [how, end] of [
    ['both sides hang up at once', ({ call }) => Promise.all([call.outgoing.end(), call.incoming.end()])],
    ['the caller is destroyed', ({ alice }) => alice.destroy()],
    ['both are destroyed at once', ({ alice, bob }) => Promise.all([alice.destroy(), bob.destroy()])],
    ['it is ended twice', ({ call }) => Promise.all([call.outgoing.end(), call.outgoing.end()])],
  ]) {
    test(how, async (t) => {
      const { open } = await pbxOf(t)
      const [alice, bob] = await Promise.all([open('alice'), open('bob')])
      const seen = [outcomes(alice), outcomes(bob)]
      const call = await connect(alice, bob, 'bob')
      const ended = Promise.all([next(alice, 'sessionEnded'), next(bob, 'sessionEnded')])
      await end({ alice, bob, call })
      await ended
      assert.deepEqual(seen[0].get(call.outgoing.id), ['started', 'terminated', 'ended'])
      assert.deepEqual(seen[1].get(call.incoming.id), ['pending', 'started', 'terminated', 'ended'])
    })
  }

  test('a CANCEL that crosses the answer', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const seen = [outcomes(alice), outcomes(bob)]
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    for (let round = 0; round < 10; round++) {
      const rings = next(bob, 'pendingSession')
      const session = await alice.call('bob')
      const [{ id }] = await rings
      const over = new AbortController()
      const settled = ['cancelPendingSession', 'sessionEnded'].map((event) => bob.once(event, { signal: over.signal }))
      await session.end()
      await Promise.race(settled)
      over.abort()
      await Promise.allSettled(settled)
      assert.deepEqual(seen[0].get(session.id), ['started', 'terminated', 'ended'])
      const last = seen[1].get(id).at(-1)
      assert.ok(last === 'ended' || last.startsWith('cancelled'), last)
    }
  })

  test('a hang-up while the input is still being opened', { skip: process.platform === 'win32' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-test-'))
    // Opening a named pipe takes until somebody writes to it.
    const pipe = join(folder, 'slow.wav')
    execFileSync('mkfifo', [pipe])
    t.after(() => {
      closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK))
      rmSync(folder, { recursive: true })
    })
    const { alice, seen, id, call } = await ringing(t)
    const warnings = []
    alice.on('sessionStarted', (session) => session.on('warning', ({ code }) => warnings.push(code)))
    alice.acceptPendingSession(id, { mediaStream: { wav: pipe } })
    await call.answered
    const ended = next(alice, 'sessionEnded')
    await call.end()
    const [, reason] = await ended
    assert.equal(`${reason}`, 'success')
    assert.deepEqual(seen.get(id), ['pending', 'started', 'terminated', 'ended'])
    assert.deepEqual(warnings, [], 'the pipe was still waited for')
  })

  for (const sessionSurvivability of [true, false]) {
    describe(`a lost WebSocket with sessionSurvivability: ${sessionSurvivability}`, () => {
      test('under a call that rings at the other side', async (t) => {
        const { pbx, open } = await pbxOf(t)
        const alice = await open('alice', { sessionSurvivability })
        const seen = outcomes(alice)
        const session = await alice.call('noanswer')
        await next(session, 'progress')
        const ended = next(alice, 'sessionEnded', 20_000)
        await pbx.disconnect('alice')
        // With survivability the phone comes back and may still have the call; then it is ours to end.
        if (sessionSurvivability) await next(alice, 'registered', 10_000)
        await session.end()
        await ended
        await assert.rejects(session.answered)
        assert.deepEqual(seen.get(session.id), ['started', 'terminated', 'ended'])
      })

      test('under a call that is accepted and not connected', async (t) => {
        const { pbx, alice, seen, id } = await ringing(t, { sessionSurvivability, autoConnectSessions: false })
        const started = next(alice, 'sessionStarted')
        alice.acceptPendingSession(id)
        const [session] = await started
        const ended = next(alice, 'sessionEnded', 20_000)
        await pbx.disconnect('alice')
        const [, reason] = await ended
        assert.equal(`${reason}`, 'connectivity-error')
        await session.end()
        assert.deepEqual(seen.get(id), ['pending', 'started', 'terminated', 'ended'])
      })
    })
  }
})
