import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { next, phonesOf } from '../phones.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { receive, request, startSipp } from './sipp.mjs'

describe('Kamailio as a presence server', { skip: peers('kamailio', 'presence', 'sipp') }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio({ presence: true })))
  after(() => kamailio?.stop())

  const uri = (user) => `sip:${user}@${kamailio.domain}`

  /** Lets sipp say what Bob's state is. */
  async function publish(t, event, type, body) {
    const headers = [`Event: ${event}`, 'Expires: 600']
    const steps = (scenario) => [request('PUBLISH', 1, { scenario, within: false, headers, type, body }), receive(200)]
    const sipp = await startSipp(kamailio, steps, { call: 'bob' })
    t.after(() => sipp.stop())
    await sipp.done
  }

  async function subscribed(t, event) {
    const phone = await phonesOf(t).open({ uri: uri('alice'), password: 'alicepw', servers: kamailio.ws })
    const subscription = await phone.subscribe(uri('bob'), event)
    const notified = []
    subscription.on('notify', (notification) => notified.push(notification))
    /** Resolves with the first notification, of those before too, that has this. */
    const notification = async (has) => {
      for (;;) {
        const found = notified.find(has)
        if (found) return found
        await next(subscription, 'notify')
      }
    }
    return { phone, subscription, notification }
  }

  test('tells of waiting messages', async (t) => {
    const { phone, subscription } = await subscribed(t, 'message-summary')
    const told = next(phone, 'messageWaiting')
    await publish(t, 'message-summary', 'application/simple-message-summary', 'Messages-Waiting: yes\r\nVoice-Message: 3/1\r\n')
    const [{ waiting, voice }] = await told
    assert.deepEqual([waiting, voice.new, voice.old], [true, 3, 1])
    const ended = next(subscription, 'terminated')
    await subscription.unsubscribe()
    await ended
  })

  test('tells who is there', async (t) => {
    const { subscription, notification } = await subscribed(t, 'presence')
    await publish(t, 'presence', 'application/pidf+xml', [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${uri('bob')}">`,
      '<tuple id="desk"><status><basic>open</basic></status><note>at the desk</note></tuple>',
      '</presence>',
    ].join('\r\n'))
    const { document } = await notification((told) => told.document?.tuples?.length > 0)
    assert.deepEqual(document.tuples.map(({ basic, note }) => [basic, note]), [['open', 'at the desk']])
    await subscription.unsubscribe()
  })

  test('tells who is on the telephone', async (t) => {
    const { subscription, notification } = await subscribed(t, 'dialog')
    await publish(t, 'dialog', 'application/dialog-info+xml', [
      '<?xml version="1.0"?>',
      `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="1" state="full" entity="${uri('bob')}">`,
      '<dialog id="call-1" call-id="call-1" direction="recipient"><state>confirmed</state></dialog>',
      '</dialog-info>',
    ].join('\r\n'))
    const { document } = await notification((told) => told.document?.dialogs?.length > 0)
    assert.deepEqual(document.dialogs.map(({ state, direction }) => [state, direction]), [['confirmed', 'recipient']])
    await subscription.unsubscribe()
  })
})
