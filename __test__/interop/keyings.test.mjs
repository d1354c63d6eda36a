// Media that are protected in other ways than by DTLS, or not at all, with peers that we did not write.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect, next, phonesOf, voice } from '../phones.mjs'
import { drain, hears, quiet } from '../sound.mjs'
import { startBaresip } from './baresip.mjs'
import { goOn } from './gateway.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { behindRtpengine } from './rtpengine.mjs'
import { answer, playTone, receive, reply, request, sdp, startSipp } from './sipp.mjs'

const keyings = [
  { name: 'plain RTP', media: ['rtp'], keying: 'rtp', mediaenc: undefined, cipher: undefined, codecs: ['PCMU', 'G722'] },
  { name: 'SDES', media: ['sdes'], keying: 'sdes', mediaenc: 'srtp-mand', cipher: /^SRTP_A/, codecs: ['PCMU', 'opus'] },
]

describe('Without DTLS, through Kamailio', { skip: peers('kamailio', 'baresip', 'sipp') }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  const uri = (user) => `sip:${user}@${kamailio.domain}`
  const account = (user, media) => ({ uri: uri(user), password: `${user}pw`, servers: kamailio.tls, tls: { ca: kamailio.ca }, media })

  function isSecured(session, { keying, cipher }) {
    assert.equal(session.security.keying, keying)
    if (cipher) assert.match(session.security.cipher, cipher)
    else assert.equal(session.security.cipher, undefined)
    assert.equal(session.security.signalling, 'tls')
  }

  for (const kind of keyings) {
    for (const codec of kind.codecs) {
      test(`baresip is called with ${kind.name} and ${codec}, both hold, and it hangs up`, async (t) => {
        const [bob, alice] = await Promise.all([
          startBaresip(kamailio, { user: 'bob', tone: 1000, codec, mediaenc: kind.mediaenc }),
          phonesOf(t).open(account('alice', kind.media)),
        ])
        t.after(() => bob.stop())
        const { ear, audio } = voice(600)
        const session = await alice.call(uri('bob'), audio)
        await bob.event('CALL_INCOMING', 20_000)
        await bob.command('accept')
        await session.answered
        await Promise.all([hears(ear, 1000), bob.hears(600)])
        isSecured(session, kind)
        assert.equal(session.codec?.toLowerCase(), codec.toLowerCase())
        await session.hold({ music: { tone: 1400 } })
        await bob.hears(1400)
        await session.resume()
        await Promise.all([hears(ear, 1000), bob.hears(600)])
        const held = next(session, 'hold', 20_000)
        await bob.command('hold')
        await held
        drain(ear)
        await quiet(ear)
        const resumed = next(session, 'resume', 20_000)
        await bob.command('resume')
        await resumed
        await hears(ear, 1000)
        const ended = next(session, 'terminated', 20_000)
        await bob.command('hangup')
        assert.equal(`${(await ended)[1]}`, 'success')
      })
    }

    test(`baresip calls with ${kind.name}, and we hang up`, async (t) => {
      const [bob, alice] = await Promise.all([
        startBaresip(kamailio, { user: 'bob', tone: 1000, mediaenc: kind.mediaenc }),
        phonesOf(t).open(account('alice', ['dtls', ...kind.media])),
      ])
      t.after(() => bob.stop())
      const ringing = next(alice, 'pendingSession', 20_000)
      await bob.command('dial', uri('alice'))
      const [{ id }] = await ringing
      const { ear, audio } = voice(600)
      const started = next(alice, 'sessionStarted')
      alice.acceptPendingSession(id, audio)
      const [session] = await started
      await bob.event('CALL_ESTABLISHED', 20_000)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      isSecured(session, kind)
      await session.end()
      await bob.event('CALL_CLOSED', 20_000)
    })
  }

  test('baresip that offers plain RTP is refused by a phone that wants keys', async (t) => {
    const [bob, alice] = await Promise.all([
      startBaresip(kamailio, { user: 'bob', tone: 1000 }),
      phonesOf(t).open(account('alice', ['dtls', 'sdes'])),
    ])
    t.after(() => bob.stop())
    const ringing = next(alice, 'pendingSession', 20_000)
    await bob.command('dial', uri('alice'))
    const [{ id }] = await ringing
    const ended = next(alice, 'sessionEnded', 20_000)
    alice.acceptPendingSession(id, { mediaStream: 'none' })
    assert.equal(`${(await ended)[1]}`, 'unsupported-transports')
    assert.match((await bob.event('CALL_CLOSED', 20_000)).param, /488/)
  })

  test('sipp calls with plain RTP, hears us, and hangs up', async (t) => {
    const alice = await phonesOf(t).open(account('alice', ['rtp']))
    const pending = next(alice, 'pendingSession', 20_000)
    const sipp = await startSipp(
      kamailio,
      (scenario) => [
        request('INVITE', 1, { scenario, within: false, body: sdp() }),
        receive(100, { optional: true }),
        receive(180, { optional: true }),
        receive(200, { matches: { body: 'RTP/AVP' } }),
        request('ACK', 1, { scenario }),
        playTone,
        receive('INFO'),
        reply('200 OK'),
        request('BYE', 2, { scenario }),
        receive(200),
      ],
      { call: 'alice' },
    )
    t.after(() => sipp.stop())
    const { ear, audio } = voice(600)
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession((await pending)[0].id, audio)
    const [session] = await started
    await hears(ear, 1000)
    isSecured(session, keyings[0])
    const ended = next(session, 'terminated', 20_000)
    await Promise.all([goOn(session), ended, sipp.done])
  })

  test('sipp is called with plain RTP, and we hang up', async (t) => {
    const [alice, sipp] = await Promise.all([
      phonesOf(t).open(account('alice', ['rtp'])),
      startSipp(kamailio, () => [
        receive('INVITE', { keep: true, matches: { body: 'RTP/AVP' } }),
        answer('200 OK', { tag: 'callee', sdp: sdp() }),
        receive('ACK'),
        playTone,
        receive('BYE'),
        reply('200 OK'),
      ]),
    ])
    t.after(() => sipp.stop())
    const { ear, audio } = voice(600)
    const session = await alice.call(sipp.uri, audio)
    await session.answered
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })
})

describe('rtpengine, which translates', { skip: peers('kamailio', 'rtpengine', 'baresip') }, () => {
  let kamailio
  behindRtpengine((started) => (kamailio = started))

  test('lets DTLS-SRTP here and plain RTP there hear each other, both ours', async (t) => {
    const { open } = phonesOf(t)
    const account = (user, servers, media) => ({ uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, servers, tls: { ca: kamailio.ca }, media })
    const [alice, bob] = await Promise.all([open(account('alice', kamailio.wss, ['dtls'])), open(account('bob', kamailio.udp, ['rtp']))])
    for (const [caller, callee, user] of [[alice, bob, 'bob'], [bob, alice, 'alice']]) {
      const call = await connect(caller, callee, user)
      await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
      const of = (phone) => (phone === caller ? call.outgoing : call.incoming)
      assert.equal(of(alice).security.keying, 'dtls')
      assert.equal(of(bob).security.keying, 'rtp')
      const ended = next(callee, 'sessionEnded', 20_000)
      await call.outgoing.end()
      await ended
    }
  })
})
