import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Notifier } from 'offhook'
import { next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'

const contentType = 'application/conference-info+xml'

const roster = (version, ...users) =>
  `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:room@example.com" version="${version}"><users>` +
  users.map((user) => `<user entity="${user}"><endpoint entity="1"><status>connected</status></endpoint></user>`).join('') +
  '</users></conference-info>'

test('a phone tells its subscribers who is in its conference', async (t) => {
  const { open } = await pbxOf(t, { users: ['host', 'alice'] })
  const [host, alice] = await Promise.all([open('host', { notifies: ['conference'] }), open('alice')])
  const asked = next(host, 'subscriptionRequest')
  const subscribing = alice.subscribe('host', 'conference', { headers: { 'X-Participant-Token': 't0k' } })
  const [request] = await asked
  assert.deepEqual([request.event, request.address, request.target], ['conference', 'alice', 'host'])
  assert.deepEqual(request.headers['x-participant-token'], ['t0k'])
  assert.equal(structuredClone(request).id, request.id)
  const notifier = await host.acceptSubscription(request.id, { contentType, body: roster(1, 'sip:a@example.com') })
  assert.ok(notifier instanceof Notifier)

  const subscription = await subscribing
  const told = []
  const known = new Promise((resolve) => {
    subscription.on('notify', ({ document }) => {
      told.push(document)
      if (document?.version === 3) resolve()
    })
  })
  await notifier.notify(roster(2, 'sip:a@example.com', 'sip:b@example.com'), { contentType })
  await notifier.notify(roster(3, 'sip:b@example.com'), { contentType })
  await known
  const last = told.at(-1)
  assert.deepEqual([last.kind, last.state, last.entity], ['conference', 'full', 'sip:room@example.com'])
  assert.deepEqual(last.users.map(({ entity, endpoints }) => [entity, endpoints[0].status]), [['sip:b@example.com', 'connected']])

  const over = next(notifier, 'terminated')
  await subscription.unsubscribe()
  assert.deepEqual(await over, [{ reason: 'unsubscribed' }])
  assert.ok(notifier.ended)
  await assert.rejects(notifier.notify('late'), { code: 'ERR_SUBSCRIPTION_ENDED' })
  await notifier.terminate()
  assert.ok(![...host.log, ...alice.log].some((line) => line.includes('t0k')), 'a token is in a log')
})

test('a subscription that the notifier ends is told so, once', async (t) => {
  const { open } = await pbxOf(t, { users: ['host', 'alice'] })
  const [host, alice] = await Promise.all([open('host', { notifies: ['x-weather'] }), open('alice')])
  host.on('subscriptionRequest', ({ id }) => host.acceptSubscription(id).then((notifier) => notifier.terminate('noresource')))
  const subscription = await alice.subscribe('host', 'x-weather')
  assert.deepEqual(await next(subscription, 'terminated'), [{ reason: 'noresource' }])
})

test('a subscriber whom the application refuses, and one of whom nobody hears', async (t) => {
  const { open } = await pbxOf(t, { users: ['host', 'alice'] })
  const [host, alice] = await Promise.all([open('host', { notifies: ['conference'] }), open('alice')])
  const refusal = (promise) => promise.then(() => assert.fail('it was accepted'), (error) => error.sip.code)
  assert.equal(await refusal(alice.subscribe('host', 'conference')), 403)
  assert.equal(await refusal(alice.subscribe('host', 'presence')), 489)
  host.once('subscriptionRequest', ({ id }) => host.rejectSubscription(id, { code: 404, reason: 'No such room' }))
  assert.equal(await refusal(alice.subscribe('host', 'conference')), 404)
  await assert.rejects(host.rejectSubscription(77), { code: 'ERR_SUBSCRIPTION_ENDED' })
  await assert.rejects(host.acceptSubscription('x'), { code: 'ERR_INVALID_ARGUMENT' })
  await assert.rejects(host.acceptSubscription(1, { expires: 5 }), { code: 'ERR_INVALID_OPTION' })
})
