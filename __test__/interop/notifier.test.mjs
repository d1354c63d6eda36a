import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { next, phonesOf } from '../phones.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'

const contentType = 'application/conference-info+xml'
const roster = (version) => `<conference-info entity="sip:room@example.com" version="${version}"><users/></conference-info>`

describe('a phone that others subscribe to, through Kamailio', { skip: peers('kamailio') }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  test('tells its state along the record-routed path, is asked again and given up', async (t) => {
    const { open } = phonesOf(t)
    const account = (user) => ({ uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, servers: kamailio.ws })
    const [host, bob] = await Promise.all([open({ ...account('alice'), notifies: ['conference'] }), open(account('bob'))])
    const asked = next(host, 'subscriptionRequest')
    const subscribing = bob.subscribe(`sip:alice@${kamailio.domain}`, 'conference', { expires: 120 })
    const [request] = await asked
    assert.deepEqual([request.address, request.expires], ['bob', 120])
    assert.ok(request.headers['record-route'], 'the proxy is not on the path')
    const notifier = await host.acceptSubscription(request.id, { body: roster(1), contentType })
    const subscription = await subscribing
    const versions = []
    const second = new Promise((resolve) => {
      subscription.on('notify', ({ document }) => {
        versions.push(document.version)
        if (document.version === 2) resolve()
      })
    })
    await notifier.notify(roster(2), { contentType })
    await second
    // A new connection brings a refresh, which is told the last state.
    const again = next(subscription, 'notify')
    bob.reconnect()
    assert.equal((await again)[0].document.version, 2)
    const over = next(notifier, 'terminated')
    await subscription.unsubscribe()
    assert.deepEqual(await over, [{ reason: 'unsubscribed' }])
    const gone = await bob.subscribe(`sip:alice@${kamailio.domain}`, 'presence').catch((error) => error)
    assert.equal(gone.sip?.code, 489)
  })
})
