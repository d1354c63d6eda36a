// A phone that a page drives over a port: with real calls, over each kind of port. What a page may do wrong is in bridge-bad-input.test.mjs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { byHand, channels, desk } from './bridges.mjs'
import { connect as call, eventually, next, uncaughtBy } from './phones.mjs'
import { pbxOf } from './pbx.mjs'

for (const [name, channel] of Object.entries(channels)) {
  describe(`a page over ${name}`, () => {
    test('places a call, holds it, sends digits and ends it', async (t) => {
      const { phone, bob } = await desk(t, { channel })
      bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: { tone: 600 } }))
      const session = await phone.call('bob', { mediaStream: 'none', audioElement: 'none' })
      await session.answered
      assert.equal(session.state, 'active')
      assert.equal(phone.state.sessions[0].address, 'bob')
      const [theirs] = bob.sessions
      const digit = next(theirs, 'dtmf')
      await session.sendDtmf('5')
      assert.equal((await digit)[0].tone, '5')
      await session.hold()
      assert.equal(phone.state.sessions[0].held, true)
      await session.resume()
      assert.equal(session.held, false)
      const stats = await session.getStats()
      assert.ok([...stats.values()].some(({ type }) => type === 'outbound-rtp'))
      const ended = phone.once('sessionEnded')
      await session.end()
      const [whose, reason] = await ended
      assert.equal(whose, session)
      assert.equal(`${reason}`, 'success')
      assert.deepEqual(phone.state.sessions, [])
      assert.equal(session.state, 'ended')
    })

    test('answers a call, and learns that the other side has hung up', async (t) => {
      const { phone, bob } = await desk(t, { channel })
      const pending = phone.once('pendingSession')
      const outgoing = await bob.call('alice')
      const [{ id, address }] = await pending
      assert.equal(address, 'bob')
      assert.equal(phone.state.pendingSessions[0].id, id)
      const session = await phone.answer(id, { mediaStream: 'none', audioElement: 'none' })
      await session.answered
      assert.deepEqual(phone.state.pendingSessions, [])
      assert.equal(phone.session(id), session)
      const terminated = session.once('terminated')
      await outgoing.end()
      assert.equal((await terminated)[1].side, 'remote')
    })

    test('learns that the phone is gone', async (t) => {
      const { phone, served } = await desk(t, { channel })
      served.close()
      assert.deepEqual(await phone.closed, { reason: 'ended' })
      assert.equal(phone.state.bridge, 'closed')
      await assert.rejects(phone.call('bob'), { code: 'ERR_BRIDGE' })
    })

    test('learns that the phone was destroyed', async (t) => {
      const { alice, bob, page, phone, served } = await desk(t, { channel })
      bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none' }))
      const session = await phone.call('bob', { mediaStream: 'none', audioElement: 'none' })
      await session.answered
      const ended = phone.once('sessionEnded')
      await alice.destroy()
      assert.equal((await ended)[0], session)
      assert.deepEqual(await phone.closed, { reason: 'ended' })
      assert.deepEqual(await served.closed, { reason: 'closed' })
      await assert.rejects(phone.listDevices(), { code: 'ERR_BRIDGE' })
      // Too late, and told so.
      await assert.rejects(page(), { code: 'ERR_BRIDGE' })
    })
  })
}

test('a page chooses how a call is protected, plain RTP among it', async (t) => {
  const { alice, open, answer, ask } = await byHand(t)
  const bob = await open('bob', { media: ['rtp'] })
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none' }))
  await answer('welcome')
  const devices = { mediaStream: 'none', audioElement: 'none' }
  await ask(1, { of: 'phone' }, 'call', ['bob', { ...devices, media: ['rtp'] }])
  await eventually(() => alice.sessions[0]?.security?.keying === 'rtp')
})

