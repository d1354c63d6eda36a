// A conference on our phone whose members are pages with JsSIP, through Kamailio: who hears whom, told by tones.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { next, phonesOf, voice } from '../phones.mjs'
import { drain, strengths } from '../sound.mjs'
import { startChromium } from './chromium.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'

const tones = { alice: 600, bob: 1000, carol: 1500, music: 2100 }
const all = Object.values(tones)

describe('a conference with two JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
  let kamailio
  let chromium
  before(async () => {
    ;[kamailio, chromium] = await Promise.all([startKamailio(), startChromium()])
  })
  after(() => Promise.all([kamailio?.stop(), chromium?.stop()]))

  const uri = (user) => `sip:${user}@${kamailio.domain}`
  const account = (user) => ({ uri: uri(user), password: `${user}pw` })

  /** Alice, whom Bob calls and who calls Carol, each with a tone; Carol's page offers another codec than Bob's. */
  async function house(t) {
    const [bob, carol, alice] = await Promise.all([
      chromium.phone({ ...account('bob'), server: kamailio.ws }),
      chromium.phone({ ...account('carol'), server: kamailio.ws, codecs: ['PCMU'] }),
      phonesOf(t).open({ ...account('alice'), servers: kamailio.ws }),
    ])
    t.after(() => Promise.all([bob.stop(), carol.stop()]))
    const ringing = next(alice, 'pendingSession')
    await bob.call(uri('alice'), tones.bob)
    const [{ id }] = await ringing
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id, { mediaStream: 'none', audioElement: 'none' })
    const [ofBob] = await started
    await bob.event('confirmed')

    const desk = voice(tones.alice)
    const conference = await alice.conference([ofBob], { input: desk.audio.mediaStream, output: desk.ear })
    const ofCarol = await alice.call(uri('carol'), { mediaStream: 'none', audioElement: 'none' })
    const joined = conference.add(ofCarol)
    await carol.event('incoming')
    await carol.answer(tones.carol)
    await joined
    const hear = (here, atBob, atCarol) =>
      Promise.all([
        hearsOnly(desk.ear, here),
        bob.hearsOnly(atBob.map((who) => tones[who]), all),
        carol.hearsOnly(atCarol.map((who) => tones[who]), all),
      ])
    await hear(['bob', 'carol'], ['alice', 'carol'], ['alice', 'bob'])
    return { alice, bob, carol, ofBob, ofCarol, conference, hear }
  }

  async function hearsOnly(ear, who, deadline = 10_000) {
    const wanted = `${who.map((one) => tones[one])}`
    const end = performance.now() + deadline
    for (let heard; heard !== wanted; ) {
      drain(ear)
      const levels = await strengths(ear, all)
      heard = `${all.filter((tone) => levels.get(tone) > -45)}`
      assert.ok(heard === wanted || performance.now() < end, `expected ${wanted} Hz, heard ${heard}`)
    }
  }

  test('lets each hear the others and not itself, muted or not', async (t) => {
    const { conference, ofBob, hear } = await house(t)
    await conference.mute(ofBob)
    await hear(['carol'], ['alice', 'carol'], ['alice'])
    await conference.unmute(ofBob)
    await conference.mute()
    await hear(['bob', 'carol'], ['carol'], ['bob'])
    await conference.end()
  })

  test('is put on hold with music for both, and resumed', async (t) => {
    const { conference, bob, carol, hear } = await house(t)
    await conference.hold({ music: { tone: tones.music } })
    assert.deepEqual(await bob.onHold(), { local: false, remote: true })
    assert.deepEqual(await carol.onHold(), { local: false, remote: true })
    await hear([], ['music'], ['music'])
    await conference.resume()
    assert.deepEqual(await bob.onHold(), { local: false, remote: false })
    await hear(['bob', 'carol'], ['alice', 'carol'], ['alice', 'bob'])
    await conference.end()
  })

  test('goes on without a page that holds it, and with one that hangs up', async (t) => {
    const { conference, bob, carol, ofBob, ofCarol, hear } = await house(t)
    const held = next(ofBob, 'hold')
    await bob.hold()
    await held
    await hear(['carol'], [], ['alice'])
    const resumed = next(ofBob, 'resume')
    await bob.unhold()
    await resumed
    await hear(['bob', 'carol'], ['alice', 'carol'], ['alice', 'bob'])
    const left = next(conference, 'leave')
    await carol.hangUp()
    assert.deepEqual(await left, [ofCarol])
    await bob.hearsOnly([tones.alice], all)
    await conference.dissolve()
    assert.deepEqual(await bob.onHold(), { local: false, remote: true })
    await ofBob.end()
  })
})
