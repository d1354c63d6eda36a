import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { habits, wire } from '../ice-peers.mjs'
import { jssip } from '../interop/jssip.mjs'
import { peers } from '../interop/peers.mjs'
import { bothBeep, next, pbxOf, talking } from '../pbx.mjs'
import { connect, phonesOf } from '../phones.mjs'
import { RawServer, offer, reply } from '../raw-server.mjs'
import { beeps, drain } from '../sound.mjs'

/** Longer than any timer that a lost connection starts. */
const MINUTE = 60_000

const passes = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Resolves when a call that is interrupted is so no more. */
function back(session) {
  return new Promise((resolve) => session.on('change:interrupted', (_, interrupted) => interrupted || resolve()))
}

// Each call is held for a minute after its connection is back: all at once, for it is the same minute.
describe('7. a lost WebSocket', { concurrency: true }, () => {
  test('ends no call with sessionSurvivability: it is interrupted, and comes back with the phone', async (t) => {
    const { pbx, alice, bob, outgoing, beep } = await talking(t)
    const interruptions = []
    outgoing.on('change:interrupted', (session, interrupted) => {
      assert.equal(session.interrupted, interrupted)
      interruptions.push(interrupted)
    })
    const events = [
      next(alice, 'disconnected'),
      next(alice, 'connected', 10_000),
      next(alice, 'registered', 10_000),
      next(outgoing, 'change:interrupted'),
    ]
    await pbx.disconnect('alice')
    const [[lost], [again]] = await Promise.all(events)
    assert.equal(lost.reconnecting, true)
    assert.equal(again.reconnect, true)
    while (outgoing.interrupted) await next(outgoing, 'change:interrupted', 10_000)
    await beep()
    await passes(MINUTE)
    assert.deepEqual(interruptions, [true, false])
    assert.equal(outgoing.state, 'active')
    await beep()
    const ended = next(bob, 'sessionEnded')
    await outgoing.end()
    await ended
  })

  test('restarts no ICE while sound goes on', async (t) => {
    const { pbx, alice, outgoing, beep } = await talking(t, { logLevel: 'trace' })
    const offers = () => alice.log.filter((line) => /SIP message sent.*"INVITE /.test(line))
    const credentials = (line) => /ice-ufrag:[^\\]+/.exec(line)[0]
    const again = back(outgoing)
    await pbx.disconnect('alice')
    await again
    // The log hides ice-pwd, and the user fragment is drawn with it.
    const ufrags = new Set(offers().map(credentials))
    assert.ok(offers().length > 1)
    assert.equal(ufrags.size, 1)
    await passes(MINUTE)
    await beep()
  })

  test('leaves a call on hold', async (t) => {
    const { pbx, alice, outgoing, calleeEar, beep } = await talking(t)
    await outgoing.hold({ music: { tone: 1800 } })
    const again = back(outgoing)
    const connected = next(alice, 'connected', 10_000)
    await pbx.disconnect('alice')
    await Promise.all([connected, again])
    await passes(MINUTE)
    assert.equal(outgoing.held, true)
    drain(calleeEar)
    await beeps(calleeEar, 1800, 30_000)
    await outgoing.resume()
    await beep()
  })

  test('ends every call with connectivity-error without it', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { sessionSurvivability: false }), open('bob')])
    await connect(alice, bob, 'bob')
    await connect(bob, alice, 'alice')
    const ended = []
    const all = new Promise((resolve) => {
      alice.on('sessionEnded', (_, reason) => ended.push(`${reason} by ${reason.side}`) === 2 && resolve())
    })
    await pbx.disconnect('alice')
    await all
    assert.deepEqual(ended, ['connectivity-error by network', 'connectivity-error by network'])
  })

  test('lets a call of ours ring on, and be answered', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const rings = next(bob, 'pendingSession')
    const call = await alice.call('bob', { mediaStream: 'none', audioElement: 'none' })
    await rings
    const registered = next(alice, 'registered', 10_000)
    const ringsOn = next(bob, 'pendingSession', 10_000)
    await pbx.disconnect('alice')
    const [[{ id }]] = await Promise.all([ringsOn, registered])
    bob.acceptPendingSession(id, { mediaStream: 'none', audioElement: 'none' })
    await call.answered
    await passes(MINUTE)
    assert.equal(call.state, 'active')
    assert.equal(bob.pendingSessions.length, 0)
  })

  for (const habit of habits) {
    test(`and lost sound restart ICE at once, with a peer that ${habit}`, async (t) => {
      const between = await wire(t, habit)
      const { open } = phonesOf(t)
      const [alice, bob] = await Promise.all([
        open({ uri: 'sip:alice@raw.invalid', servers: between.alice }),
        open({ uri: 'sip:bob@raw.invalid', servers: between.bob }),
      ])
      const call = await connect(alice, bob, 'bob')
      const { outgoing } = call
      const beep = () => bothBeep(call)
      await beep()
      const interrupted = next(outgoing, 'change:interrupted', 20_000)
      between.cut(true)
      await interrupted
      const again = back(outgoing)
      between.drop()
      while (!between.offers.some(({ restarts }) => restarts)) await passes(50)
      between.cut(false)
      await Promise.all([again, beep()])
      await passes(MINUTE)
      await beep()
      assert.equal(outgoing.state, 'active')
      const foundations = new Set(between.offers.filter(({ restarts }) => restarts).map(({ foundation }) => foundation))
      assert.ok(!foundations.has(between.offers[0].foundation))
      const ended = next(bob, 'sessionEnded')
      await outgoing.end()
      await ended
    })
  }

  describe('of a server that a test plays', () => {
    /** A call that rings there, whose connection has been lost and made again. */
    async function ringing(t) {
      const server = await RawServer.start()
      t.after(() => server.close())
      const phone = await phonesOf(t).open({ uri: 'sip:alice@raw.invalid', servers: server.url })
      const requests = []
      const arrived = async (method) => {
        const found = () => requests.findIndex((text) => text.startsWith(`${method} `))
        while (found() < 0) await once(server, 'message')
        return requests.splice(found(), 1)[0]
      }
      server.on('message', (text) => requests.push(text))
      const call = await phone.call('bob', { mediaStream: 'none', audioElement: 'none' })
      const invite = await arrived('INVITE')
      const progress = next(call, 'progress')
      server.send(reply(invite, 180, 'Ringing', ['Contact: <sip:bob@raw.invalid;transport=ws>']))
      await progress
      const registered = next(phone, 'registered', 10_000)
      server.drop()
      await registered
      assert.equal(call.state, 'pending')
      return { server, phone, call, invite, arrived }
    }

    const same = (request, invite, names) => {
      const header = (text, name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1].replace(/ (INVITE|CANCEL)$/, '')
      for (const name of names) assert.equal(header(request, name), header(invite, name), name)
    }

    test('is cancelled where it says nothing of the call, with the headers of its INVITE', async (t) => {
      const { server, call, invite, arrived } = await ringing(t)
      const ended = next(call, 'terminated', 10_000)
      const cancel = await arrived('CANCEL')
      same(cancel, invite, ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
      server.send(reply(cancel, 200, 'OK'))
      server.send(reply(invite, 487, 'Request Terminated'))
      await arrived('ACK')
      const [, reason] = await ended
      assert.deepEqual([`${reason}`, reason.side], ['connectivity-error', 'network'])
    })

    test('hangs up who answered in the meantime', async (t) => {
      const { server, arrived, invite } = await ringing(t)
      server.send(reply(await arrived('CANCEL'), 481, 'Call/Transaction Does Not Exist'))
      const bye = await arrived('BYE')
      same(bye, invite, ['From', 'Call-ID'])
      assert.match(bye, /^To: .*;tag=raw/m)
      server.send(reply(bye, 200, 'OK'))
    })

    test('takes its answer, where it comes over the new connection', async (t) => {
      const { server, call, invite, arrived } = await ringing(t)
      same(await arrived('INVITE'), invite, ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
      const headers = ['Contact: <sip:bob@raw.invalid;transport=ws>', 'Content-Type: application/sdp']
      server.send(reply(invite, 200, 'OK', headers, offer.replace('actpass', 'passive')))
      await Promise.all([call.answered, arrived('ACK')])
      await call.end()
    })

    test('is given the CANCEL of a call that was given up meanwhile', async (t) => {
      const server = await RawServer.start()
      t.after(() => server.close())
      const phone = await phonesOf(t).open({ uri: 'sip:alice@raw.invalid', servers: server.url })
      const call = await phone.call('bob', { mediaStream: 'none', audioElement: 'none' })
      const progress = next(call, 'progress')
      server.once('message', (text) => server.send(reply(text, 180, 'Ringing')))
      await progress
      const lost = next(phone, 'disconnected')
      const cancelled = new Promise((resolve) => {
        server.on('message', (text) => text.startsWith('CANCEL ') && resolve(text))
      })
      server.drop()
      await lost
      await call.end()
      server.send(reply(await cancelled, 200, 'OK'))
    })
  })

  describe('with JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
    const { talking: talkingTo } = jssip()

    test('leaves the sound both ways', async (t) => {
      const { browser, phone, session, hear } = await talkingTo(t)
      const offered = browser.event('reinvite')
      const connected = next(phone, 'connected')
      phone.reconnect()
      await connected
      await offered
      await hear()
      await passes(MINUTE)
      await hear()
      await session.end()
      assert.equal((await browser.event('ended')).originator, 'remote')
    })
  })
})