describe('a phone in a worker', () => {
  /** Its phone says hello to the thread that began it, by the worker's own port. */
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Softphone } = require('offhook')
    const { serve } = require('offhook/bridge')
    const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
    phone.initialize().then(() => serve(phone, parentPort))`

  async function working(t) {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob'] })
    const bob = await open('bob')
    const worker = new Worker(script, { eval: true, workerData: pbx.account('alice') })
    t.after(() => worker.terminate())
    const phone = connect(worker)
    await phone.ready
    return { bob, worker, phone }
  }

  test('is driven through its Worker, and its parentPort', async (t) => {
    const { bob, phone } = await working(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none' }))
    const session = await phone.call('bob', { mediaStream: 'none', audioElement: 'none' })
    await session.answered
    await session.hold()
    assert.deepEqual([bob.sessions[0].remoteHeld, phone.state.sessions[0].held], [true, true])
    await session.end()
    assert.deepEqual(phone.state.sessions, [])
    phone.close()
    assert.deepEqual(await phone.closed, { reason: 'closed' })
  })

  test('that ends is known to be gone', async (t) => {
    const { bob, worker, phone } = await working(t)
    const ringing = next(bob, 'pendingSession')
    const session = await phone.call('bob', { mediaStream: 'none' })
    await ringing
    const waiting = assert.rejects(phone.sendOptions('bob'), { code: 'ERR_BRIDGE' })
    await worker.terminate()
    assert.deepEqual(await phone.closed, { reason: 'lost' })
    await waiting
    await assert.rejects(session.answered, { code: 'ERR_BRIDGE' })
    assert.equal(phone.state.bridge, 'closed')
  })
})

describe('the state in a page', () => {
  test('is never changed: what did not change is the same object', async (t) => {
    const { phone, alice, bob, others } = await desk(t, { users: ['alice', 'bob', 'carol'] })
    await call(alice, bob, 'bob')
    // How it is protected is told after it is connected.
    await eventually(() => phone.state.sessions[0]?.security !== undefined)
    const before = phone.state
    let changes = 0
    const end = phone.subscribe(() => (changes += 1))
    const second = await alice.call('carol', { mediaStream: 'none' })
    await eventually(() => phone.state.sessions.length === 2)
    assert.equal(before.sessions.length, 1)
    assert.equal(phone.state.sessions[0], before.sessions[0])
    assert.ok(Object.isFrozen(phone.state) && Object.isFrozen(phone.state.sessions) && Object.isFrozen(phone.state.sessions[0]))
    assert.ok(changes > 1)
    end()
    const after = changes
    await second.end()
    await eventually(() => phone.state.sessions.length === 1)
    assert.equal(changes, after)
    assert.equal(others.length, 2)
  })

  test('is there at once for a page that is loaded in mid call, and for another window', async (t) => {
    const { alice, bob, phone, close, page } = await desk(t)
    await call(alice, bob, 'bob')
    await alice.sessions[0].mute()
    close()
    assert.deepEqual(await phone.closed, { reason: 'lost' })
    assert.equal(alice.sessions[0].state, 'active')
    const [one, two] = [await page(), await page()]
    for (const { state } of [one.phone, two.phone]) assert.deepEqual(state.sessions.map(({ state, muted }) => ({ state, muted })), [{ state: 'active', muted: true }])
    const unmuted = two.phone.sessions[0].once('unmute')
    await one.phone.sessions[0].unmute()
    await unmuted
    assert.equal(two.phone.state.sessions[0].muted, false)
  })

  test('is told at once and after each change, as stores of Svelte are', async (t) => {
    const { phone, alice, bob } = await desk(t)
    const seen = []
    const end = phone.subscribe((state) => seen.push(state))
    assert.deepEqual(seen, [phone.state])
    await call(alice, bob, 'bob')
    await eventually(() => seen.length > 1 && seen.at(-1).sessions[0]?.state === 'active')
    assert.equal(seen.at(-1), phone.state)
    end()
  })

  test('is told to all, also if one of them throws', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const phone = connect(port2)
    let others = 0
    let heard
    const errors = await uncaughtBy(async () => {
      const end = phone.subscribe(({ bridge }) => {
        if (bridge === 'open') throw new Error('it throws')
      })
      phone.subscribe(() => (others += 1))
      phone.on('messageWaiting', (event) => (heard = event))
      const say = (message) => port1.postMessage({ offhook: 'bridge', ...message })
      say({ kind: 'welcome', at: 1, changes: {}, ended: [] })
      say({ kind: 'news', at: 2, changes: { connected: true }, event: { of: { of: 'phone' }, name: 'messageWaiting', args: [{ waiting: true }] } })
      await phone.ready
      await eventually(() => heard)
      end()
    })
    assert.deepEqual([heard, others, phone.state.connected], [{ waiting: true }, 3, true])
    assert.deepEqual(errors.map(({ message }) => message), ['it throws', 'it throws'])
  })

  test('has conferences, also those that another window or the application begins', async (t) => {
    const { phone, alice, bob, others } = await desk(t, { users: ['alice', 'bob', 'carol'] })
    for (const other of others) other.on('pendingSession', ({ id }) => other.acceptPendingSession(id, { mediaStream: 'none' }))
    const calls = await Promise.all(['bob', 'carol'].map((name) => phone.call(name, { mediaStream: 'none' })))
    await Promise.all(calls.map(({ answered }) => answered))
    const conference = await phone.conference(calls, { input: 'none', output: 'none' })
    await eventually(() => conference.members.length === 2)
    assert.equal(phone.state.sessions[0].conference, conference.id)
    const muted = conference.once('mute')
    await conference.mute(calls[1])
    assert.equal((await muted)[0], calls[1])
    await conference.dissolve()
    await eventually(() => phone.state.conferences.length === 0)
    const begun = phone.once('conferenceStarted')
    await alice.conference(alice.sessions, { input: 'none', output: 'none' })
    assert.equal((await begun)[0].id, phone.state.conferences[0].id)
    assert.equal(bob.sessions.length, 1)
  })
})

describe('a page that is loaded anew', () => {
  for (const name of ['a MessagePort', 'a WebSocket']) {
    const again = async (page) => (await page(channels[name])).phone

    test(`knows over ${name} who is silenced, until that is over`, async (t) => {
      const { alice, others, phone, page } = await desk(t, { channel: channels[name], users: ['alice', 'bob', 'carol'] })
      for (const other of others) other.on('pendingSession', ({ id }) => other.acceptPendingSession(id, { mediaStream: 'none' }))
      const calls = await Promise.all(['bob', 'carol'].map((user) => phone.call(user, { mediaStream: 'none' })))
      await Promise.all(calls.map(({ answered }) => answered))
      const conference = await phone.conference(calls, { input: 'none', output: 'none' })
      await eventually(() => conference.members.length === 2)
      for (const call of calls) await conference.mute(call)
      const fresh = await again(page)
      const silenced = () => fresh.state.conferences[0].silenced
      assert.deepEqual(silenced(), calls.map(({ id }) => id))
      assert.deepEqual(fresh.conferences[0].silenced, silenced())
      await conference.unmute(calls[0])
      await eventually(() => silenced().length === 1)
      await conference.remove(calls[1])
      await eventually(() => silenced().length === 0)
      assert.deepEqual(alice.conferences[0].silenced, [])
    })

    test(`knows over ${name} who asks for a transfer, until somebody decides`, async (t) => {
      const { alice, bob, phone, page } = await desk(t, { channel: channels[name], users: ['alice', 'bob', 'carol'] })
      await call(alice, bob, 'bob')
      const asked = next(alice.sessions[0], 'transferRequested')
      const refused = assert.rejects(bob.sessions[0].transfer('carol'), { code: 'ERR_TRANSFER_FAILED' })
      const [{ target }] = await asked
      const fresh = await again(page)
      const request = (one) => one.state.sessions[0].transferRequest
      assert.deepEqual(request(fresh), { target, referredBy: request(fresh).referredBy, attended: false })
      assert.match(target, /^sip:carol@/)
      assert.equal(fresh.sessions[0].transferRequest, request(fresh))
      const over = fresh.sessions[0].once('transferRequestEnded')
      await phone.sessions[0].rejectTransfer()
      await Promise.all([over, refused])
      assert.deepEqual([request(fresh), request(phone), alice.sessions[0].transferRequest], [null, null, undefined])
    })

    test(`knows over ${name} what waits in the mailbox`, async (t) => {
      const { open } = await pbxOf(t, { users: ['alice', 'bob'] })
      const [alice, mailbox] = await Promise.all([open('alice'), open('bob', { notifies: ['message-summary'] })])
      mailbox.on('subscriptionRequest', ({ id }) => mailbox.acceptSubscription(id, { contentType: 'application/simple-message-summary', body: 'Messages-Waiting: yes\r\nVoice-Message: 3/1\r\n' }))
      const page = async (channel) => {
        const { phoneSide, pageSide, close } = await channel()
        t.after(close)
        serve(alice, phoneSide)
        const phone = connect(pageSide)
        await phone.ready
        return { phone }
      }
      const { phone } = await page(channels[name])
      assert.equal(phone.state.messageWaiting, undefined)
      const told = next(alice, 'messageWaiting')
      await alice.subscribe('bob', 'message-summary')
      const [summary] = await told
      assert.equal(summary.voice.new, 3)
      assert.deepEqual(alice.messageWaiting, summary)
      assert.deepEqual((await again(page)).state.messageWaiting, summary)
      await eventually(() => phone.state.messageWaiting?.voice.new === 3)
    })
  }
})

describe('what costs something', () => {
  test('is measured only while a page listens', async (t) => {
    const { phone, alice, bob, close } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => phone.sessions.length === 1)
    const [session] = alice.sessions
    const traced = alice.listenerCount('trace')
    assert.equal(session.listenerCount('level') + session.listenerCount('stats'), 0)
    const level = (await phone.sessions[0].once('level'))[0]
    assert.ok(level.local >= 0)
    await eventually(() => session.listenerCount('level') === 0)
    phone.sessions[0].on('stats', () => {})
    phone.on('trace', () => {})
    await eventually(() => session.listenerCount('stats') === 1 && alice.listenerCount('trace') === traced + 1)
    close()
    await phone.closed
    await eventually(() => session.listenerCount('stats') === 0)
    assert.equal(alice.listenerCount('trace'), traced)
    assert.equal(session.listenerCount('terminated') + alice.listenerCount('sessionEnded'), 0)
  })

  test('a page that takes nothing is told nothing more, and has the whole state when it is back', async (t) => {
    const { alice, ask, served, say, heard, answer } = await byHand(t)
    await answer('welcome')
    for (let index = 0; index < 3000; index += 1) alice.emit('messageWaiting', { waiting: true })
    await answer('behind')
    const news = heard.filter(({ kind }) => kind === 'news')
    assert.ok(news.length <= 1024, `${news.length} messages`)
    alice.emit('messageWaiting', { waiting: true })
    say({ kind: 'hello', version: 1, page: 1 })
    await eventually(() => heard.at(-1).kind === 'welcome')
    say({ kind: 'taken', at: heard.at(-1).at })
    await ask(1, { of: 'phone' }, 'listDevices')
    alice.emit('messageWaiting', { waiting: false })
    await eventually(() => heard.at(-1).event?.name === 'messageWaiting')
    served.close()
  })
})

describe('a page that hung', () => {
  test('learns how the calls ended that ended meanwhile, and is told again what it listens to', async (t) => {
    const { alice, bob, phone, outgoing, hang, goOn } = await hanging(t)
    const [session] = phone.sessions
    phone.on('callRequested', () => {})
    await eventually(() => alice.listenerCount('callRequested') === 1)
    const ended = phone.once('sessionEnded')
    hang()
    for (let index = 0; index < 3000; index += 1) alice.emit('messageWaiting', { waiting: true })
    await outgoing.end({ reason: 'busy' })
    const second = await bob.call('alice', { mediaStream: 'none' })
    goOn()
    const [whose, reason] = await ended
    assert.equal(whose, session)
    assert.deepEqual([reason.side, reason.condition], ['remote', 'busy'])
    assert.equal(session.state, 'ended')
    await eventually(() => phone.state.pendingSessions.length === 1 && alice.listenerCount('callRequested') === 1)
    assert.deepEqual(phone.state.sessions, [])
    await second.end()
  })

  test('learns of a conference that ended meanwhile', async (t) => {
    const { alice, phone, hang, goOn } = await hanging(t)
    const room = await phone.conference(phone.sessions, { input: 'none', output: 'none' })
    let ended = 0
    room.on('ended', () => (ended += 1))
    await eventually(() => room.members.length === 1)
    hang()
    for (let index = 0; index < 3000; index += 1) alice.emit('messageWaiting', { waiting: true })
    await alice.conferences[0].dissolve()
    goOn()
    await eventually(() => ended === 1)
    assert.deepEqual([phone.state.conferences, phone.conferenceOf(room.id)], [[], undefined])
  })

  test('is told fewer levels and figures, and all that happens', async (t) => {
    const { alice, phone, hang, goOn } = await hanging(t)
    const levels = []
    const messages = []
    phone.sessions[0].on('level', (event) => levels.push(event))
    phone.on('messageWaiting', (event) => messages.push(event))
    await eventually(() => levels.length > 0)
    hang()
    for (let index = 0; index < 500; index += 1) {
      alice.sessions[0].emit('level', { local: 0, remote: 0 })
      alice.emit('messageWaiting', { waiting: true })
    }
    goOn()
    await eventually(() => messages.length === 500)
    assert.ok(levels.length < 200, `${levels.length} levels`)
  })

  test('has the answers to what it asked, and can still abort', async (t) => {
    const { alice, bob, phone, hang, goOn } = await hanging(t)
    const ringing = next(bob, 'pendingSession')
    const controller = new AbortController()
    const calling = await phone.call('bob', { mediaStream: 'none', signal: controller.signal })
    await ringing
    hang()
    for (let index = 0; index < 3000; index += 1) alice.emit('messageWaiting', { waiting: true })
    const second = phone.call('bob', { mediaStream: 'none' })
    await next(bob, 'pendingSession')
    goOn()
    const session = await second
    assert.equal(session.address, 'bob')
    controller.abort()
    await assert.rejects(calling.answered, { code: 'ERR_CALL_CANCEL' })
    await session.end()
  })

  test('another page at the same port has no answers to the one before, and all that is odd', async (t) => {
    const { alice, answer, ask, say, heard, open } = await byHand(t)
    const bob = await open('bob')
    await call(alice, bob, 'bob')
    const warning = { code: 'loss', message: 'm', cause: 'c', advice: 'a' }
    alice.sessions[0].warn(warning)
    await answer('welcome')
    say({ kind: 'call', number: 1, to: { of: 'phone' }, method: 'sendOptions', args: ['bob'] })
    say({ kind: 'hello', version: 1, page: 2 })
    await eventually(() => heard.filter(({ kind }) => kind === 'welcome').length === 2)
    assert.deepEqual(heard.findLast(({ kind }) => kind === 'welcome').changes.sessions[0].warnings, [warning])
    // Asked later, of the same, and answered later.
    await ask(2, { of: 'phone' }, 'sendOptions', ['bob'])
    assert.deepEqual(heard.filter(({ kind }) => kind === 'reply').map(({ number }) => number), [2])
  })

  /** A page in a call with Bob, over a port that may stand still on the page's side. */
  async function hanging(t) {
    const { open } = await pbxOf(t, { users: ['alice', 'bob'] })
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => open(name)))
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    let waiting
    const port = { onmessage: null, postMessage: (message) => port2.postMessage(message) }
    port2.on('message', (data) => (waiting ? waiting.push(data) : port.onmessage({ data })))
    serve(alice, port1)
    const phone = connect(port)
    await phone.ready
    const { outgoing } = await call(bob, alice, 'alice')
    await eventually(() => phone.sessions[0]?.state === 'active')
    const goOn = () => {
      const kept = waiting
      waiting = undefined
      for (const data of kept) port.onmessage({ data })
    }
    return { alice, bob, phone, outgoing, hang: () => (waiting = []), goOn }
  }
})

describe('errors', () => {
  test('keep their code, status and cause', async (t) => {
    const { phone } = await desk(t)
    const session = await phone.call('nobody', { mediaStream: 'none', audioElement: 'none' })
    const error = await session.answered.catch((error) => error)
    assert.equal(error.code, 'ERR_CALL_GONE')
    assert.equal(error.sip.code, 404)
    await assert.rejects(phone.answer('00000000-0000-0000-0000-000000000001'), { code: 'ERR_SESSION_NOT_FOUND' })
    await assert.rejects(phone.call('bob', { timeout: 'soon' }), { code: 'ERR_INVALID_OPTION', message: /timeout/ })
    await assert.rejects(session.hold(), { code: 'ERR_SESSION_ENDED' })
  })

  test('a signal cancels what it was given to, also after the reply', async (t) => {
    const { phone, bob } = await desk(t)
    const controller = new AbortController()
    const ringing = next(bob, 'pendingSession')
    const session = await phone.call('bob', { signal: controller.signal, mediaStream: 'none' })
    await ringing
    controller.abort()
    await assert.rejects(session.answered, { code: 'ERR_CALL_CANCEL' })
    await assert.rejects(phone.call('bob', { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
  })

  test('a port that closes in mid command rejects it, and the call goes on', async (t) => {
    const { phone, bob, alice, close } = await desk(t)
    const ringing = next(bob, 'pendingSession')
    const session = await phone.call('bob', { mediaStream: 'none' })
    await ringing
    const waiting = phone.sendOptions('bob')
    close()
    await assert.rejects(waiting, { code: 'ERR_BRIDGE' })
    await assert.rejects(session.answered, { code: 'ERR_BRIDGE' })
    assert.equal(alice.sessions.length, 1)
  })

  test('what is left out, and what can not cross, is so over every kind of port', async (t) => {
    for (const channel of Object.values(channels)) {
      const { phone } = await desk(t, { channel })
      const session = await phone.call('nobody', undefined)
      await session.end(undefined)
      await phone.sendMessage('bob', 'hello', undefined)
    }
    const { phone } = await desk(t, { channel: channels['a WebSocket'] })
    await assert.rejects(phone.setVolume(10n), { code: 'ERR_INVALID_ARGUMENT', message: /can't cross the port/ })
    assert.equal(phone.state.bridge, 'open')
  })

  test('a phone of another version says so to whatever is asked', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const phone = connect(port2)
    const asked = phone.listDevices()
    const error = { message: 'The page has version 1 of the bridge, and the phone 2', code: 'ERR_BRIDGE', type: 'generic' }
    port1.postMessage({ offhook: 'bridge', kind: 'refused', at: 1, error })
    for (const told of [phone.ready, asked]) await assert.rejects(told, { name: 'SoftphoneError', ...error })
    assert.deepEqual(await phone.closed, { reason: 'refused' })
    await assert.rejects(phone.call('bob'), { ...error })
    assert.equal(phone.state.bridge, 'closed')
  })

  test('of two pages that answer and refuse one call, the caller hears one outcome', async (t) => {
    const { phone, page, bob, alice } = await desk(t)
    const other = await page()
    const pending = phone.once('pendingSession')
    const outgoing = await bob.call('alice')
    const [{ id }] = await pending
    const both = await Promise.allSettled([phone.answer(id, { mediaStream: 'none', audioElement: 'none' }), other.phone.rejectPendingSession(id)])
    const [answer] = both
    const heard = await outgoing.answered.then(() => 'answered', ({ code }) => code)
    if (heard === 'answered') assert.equal(answer.value.state, 'active')
    else assert.deepEqual([heard, answer.reason?.code], ['ERR_CALL_BUSY', 'ERR_SESSION_CANCELLED'])
    await eventually(() => phone.state.pendingSessions.length === 0 && other.phone.state.pendingSessions.length === 0)
    assert.equal(alice.sessions.length, heard === 'answered' ? 1 : 0)
  })

  test('two pages that answer one call have the same session', async (t) => {
    const { phone, page, bob, alice } = await desk(t)
    const other = await page()
    const pending = phone.once('pendingSession')
    await bob.call('alice')
    const [{ id }] = await pending
    const options = { mediaStream: 'none', audioElement: 'none' }
    const sessions = await Promise.all([phone.answer(id, options), other.phone.answer(id, options)])
    await Promise.all(sessions.map(({ answered }) => answered))
    assert.equal(sessions[0].id, sessions[1].id)
    assert.equal(alice.sessions.length, 1)
  })
})

test('what is no phone or no port is refused at once', async (t) => {
  const { alice } = await desk(t)
  const { port1 } = new MessageChannel()
  t.after(() => port1.close())
  assert.throws(() => serve({}, port1), { name: 'TypeError', message: /Softphone/ })
  for (const port of [undefined, null, {}, 7]) {
    assert.throws(() => serve(alice, port), { name: 'TypeError', message: /port/ })
    assert.throws(() => connect(port), { name: 'TypeError', message: /port/ })
  }
})

test('a page loads nothing of Node', () => {
  const seen = new Set(['../dist/bridge/client.mjs'])
  for (const file of seen) {
    const url = new URL(file, import.meta.url)
    for (const [, from] of readFileSync(url, 'utf8').matchAll(/(?:from|import) ?\(?'([^']+)'/g)) {
      assert.match(from, /^\.{1,2}\/[\w./-]+\.mjs$/)
      seen.add(new URL(from, url).href)
    }
  }
  assert.ok(seen.size >= 8)
})
