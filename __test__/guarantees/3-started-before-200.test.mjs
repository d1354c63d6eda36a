import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { block, ringing, rings } from './calls.mjs'

describe('3. sessionStarted comes before the 200 OK', () => {
  test('a listener of it that blocks the thread is waited for', async (t) => {
    const { alice, id, call } = await ringing(t)
    let free
    alice.on('sessionStarted', () => {
      block(500)
      free = Date.now()
    })
    alice.acceptPendingSession(id)
    const [[session]] = await Promise.all([next(alice, 'sessionStarted'), call.answered])
    assert.ok(call.startTime >= free, `the 200 OK came ${free - call.startTime} ms before the listener was done`)
    if (session.state !== 'active') await next(session, 'change:active')
  })

  test('with autoConnectSessions: false nothing is sent until session.accept()', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoConnectSessions: false })
    const sent = []
    pbx.on('message', ({ direction, text }) => direction === 'in' && sent.push(text.split('\r\n', 1)[0]))
    const pendingSession = next(alice, 'pendingSession')
    rings(pbx)
    const [{ id }] = await pendingSession
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id)
    const [session] = await started
    assert.equal(session.state, 'pending')
    assert.ok(!sent.some((line) => line.startsWith('SIP/2.0 200')), sent.join('\n'))
    const answered = next(pbx, 'answered')
    await session.accept()
    await answered
    if (session.state !== 'active') await next(session, 'change:active')
    await session.end()
  })

  test('a session that is accepted late sounds both ways, but not while it is muted', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { autoConnectSessions: false }), open('bob')])
    const [low, high] = [voice(600), voice(1000)]
    const [[{ id }], call] = await Promise.all([next(alice, 'pendingSession'), bob.call('alice', low.audio)])
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id, high.audio)
    const [session] = await started
    await session.mute()
    await session.accept()
    await call.answered
    await hears(high.ear, 600)
    await assert.rejects(hears(low.ear, 1000, 600), /expected 1000 Hz/)
    await session.unmute()
    await hears(low.ear, 1000)
    await session.end()
  })
})
