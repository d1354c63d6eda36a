import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, hears, quiet } from '../sound.mjs'
import { eventually, next, phonesOf, voice } from '../phones.mjs'
import { startBaresip } from './baresip.mjs'
import { peers } from './peers.mjs'
import { behindRtpengine } from './rtpengine.mjs'

// SIP over UDP and plain RTP there, WebSocket and DTLS-SRTP here.
describe('baresip, through Kamailio and rtpengine', { skip: peers('kamailio', 'rtpengine', 'baresip') }, () => {
  let kamailio
  behindRtpengine((started) => (kamailio = started))

  const uri = (user) => `sip:${user}@${kamailio.domain}`
  const account = (user) => ({ uri: uri(user), password: `${user}pw`, servers: kamailio.ws })

  /** Bob's baresip, which sends 1000 Hz, and Alice, who is ours. */
  async function both(t, { codec = 'PCMU' } = {}) {
    const [bob, alice] = await Promise.all([
      startBaresip(kamailio, { user: 'bob', tone: 1000, codec }),
      phonesOf(t).open(account('alice')),
    ])
    t.after(() => bob.stop())
    return [bob, alice]
  }

  /** Carol's baresip, which answers at once and sends 1800 Hz. */
  async function carolOf(t) {
    const carol = await startBaresip(kamailio, { user: 'carol', tone: 1800, answer: 'auto' })
    t.after(() => carol.stop())
    return carol
  }

  async function called(t, options) {
    const [bob, alice] = await both(t, options)
    const { ear, audio } = voice(600)
    const session = await alice.call(uri('bob'), audio)
    await bob.event('CALL_INCOMING')
    await bob.command('accept')
    await session.answered
    await bob.event('CALL_ESTABLISHED')
    return { bob, alice, session, ear }
  }

  async function calling(t, options) {
    const [bob, alice] = await both(t, options)
    const ringing = next(alice, 'pendingSession')
    await bob.command('dial', uri('alice'))
    const [{ id, address }] = await ringing
    assert.equal(address, 'bob')
    const { ear, audio } = voice(600)
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id, audio)
    const [session] = await started
    await bob.event('CALL_ESTABLISHED')
    return { bob, alice, session, ear }
  }

  for (const codec of ['PCMU', 'PCMA', 'G722', 'opus']) {
    test(`is called with ${codec}, and hangs up`, async (t) => {
      const { bob, session, ear } = await called(t, { codec })
      assert.equal(session.codec?.toLowerCase(), codec.toLowerCase())
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      const ended = next(session, 'terminated')
      await bob.command('hangup')
      const [, reason] = await ended
      assert.deepEqual([`${reason}`, reason.side], ['success', 'remote'])
    })

    test(`calls with ${codec}, and we hang up`, async (t) => {
      const { bob, session, ear } = await calling(t, { codec })
      assert.equal(session.codec?.toLowerCase(), codec.toLowerCase())
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.end()
      await bob.event('CALL_CLOSED')
    })
  }

  test('refuses, and gives up', async (t) => {
    const [bob, alice] = await both(t)
    const refused = await alice.call(uri('bob'), { mediaStream: 'none' })
    await bob.event('CALL_INCOMING')
    await bob.command('hangup')
    await assert.rejects(refused.answered, { code: 'ERR_CALL_BUSY' })
    const ringing = next(alice, 'pendingSession')
    await bob.command('dial', uri('alice'))
    await ringing
    const cancelled = next(alice, 'cancelPendingSession')
    await bob.command('hangup')
    assert.equal(`${(await cancelled)[1].reason}`, 'cancel')
  })

  test('exchanges digits by RFC 4733, and takes them by INFO', async (t) => {
    const { bob, session } = await called(t)
    for (const tone of ['5', '#']) {
      const arrived = next(session, 'dtmf')
      await bob.command('sndcode', tone)
      const [digit] = await arrived
      assert.deepEqual([digit.tone, digit.method], [tone, 'rfc4733'])
    }
    for (const [tone, via] of [['7', 'rfc4733'], ['*', 'rfc4733'], ['3', 'info']]) {
      await session.sendDtmf(tone, { via })
      assert.equal((await bob.event('CALL_DTMF_START')).param, tone)
    }
    await session.end()
  })

  for (const [how, established] of [['calls', calling], ['is called', called]]) {
    test(`${how}, hears the music while it is held, and is talked to again`, async (t) => {
      const { bob, session, ear } = await established(t)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.hold({ music: { tone: 1400 } })
      drain(ear)
      await Promise.all([quiet(ear), bob.hears(1400)])
      await session.resume()
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.hold()
      await bob.hearsNothing()
      await session.end()
    })

    test(`${how}, holds us, and takes us off again`, async (t) => {
      const { bob, session, ear } = await established(t)
      const held = next(session, 'hold')
      await bob.command('hold')
      assert.deepEqual((await held)[0], { side: 'remote' })
      assert.equal(session.remoteHeld, true)
      drain(ear)
      await quiet(ear)
      const resumed = next(session, 'resume')
      await bob.command('resume')
      await resumed
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.end()
    })
  }

  for (const [how, established] of [['calls', calling], ['is called', called]]) {
    test(`${how}, and both resume in the same moment`, async (t) => {
      const { bob, session, ear } = await established(t)
      for (let round = 0; round < 3; round++) {
        await session.hold()
        const held = next(session, 'hold')
        await bob.command('hold')
        await held
        const free = next(session, 'resume', 10_000)
        await Promise.all([session.resume(), bob.command('resume'), free])
        await eventually(() => !session.held && !session.remoteHeld)
        drain(ear)
        await hears(ear, 1000)
      }
      await bob.hears(600)
      await session.end()
    })

    test(`${how}, and goes on after our connection was lost`, async (t) => {
      const { alice, bob, session, ear } = await established(t)
      await hears(ear, 1000)
      const connected = next(alice, 'connected')
      alice.reconnect()
      await connected
      await bob.prints(/got re-INVITE/)
      drain(ear)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.end()
      await bob.event('CALL_CLOSED')
    })
  }

  test('is transferred to another baresip', async (t) => {
    const [{ bob, session }, carol] = await Promise.all([called(t), carolOf(t)])
    const progress = []
    session.on('transferProgress', ({ code }) => progress.push(code))
    await session.transfer(uri('carol'))
    assert.equal(session.state, 'ended')
    assert.equal(progress.at(-1), 200)
    await Promise.all([bob.hears(1800), carol.hears(1000)])
  })

  test('transfers us to another baresip', async (t) => {
    const [{ bob, session }, carol] = await Promise.all([calling(t), carolOf(t)])
    const asked = next(session, 'transferRequested')
    await bob.command('transfer', uri('carol'))
    const [{ target, attended }] = await asked
    assert.deepEqual([target, attended], [uri('carol'), false])
    const mine = voice(600)
    const ended = next(session, 'terminated')
    const onward = await session.acceptTransfer(mine.audio)
    await onward.answered
    await Promise.all([hears(mine.ear, 1800), carol.hears(600)])
    assert.deepEqual([`${(await ended)[1]}`, session.state], ['success', 'ended'])
    await onward.end()
  })

  test('is told that we will not be transferred, which it takes for the end', async (t) => {
    const { bob, session } = await called(t)
    const asked = next(session, 'transferRequested')
    await bob.command('transfer', uri('carol'))
    await asked
    const ended = next(session, 'terminated')
    await session.rejectTransfer()
    assert.match((await bob.event('TRANSFER_FAILED')).param, /603/)
    assert.equal((await ended)[1].side, 'remote')
  })
})
