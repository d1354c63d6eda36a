import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hears } from '../sound.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { connect, eventually, next, phonesOf } from '../phones.mjs'

const skip = peers('kamailio')

const sound = ({ callerEar, calleeEar }) => Promise.all([hears(callerEar, 1000), hears(calleeEar, 600)])

for (const transport of ['tcp', 'tls', 'udp']) {
  describe(`Kamailio over ${transport.toUpperCase()}`, { skip }, () => {
    let kamailio
    before(async () => (kamailio = await startKamailio()))
    after(() => kamailio?.stop())

    function account(user, servers = kamailio[transport]) {
      return { uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, servers, tls: { ca: kamailio.ca } }
    }

    test('carries a call with sound both ways and hold, which each side can end', async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob'))])
      for (const ender of ['outgoing', 'incoming']) {
        const call = await connect(alice, bob, 'bob')
        await sound(call)
        assert.equal(call.outgoing.codec?.toLowerCase(), 'opus')
        await call.outgoing.hold({ music: { tone: 1800 } })
        await eventually(() => call.incoming.remoteHeld)
        await hears(call.calleeEar, 1800)
        await call.outgoing.resume()
        await sound(call)
        const ends = [next(alice, 'sessionEnded'), next(bob, 'sessionEnded')]
        await call[ender].end()
        for (const [session, reason] of await Promise.all(ends)) {
          assert.equal(`${reason}`, 'success')
          assert.equal(reason.side, session === call[ender] ? 'local' : 'remote')
        }
      }
    })

    test('takes calls from and to a phone over WebSocket', async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob', kamailio.ws))])
      for (const [caller, callee, user] of [[alice, bob, 'bob'], [bob, alice, 'alice']]) {
        const call = await connect(caller, callee, user)
        await sound(call)
        const ended = next(callee, 'sessionEnded')
        await call.outgoing.end()
        await ended
      }
    })

    test('tells of a call that is refused, and of one that is given up', async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob'))])
      const busy = await alice.call('486')
      await assert.rejects(busy.answered, { code: 'ERR_CALL_BUSY' })
      const [[pending], session] = await Promise.all([next(bob, 'pendingSession'), alice.call('bob')])
      const cancelled = next(bob, 'cancelPendingSession')
      await session.end()
      assert.equal((await cancelled)[0], pending.id)
    })

    test('is found again after it was killed, and the call goes on meanwhile', async (t) => {
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([open(account('alice')), open(account('bob'))])
      const call = await connect(alice, bob, 'bob')
      await sound(call)
      const lost = [alice, bob].map((phone) => next(phone, 'disconnected', 30_000))
      const back = [alice, bob].map((phone) => next(phone, 'registered', 60_000))
      await kamailio.restart(Promise.all(lost))
      await Promise.all(back)
      await sound(call)
      const ended = next(bob, 'sessionEnded', 20_000)
      await call.outgoing.end()
      await ended
      const again = await connect(alice, bob, 'bob')
      await sound(again)
    })
  })
}

describe('A TLS server', { skip }, () => {
  let kamailio
  before(async () => (kamailio = await startKamailio()))
  after(() => kamailio?.stop())

  test('whose authority is unknown is not talked to', async (t) => {
    const phone = phonesOf(t).make({ uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio.tls })
    const failed = next(phone, 'error')
    await assert.rejects(phone.initialize(), { message: 'Failed to initialize SDK' })
    assert.match(`${(await failed)[0].cause}`, /not trusted.*tls\.ca/)
  })
})
