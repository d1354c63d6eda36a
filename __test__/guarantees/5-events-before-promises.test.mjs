import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pbxOf } from '../pbx.mjs'

describe('5. a promise settles after the events that its action caused', () => {
  test('initialize, call, mute, end and unregister', async (t) => {
    const { make, open } = await pbxOf(t)
    await open('bob', { autoAnswer: 'always' })
    const alice = make('alice')
    const events = []
    for (const name of ['connected', 'registered', 'ready', 'sessionStarted', 'sessionEnded', 'unregistered', 'disconnected']) {
      alice.on(name, () => events.push(name))
    }
    await alice.initialize()
    assert.deepEqual(events.splice(0), ['connected', 'registered', 'ready'])
    const session = await alice.call('bob')
    assert.deepEqual(events.splice(0), ['sessionStarted'])
    await session.answered
    for (const name of ['mute', 'unmute', 'terminated']) session.on(name, () => events.push(name))
    await session.mute()
    await session.unmute()
    assert.deepEqual(events.splice(0), ['mute', 'unmute'])
    await alice.endSession({ conversationId: session.conversationId })
    assert.deepEqual(events.splice(0), ['terminated', 'sessionEnded'])
    await alice.unregister()
    assert.deepEqual(events.splice(0), ['unregistered'])
  })
})
