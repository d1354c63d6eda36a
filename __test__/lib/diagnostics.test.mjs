import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { fake, ids, makePhone, pending, started, success } from './fake.mjs'

/** What the channels tell of a phone until the end of a test. */
function heard(context, phone) {
  const told = []
  for (const name of ['begin', 'answer', 'end']) {
    const listener = (message) => message.phone === phone && told.push([name, message])
    subscribe(`offhook:call:${name}`, listener)
    context.after(() => unsubscribe(`offhook:call:${name}`, listener))
  }
  return told
}

describe('the channels of node:diagnostics_channel', () => {
  test('tell of a call that came in where it begins, is answered and ends', (context) => {
    const { phone, engine } = makePhone()
    const told = heard(context, phone)
    engine.say(pending())
    engine.say(started())
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { state: 'active' } })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    assert.deepEqual(told.map(([name]) => name), ['begin', 'answer', 'end'])
    for (const [, message] of told) {
      assert.deepEqual([message.id, message.direction, message.address], [ids.one, 'incoming', 'bob'])
    }
    const end = told[2][1]
    assert.equal(end.setUp, told[1][1].setUp)
    assert.equal(`${end.reason}`, 'success')
    assert.deepEqual(end.queues, { events: 7, commands: 1 })
    assert.deepEqual(end.clock, { ticks: 100, late: 2, skipped: 1 })
  })

  test('tell of a call of our own that nobody answered, and of one that rang in vain', (context) => {
    const { phone, engine } = makePhone()
    const told = heard(context, phone)
    engine.say(started({ direction: 'outgoing', state: 'starting' }))
    engine.say({ type: 'sessionEnded', id: ids.one, reason: { condition: 'busy', side: 'remote', text: 'Busy' } })
    engine.say(pending({ id: ids.two }))
    const details = { side: 'remote', reason: { condition: 'cancel', side: 'remote', text: 'Given up' }, conversationId: 'c' }
    engine.say({ type: 'cancelPendingSession', id: ids.two, details })
    assert.deepEqual(told.map(([name, { direction, reason }]) => [name, direction, reason && `${reason}`]), [
      ['begin', 'outgoing', undefined],
      ['end', 'outgoing', 'busy'],
      ['begin', 'incoming', undefined],
      ['end', 'incoming', 'cancel'],
    ])
    for (const [, message] of told) assert.equal('setUp' in message, false)
  })

  test('cost no look at the engine while nobody subscribes', () => {
    const { engine } = makePhone()
    engine.say(pending())
    engine.say({ type: 'cancelPendingSession', id: ids.one, details: { side: 'local', reason: success, conversationId: 'c' } })
    assert.equal(fake.phones.at(-1), engine)
    assert.equal(engine.looks, 0)
  })
})

describe('health', () => {
  test('is what the engine says, and of a phone without one that nothing can reach it', async () => {
    const { phone, engine } = makePhone()
    assert.equal(phone.health().status, 'ready')
    assert.equal(engine.looks, 1)
    const later = makePhone({ accessToken: async () => 't', environment: 'example.com', username: 'alice' }).phone
    assert.equal(later.health().status, 'unreachable')
    await later.destroy()
    assert.equal(later.health().status, 'closed')
    assert.equal(later.metrics(), '')
  })
})
