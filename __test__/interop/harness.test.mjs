import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startChromium } from './chromium.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'

// The harness by itself: what fails here is not ours.
describe('JsSIP in Chromium through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
  let kamailio
  let chromium
  before(async () => {
    ;[kamailio, chromium] = await Promise.all([startKamailio(), startChromium()])
  })
  after(() => Promise.all([kamailio?.stop(), chromium?.stop()]))

  const account = (user, more) => ({
    server: kamailio.ws,
    uri: `sip:${user}@${kamailio.domain}`,
    password: `${user}pw`,
    ...more,
  })

  for (const [codec, mimeType] of [
    ['opus', 'audio/opus'],
    ['PCMU', 'audio/PCMU'],
  ]) {
    test(`two pages call each other with ${codec} and hear each other's tone`, async (t) => {
      const [alice, bob] = await Promise.all([
        chromium.phone(account('alice', { codecs: [codec], certificate: 'RSA' })),
        chromium.phone(account('bob')),
      ])
      t.after(() => Promise.all([alice.stop(), bob.stop()]))
      await alice.call(`sip:bob@${kamailio.domain}`, 600)
      await bob.event('incoming')
      await bob.answer(1000)
      await Promise.all([alice.event('confirmed'), bob.event('confirmed')])
      await Promise.all([alice.hears(1000), bob.hears(600)])
      assert.equal((await bob.received()).codec, mimeType)
      await bob.hangUp()
      assert.equal((await alice.event('ended')).originator, 'remote')
    })
  }

  test('a wrong password is refused', async () => {
    await assert.rejects(chromium.phone(account('alice', { password: 'wrong' })), /registration failed: Authentication Error/)
  })
})
