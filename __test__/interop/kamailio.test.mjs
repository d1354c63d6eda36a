import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { hears } from '../sound.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { connect, eventually, next, phonesOf, voice } from '../phones.mjs'

const skip = peers('kamailio')

function account(kamailio, user, more) {
  return { uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, servers: kamailio.ws, ...more }
}

for (const [name, variant] of [
  ['MD5', {}],
  ['SHA-256', { sha256: true }],
  ['nonces that are good once', { onceNonce: true }],
]) {
  describe(`Kamailio with ${name}`, { skip }, () => {
    let kamailio
    before(async () => (kamailio = await startKamailio(variant)))
    after(() => kamailio?.stop())

    test('takes a registration over WS and over WSS with its own authority', async (t) => {
      const { make } = phonesOf(t)
      for (const servers of [kamailio.ws, kamailio.wss]) {
        const phone = make(account(kamailio, 'alice', { servers, tls: { ca: kamailio.ca }, registerExpires: 120 }))
        const registered = next(phone, 'registered')
        await phone.initialize()
        assert.equal((await registered)[0].expires, 120)
        await phone.unregister()
        assert.equal(phone.registered, false)
      }
    })

    test('carries a call with sound both ways, and each side can end it', async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
      for (const ender of ['outgoing', 'incoming']) {
        const call = await connect(alice, bob, `sip:bob@${kamailio.domain}`)
        assert.equal(call.pending.address, 'alice')
        await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
        const ends = [next(alice, 'sessionEnded'), next(bob, 'sessionEnded')]
        await call[ender].end()
        for (const [session, reason] of await Promise.all(ends)) {
          assert.equal(`${reason}`, 'success')
          assert.equal(reason.side, session === call[ender] ? 'local' : 'remote')
        }
      }
    })
  })
}

