import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { outcomes, ringing } from './calls.mjs'

describe('2. a pending id has exactly one outcome', () => {
  test('accepted: it starts', async (t) => {
    const { alice, seen, id } = await ringing(t)
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id)
    alice.acceptPendingSession(id)
    const [session] = await started
    await session.answered
    alice.acceptPendingSession(id)
    await session.end()
    assert.deepEqual(seen.get(id), ['pending', 'started', 'terminated', 'ended'])
  })

  test('rejected here', async (t) => {
    const { alice, seen, id } = await ringing(t)
    await alice.rejectPendingSession(id, { code: 603 })
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: decline'])
  })

  test('given up by the caller', async (t) => {
    const { alice, seen, id, call } = await ringing(t)
    const cancelled = next(alice, 'cancelPendingSession')
    await call.end()
    await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by remote: cancel'])
  })

  test('not answered in time', async (t) => {
    const { alice, seen, id } = await ringing(t, { noAnswerTimeout: 1000 })
    await next(alice, 'cancelPendingSession')
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: timeout'])
  })

  test('destroyed', async (t) => {
    const { alice, seen, id } = await ringing(t)
    await alice.destroy()
    assert.equal(seen.get(id).length, 2)
    assert.match(seen.get(id)[1], /^cancelled by local/)
  })

  test('connection lost without survivability', async (t) => {
    const { alice, pbx, seen, id } = await ringing(t, { sessionSurvivability: false })
    const cancelled = next(alice, 'cancelPendingSession')
    await pbx.disconnect('alice')
    await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by network: connectivity-error'])
  })

  test('declined on another phone of the user', async (t) => {
    for (const [code, condition] of [[603, 'decline'], [600, 'busy']]) {
      const { open } = await pbxOf(t)
      const [desk, mobile, bob] = await Promise.all([open('alice'), open('alice'), open('bob')])
      const seen = outcomes(mobile)
      const [[{ id }], [{ id: other }], call] = await Promise.all([
        next(desk, 'pendingSession'),
        next(mobile, 'pendingSession'),
        bob.call('alice'),
      ])
      const handled = next(mobile, 'handledPendingSession')
      desk.rejectPendingSession(id, { code })
      const [, details] = await handled
      assert.deepEqual([`${details.reason}`, details.elsewhere, details.side], [condition, 'declined', 'remote'])
      await assert.rejects(call.answered, ({ sip }) => sip.code === code)
      assert.deepEqual(seen.get(other), ['pending', 'handled'])
    }
  })

  test('answered on another phone of the user', async (t) => {
    const { open } = await pbxOf(t)
    const [desk, mobile, bob] = await Promise.all([open('alice'), open('alice'), open('bob')])
    const seen = outcomes(mobile)
    const [[{ id }], [{ id: other }], call] = await Promise.all([
      next(desk, 'pendingSession'),
      next(mobile, 'pendingSession'),
      bob.call('alice'),
    ])
    const handled = next(mobile, 'handledPendingSession')
    desk.acceptPendingSession(id)
    await call.answered
    const [, details] = await handled
    assert.deepEqual([`${details.reason}`, details.elsewhere], ['alternative-session', 'answered'])
    await call.end()
    assert.deepEqual(seen.get(other), ['pending', 'handled'])
  })
})
