import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hears, next, pbxOf } from '../pbx.mjs'
import { connect } from '../phones.mjs'

describe('7. a lost WebSocket', () => {
  test('ends no call with sessionSurvivability: it is interrupted, and comes back with the phone', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await hears(call.callerEar, 1000)
    const interruptions = []
    call.outgoing.on('change:interrupted', (session, interrupted) => {
      assert.equal(session.interrupted, interrupted)
      interruptions.push(interrupted)
    })
    const events = [
      next(alice, 'disconnected'),
      next(alice, 'connected', 10_000),
      next(alice, 'registered', 10_000),
      next(call.outgoing, 'change:interrupted'),
    ]
    await pbx.disconnect('alice')
    const [[lost], [back]] = await Promise.all(events)
    assert.equal(lost.reconnecting, true)
    assert.equal(back.reconnect, true)
    while (call.outgoing.interrupted) await next(call.outgoing, 'change:interrupted', 10_000)
    assert.deepEqual(interruptions, [true, false])
    assert.equal(call.outgoing.state, 'active')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    const ended = next(bob, 'sessionEnded')
    await call.outgoing.end()
    await ended
  })

  test('ends every call with connectivity-error without it', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { sessionSurvivability: false }), open('bob')])
    await connect(alice, bob, 'bob')
    await connect(bob, alice, 'alice')
    const ended = []
    const all = new Promise((resolve) => {
      alice.on('sessionEnded', (_, reason) => ended.push(`${reason} by ${reason.side}`) === 2 && resolve())
    })
    await pbx.disconnect('alice')
    await all
    assert.deepEqual(ended, ['connectivity-error by network', 'connectivity-error by network'])
  })
})
