// What a page subscribes to over a bridge: colleagues' states, mailboxes, rosters.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { BridgeSubscription, subscribe } from 'offhook/bridge/subscriptions'
import { eventually, next } from './phones.mjs'
import { pbxOf } from './pbx.mjs'

const pidf = (basic) =>
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:bob@pbx.test"><tuple id="desk"><status><basic>${basic}</basic></status></tuple></presence>`
const contentType = 'application/pidf+xml'

/** A page of Alice's, and Bob, who tells his state. */
async function colleagues(t) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob', { notifies: ['presence'] })])
  const notifiers = []
  bob.on('subscriptionRequest', async ({ id }) => notifiers.push(await bob.acceptSubscription(id, { contentType, body: pidf('closed') })))
  const page = async () => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    let waiting
    const port = { onmessage: null, postMessage: (message) => port2.postMessage(message) }
    port2.on('message', (data) => (waiting ? waiting.push(data) : port.onmessage({ data })))
    serve(alice, port1)
    const phone = connect(port)
    await phone.ready
    const goOn = () => {
      const kept = waiting
      waiting = undefined
      for (const data of kept) port.onmessage({ data })
    }
    return { phone, hang: () => (waiting = []), goOn, port: port2, lose: () => port1.close() }
  }
  return { alice, bob, notifiers, page, ...(await page()) }
}

/** What it was told; resolves once `basic` is. */
function telling(subscription) {
  const told = []
  subscription.on('notify', ({ document }) => document && told.push(document.tuples[0].basic))
  return { told, tells: (basic) => eventually(() => told.at(-1) === basic) }
}

describe('a page that subscribes', () => {
  test('is told the state, and each change, until it gives it up', async (t) => {
    const { phone, notifiers } = await colleagues(t)
    const subscription = await subscribe(phone, 'bob', 'presence')
    assert.ok(subscription instanceof BridgeSubscription)
    assert.equal(subscription.event, 'presence')
    const { tells } = telling(subscription)
    await tells('closed')
    await notifiers[0].notify(pidf('open'), { contentType })
    await tells('open')
    const [ended, over] = [next(notifiers[0], 'terminated'), subscription.once('terminated')]
    await subscription.unsubscribe()
    assert.deepEqual(await ended, [{ reason: 'unsubscribed' }])
    await over
    await subscription.unsubscribe()
  })

  test('learns that it was refused, or ended', async (t) => {
    const { phone, bob, notifiers } = await colleagues(t)
    await assert.rejects(subscribe(phone, 'bob', 'conference'), { code: 'ERR_REQUEST_REFUSED', sip: { code: 489, reason: 'Bad Event' } })
    await assert.rejects(subscribe(phone, 'bob', 'presence', { expires: 'soon' }), { code: 'ERR_INVALID_OPTION' })
    await assert.rejects(subscribe(phone, 'bob', 'presence', { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
    const subscription = await subscribe(phone, 'bob', 'presence')
    const over = subscription.once('terminated')
    await eventually(() => notifiers.length === 1)
    await notifiers[0].terminate('noresource')
    assert.deepEqual(await over, [{ reason: 'noresource' }])
    assert.equal(bob.connected, true)
  })

  test('shares it with no other page, and leaves none behind', async (t) => {
    const { page, phone, notifiers, lose } = await colleagues(t)
    const other = await page()
    const mine = telling(await subscribe(phone, 'bob', 'presence'))
    const theirs = telling(await subscribe(other.phone, 'bob', 'presence'))
    await Promise.all([mine.tells('closed'), theirs.tells('closed')])
    await notifiers[0].notify(pidf('open'), { contentType })
    await mine.tells('open')
    const ended = next(notifiers[0], 'terminated')
    lose()
    await ended
    await notifiers[1].notify(pidf('open'), { contentType })
    await theirs.tells('open')
    assert.deepEqual(theirs.told, ['closed', 'open'])
  })

  test('has the last state after it hung, and another page at its port has none of it', async (t) => {
    const { alice, phone, notifiers, hang, goOn, port } = await colleagues(t)
    const { told, tells } = telling(await subscribe(phone, 'bob', 'presence'))
    await tells('closed')
    hang()
    for (let index = 0; index < 3000; index += 1) alice.emit('messageWaiting', { waiting: true })
    await notifiers[0].notify(pidf('open'), { contentType })
    await alice.sendOptions('bob')
    goOn()
    await tells('open')
    assert.deepEqual(told.filter((basic) => basic === 'open'), ['open'])
    const ended = next(notifiers[0], 'terminated')
    port.postMessage({ offhook: 'bridge', kind: 'hello', version: 1, page: 2 })
    await ended
  })

  test('learns of the end that it missed while it hung, and is behind by what it is told of it alone', async (t) => {
    const { phone, notifiers, alice, hang, goOn } = await colleagues(t)
    const real = await subscribe(phone, 'bob', 'presence')
    await telling(real).tells('closed')
    const { subscribe: asked } = alice
    const flood = new EventEmitter()
    alice.subscribe = async () => Object.assign(flood, { id: 1_000_000, unsubscribe: async () => {} })
    const busy = await subscribe(phone, 'bob', 'presence')
    alice.subscribe = asked
    const states = []
    busy.on('notify', ({ state }) => states.push(state))
    const over = real.once('terminated')
    hang()
    for (let index = 0; index < 5000; index += 1) flood.emit('notify', { state: index, contentType: '', body: '' })
    const ended = next(alice, 'messageWaiting')
    await notifiers[0].terminate('noresource')
    await alice.sendOptions('bob')
    alice.emit('messageWaiting', { waiting: false })
    await ended
    goOn()
    assert.deepEqual(await over, [{ reason: 'noresource' }])
    await eventually(() => states.at(-1) === 4999)
    assert.ok(states.length <= 1025, `${states.length} of 5000`)
    assert.equal(phone.state.bridge, 'open')
  })

  test('can not have more of them than fit', async (t) => {
    const { alice, phone } = await colleagues(t)
    let asked = 0
    alice.subscribe = async () => {
      asked += 1
      throw new Error('no')
    }
    await Promise.all(Array.from({ length: 60 }, () => assert.rejects(subscribe(phone, 'bob', 'presence'))))
    // What failed counts no more.
    assert.equal(asked, 60)
    alice.subscribe = async () => ({ id: (asked += 1), on() {}, unsubscribe: async () => {} })
    for (let index = 0; index < 256; index += 1) await subscribe(phone, 'bob', 'presence')
    await assert.rejects(subscribe(phone, 'bob', 'presence'), { code: 'ERR_BUSY', message: /256 subscriptions/ })
  })
})