describe('Kamailio', { skip }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  test('carries hold, and reliable ringing', async (t) => {
    const { open } = phonesOf(t)
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
    const options = { headers: { Require: '100rel' } }
    const call = await connect(alice, bob, `sip:bob@${kamailio.domain}`, { options })
    assert.ok(alice.log.some((line) => /SIP message sent.*PRACK sip:/.test(line)))
    await call.incoming.hold({ music: { tone: 1800 } })
    await eventually(() => call.outgoing.remoteHeld)
    await hears(call.callerEar, 1800)
    await call.incoming.resume()
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
  })

  test('has lost the far end, refuses a hold, and takes it when that is back', async (t) => {
    const { open } = phonesOf(t)
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
    const call = await connect(alice, bob, `sip:bob@${kamailio.domain}`)
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    // Its GRUU leads nowhere from now on.
    await bob.unregister()
    const refused = new Promise((resolve) => alice.on('trace', (_level, _message, { sip } = {}) => sip?.startsWith('SIP/2.0 480') && resolve()))
    const held = call.outgoing.hold({ music: { tone: 1800 } })
    await refused
    await bob.register()
    await held
    await eventually(() => call.incoming.remoteHeld)
    await hears(call.calleeEar, 1800)
    await call.outgoing.resume()
    await hears(call.calleeEar, 600)
    await call.outgoing.end()
  })

  test('refuses a password, and lets a call through with the next one that the function gives', async (t) => {
    const passwords = ['of yesterday', 'alicepw']
    const { open } = phonesOf(t)
    const password = () => passwords.shift()
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice', { password, register: false })), open(account(kamailio, 'bob'))])
    const call = await connect(alice, bob, `sip:bob@${kamailio.domain}`)
    assert.deepEqual(passwords, [])
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    await call.outgoing.end()
  })

  test('a password with quotes, backslashes and umlauts is taken', async (t) => {
    const phone = await phonesOf(t).open(account(kamailio, 'dave', { password: 'p@ss "w\\ord" ü' }))
    assert.equal(phone.registered, true)
  })

  test('a wrong password fails at once, and for good', async (t) => {
    const phone = phonesOf(t).make(account(kamailio, 'alice', { password: 'wrong' }))
    phone.on('error', () => {})
    const failed = next(phone, 'registrationFailed')
    const error = await phone.initialize().catch((reason) => reason)
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.message, 'Failed to initialize SDK')
    assert.equal(error.code, 'ERR_AUTHENTICATION_FAILED')
    assert.equal((await failed)[0].fatal, true)
  })

  test('a certificate of an unknown authority is refused, unless that is allowed', async (t) => {
    const { make } = phonesOf(t)
    const wary = make(account(kamailio, 'alice', { servers: kamailio.wss }))
    wary.on('error', () => {})
    await assert.rejects(wary.initialize(), { message: 'Failed to initialize SDK' })
    const careless = make(account(kamailio, 'alice', { servers: kamailio.wss, tls: { rejectUnauthorized: false } }))
    await careless.initialize()
  })

  test('a registration that is too short is asked for again as long as the server wants it', async (t) => {
    const phone = phonesOf(t).make(account(kamailio, 'alice', { registerExpires: 5 }))
    const registered = next(phone, 'registered')
    await phone.initialize()
    assert.equal((await registered)[0].expires, 10)
  })

  for (const [codec, name] of [
    ['opus', 'opus'],
    ['G722', 'G722'],
    ['PCMU', 'PCMU'],
    ['PCMA', 'PCMA'],
  ]) {
    test(`${name} carries sound both ways, digits and statistics`, async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([
        open(account(kamailio, 'alice', { codecs: [codec] })),
        open(account(kamailio, 'bob')),
      ])
      const call = await connect(alice, bob, 'bob')
      await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
      assert.equal(call.outgoing.codec?.toLowerCase(), codec.toLowerCase())
      assert.equal(call.incoming.codec?.toLowerCase(), codec.toLowerCase())

      const tones = []
      const all = new Promise((resolve) => {
        call.incoming.on('dtmf', ({ tone }) => tones.push(tone) === 4 && resolve())
      })
      await call.outgoing.sendDtmf('19*#', { duration: 80, gap: 60 })
      await Promise.race([all, next(bob, 'sessionEnded', 3000)])
      assert.deepEqual(tones, ['1', '9', '*', '#'])

      const [stats] = await next(call.incoming, 'stats')
      assert.ok(stats.mos > 3.5, `MOS ${stats.mos}`)
      const report = [...(await call.incoming.getStats()).values()]
      const inbound = report.find(({ type }) => type === 'inbound-rtp')
      assert.ok(inbound.packetsReceived > 0)
      await call.outgoing.end()
    })
  }

  test('muting silences the other side until it is undone', async (t) => {
    const { open } = phonesOf(t)
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
    const call = await connect(alice, bob, 'bob')
    await hears(call.calleeEar, 600)
    const muted = next(call.outgoing, 'mute')
    await call.outgoing.mute()
    await muted
    assert.equal(call.outgoing.muted, true)
    await call.outgoing.unmute()
    await hears(call.calleeEar, 600)
    await call.outgoing.end()
  })

  test('the other phones of a user hear that the call was handled on one of them', async (t) => {
    const { open } = phonesOf(t)
    const [alice, desk, mobile] = await Promise.all([
      open(account(kamailio, 'alice')),
      open(account(kamailio, 'bob')),
      open(account(kamailio, 'bob')),
    ])
    const rings = Promise.all([next(desk, 'pendingSession'), next(mobile, 'pendingSession')])
    const session = await alice.call('bob')
    const [[first]] = await rings
    const handled = next(mobile, 'handledPendingSession')
    desk.acceptPendingSession(first.id)
    await session.answered
    const [, details] = await handled
    assert.equal(`${details.reason}`, 'alternative-session')
    assert.equal(details.side, 'remote')
    assert.deepEqual(mobile.pendingSessions, [])
    await session.end()
  })

  test('forks in parallel; each ringing is acknowledged for itself, and the phone that answers is talked to', async (t) => {
    const { open } = phonesOf(t)
    const [alice, desk, mobile] = await Promise.all([
      open(account(kamailio, 'alice')),
      open(account(kamailio, 'bob')),
      open(account(kamailio, 'bob')),
    ])
    const acknowledged = (phone) =>
      new Promise((resolve) => phone.on('trace', (_level, _message, { sip } = {}) => sip?.startsWith('PRACK') && resolve()))
    const both = Promise.all([acknowledged(desk), acknowledged(mobile)])
    const ringing = next(mobile, 'pendingSession')
    const [mine, theirs] = [voice(600), voice(1000)]
    const session = await alice.call('bob', { ...mine.audio, headers: { Require: '100rel' } })
    const [{ id }] = await ringing
    await both
    const handled = next(desk, 'handledPendingSession')
    mobile.acceptPendingSession(id, theirs.audio)
    await session.answered
    await handled
    await Promise.all([hears(mine.ear, 1000), hears(theirs.ear, 600)])
    await session.end()
  })

  test('a phone that declines for all of its user\'s phones stops the others', async (t) => {
    const { open } = phonesOf(t)
    const [alice, desk, mobile] = await Promise.all([
      open(account(kamailio, 'alice')),
      open(account(kamailio, 'bob')),
      open(account(kamailio, 'bob')),
    ])
    const rings = Promise.all([next(desk, 'pendingSession'), next(mobile, 'pendingSession')])
    const session = await alice.call('bob')
    const [[{ id }]] = await rings
    const handled = next(mobile, 'handledPendingSession')
    desk.rejectPendingSession(id, { code: 603 })
    const [, details] = await handled
    assert.deepEqual([`${details.reason}`, details.elsewhere, details.reason.sip?.code], ['decline', 'declined', 603])
    await assert.rejects(session.answered, ({ sip }) => sip.code === 603)
  })

  test('giving up a call cancels it on the other side', async (t) => {
    const { open } = phonesOf(t)
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
    const controller = new AbortController()
    const ringing = next(bob, 'pendingSession')
    const session = await alice.call('bob', { signal: controller.signal })
    const [{ id }] = await ringing
    const cancelled = next(bob, 'cancelPendingSession')
    controller.abort()
    const [cancelledId, details] = await cancelled
    assert.equal(cancelledId, id)
    assert.equal(details.side, 'remote')
    assert.equal(`${details.reason}`, 'cancel')
    await assert.rejects(session.answered, { code: 'ERR_CALL_CANCEL' })
  })

  test('a rejected call tells the caller why', async (t) => {
    const { open } = phonesOf(t)
    const [alice, bob] = await Promise.all([open(account(kamailio, 'alice')), open(account(kamailio, 'bob'))])
    for (const [code, error] of [
      [undefined, { code: 'ERR_CALL_BUSY', sip: { code: 486 } }],
      [603, { code: 'ERR_CALL_DECLINE', sip: { code: 603 } }],
    ]) {
      const ringing = next(bob, 'pendingSession')
      const session = await alice.call('bob')
      const [{ id }] = await ringing
      await bob.rejectPendingSession(id, code === undefined ? {} : { code })
      const failure = await session.answered.catch((reason) => reason)
      assert.equal(failure.code, error.code)
      assert.equal(failure.sip.code, error.sip.code)
    }
  })

  for (const [number, code] of [
    [404, 'ERR_CALL_GONE'],
    [486, 'ERR_CALL_BUSY'],
    [480, 'ERR_CALL_TIMEOUT'],
    [603, 'ERR_CALL_DECLINE'],
    [488, 'ERR_CALL_INCOMPATIBLE_PARAMETERS'],
  ]) {
    test(`${number} becomes ${code}`, async (t) => {
      const alice = await phonesOf(t).open(account(kamailio, 'alice'))
      const ended = next(alice, 'sessionEnded')
      const session = await alice.call(`sip:${number}@${kamailio.domain}`)
      await assert.rejects(session.answered, { code })
      assert.equal((await ended)[0], session)
    })
  }
})

describe('Kamailio with nonces that live for three seconds', { skip }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio({ shortNonce: true })))
  after(() => kamailio?.stop())

  test('a refresh after that succeeds without a word', async (t) => {
    const phone = phonesOf(t).make(account(kamailio, 'alice', { registerExpires: 10 }))
    const failures = []
    phone.on('registrationFailed', (event) => failures.push(event))
    const answers = []
    const refreshed = new Promise((resolve) => {
      phone.on('trace', (level, message, { sip } = {}) => {
        const [, status] = /^SIP\/2\.0 (\d+)/.exec(sip ?? '') ?? []
        if (status && answers.push(status) === 4) resolve()
      })
    })
    await phone.initialize()
    await Promise.race([refreshed, next(phone, 'disconnected', 12_000)])
    assert.deepEqual(answers, ['401', '200', '401', '200'])
    assert.deepEqual(failures, [])
    assert.equal(phone.registered, true)
  })
})
