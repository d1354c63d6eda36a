import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink } from 'offhook'
import { Cti, xc_webrtc, XcWebrtc } from 'offhook/compat/xivo'
import { eventually } from '../phones.mjs'
import { hears, next, voice } from '../pbx.mjs'
import { RawServer, reply } from '../raw-server.mjs'
import { drain, strengths } from '../sound.mjs'
import { ice, xivo } from './xivo-harness.mjs'

describe('the XiVO façade', { timeout: 60_000 }, () => {
  test('starts with the line and the ICE servers that the CTI server tells', async (t) => {
    const { xc, server, start, types, warnings } = await xivo(t, { getIceConfig: () => ['IceConfig', ice] })
    assert.equal(xc.getSipStackStatus(), 'NotInitialized')
    await start()
    assert.equal(xc.getSipStackStatus(), 'Started')
    assert.deepEqual(server.commands, [{ command: 'getConfig', objectType: 'line' }, { command: 'getIceConfig' }])
    assert.deepEqual(types('general'), ['Started'])
    // The document's example.
    assert.deepEqual(xc.getIceUrls(), [
      { urls: ['stun:127.0.0.1:3478'] },
      { urls: ['turn:127.0.0.1:3478', 'turns:127.0.0.1:3478'], username: '1617284035', credential: '1o...BeLqsBh9g=' },
    ])
    await xc.init('Alice', false, 1)
    assert.deepEqual(warnings, ['[offhook] init: the stack is Started already'])
    await xc.stop()
    assert.equal(xc.getSipStackStatus(), 'Stopped')
  })

  test('renews TURN credentials at half of their time to live', async (t) => {
    let asked = 0
    const { xc, start } = await xivo(t, {
      getIceConfig: () => ['IceConfig', { turnConfig: { ...ice.turnConfig, ttl: 2, username: `user-${++asked}` } }],
    })
    await start()
    await eventually(() => xc.getIceUrls()[0].username !== 'user-1')
    assert.equal(xc.getIceUrls()[0].username, 'user-2')
  })

  test("sets the document's list of ICE servers, with url, and disables them", async (t) => {
    const { xc, server, start } = await xivo(t, { getIceConfig: () => ['IceConfig', ice] })
    xc.setIceUrls([{ url: 'stun:stun.l.google.com:19302'}, { url:'turn:turn.server.org', username: 'user', credential:'myPassword'}])
    await start()
    assert.deepEqual(server.commands.map(({ command }) => command), ['getConfig'])
    assert.deepEqual(xc.getIceUrls(), [
      { urls: ['stun:stun.l.google.com:19302'] },
      { urls: ['turn:turn.server.org'], username: 'user', credential: 'myPassword' },
    ])
    xc.disableICE()
    assert.deepEqual(xc.getIceUrls(), [])
    assert.throws(() => xc.setIceUrls([{ username: 'x' }]), /needs url or urls/)
  })

  test('starts by a line that is known, and says what a line lacks', async (t) => {
    const { xc, line, port, causing, server } = await xivo(t)
    const failed = await causing('general', 'Failed', () => xc.initByLineConfig({ name: 'alice' }, 'Alice', false, port))
    assert.deepEqual(failed.data, { reason: 'Unable to configure WebRTC - LineConfig does not contains password' })
    await causing('registration', 'Registered', () => xc.initByLineConfig({ ...line, xivoIp: '127.0.0.1' }, 'Alice', false, port))
    assert.deepEqual(server.commands.map(({ command }) => command), ['getIceConfig'])
  })

  test('tells General Failed where nobody listens, and the registration that fails', async (t) => {
    const { xc, line, port, causing } = await xivo(t)
    xc.disableICE()
    const failed = await causing('general', 'Failed', () => xc.initByLineConfig(line, 'Alice', false, 1, undefined, undefined, '127.0.0.1'))
    assert.match(failed.data.reason, /Failed to initialize SDK: .*refused/)
    await xc.stop()
    const wrong = { ...line, password: 'wrong' }
    const { data } = await causing('registration', 'Unregistered', () => void xc.initByLineConfig(wrong, 'Alice', false, port, undefined, undefined, '127.0.0.1'))
    assert.match(data.reason, /401|Unauthorized|refused/i)
  })

  test('tries a refused password once, says so once, and may be started with another', async (t) => {
    const { xc, pbx, line, port, types, until, causing } = await xivo(t)
    // A registration may need more than one request: each has a Call-ID of its phone's.
    const tried = new Set()
    pbx.on('message', ({ direction, text }) => direction === 'in' && /^REGISTER[^]*\nAuthorization: Digest/.test(text) && tried.add(/^Call-ID: (.*)$/m.exec(text)[1]))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const init = (password) => xc.initByLineConfig({ ...line, password }, 'Alice', false, port, undefined, undefined, '127.0.0.1')
    await init('wrong')
    for (const _ of [0, 20, 40, 60, 60]) t.mock.timers.tick(60_000)
    t.mock.timers.reset()
    assert.deepEqual([types('general'), types('registration'), xc.getSipStackStatus()], [['Started', 'Failed'], ['Unregistered'], 'Failed'])
    await causing('registration', 'Registered', () => void init(line.password))
    await eventually(() => tried.size >= 2)
    assert.deepEqual([tried.size, xc.getSipStackStatus()], [2, 'Started'])
    const ended = until('registration', 'Unregistered')
    await xc.stop()
    await ended
  })

  test('tries a registration that fails for another reason again, on the connection that it has', async (t) => {
    const server = await RawServer.start()
    t.after(() => server.close())
    const { xc, line, types, causing } = await xivo(t)
    const { registrar } = server
    server.registrar = (request) => {
      server.registrar = registrar
      return reply(request, 500, 'Server Internal Error')
    }
    const { port } = new URL(server.url)
    await causing('registration', 'Registered', () => void xc.initByLineConfig(line, 'Alice', false, port, undefined, undefined, '127.0.0.1'))
    assert.deepEqual([types('general'), types('registration')], [['Started'], ['Unregistered', 'Registered']])
  })

  test('dials, with every event, sound and a digit', async (t) => {
    const { xc, open, start, causing, events } = await xivo(t)
    await start()
    const bob = await open('bob')
    events.length = 0
    const { ear, audio } = voice(600)
    const [[{ id, callId }]] = await Promise.all([next(bob, 'pendingSession'), causing('outgoing', 'Ringing', () => xc.dial('bob'))])
    await causing('outgoing', 'Connected', () => bob.acceptPendingSession(id, audio))
    const [session] = xc.phone.sessions
    await session.setInput({ tone: 1000 })
    await hears(ear, 1000)
    const digit = next(bob.sessions[0], 'dtmf')
    assert.equal(xc.dtmf('7'), true)
    assert.equal((await digit)[0].tone, '7')
    assert.equal(xc.doesSessionExists(callId), true)
    await causing('outgoing', 'Terminated', () => bob.sessions[0].end())
    assert.equal(xc.doesSessionExists(callId), false)
    const reason = events.at(-1)[1].data.reason
    assert.deepEqual(events, [
      ['outgoing', { type: 'Establishing' }],
      ['outgoing', { type: 'Ringing', data: { callee: 'bob' }, sipCallId: callId }],
      ['outgoing', { type: 'Connected', data: { callee: 'bob' }, sipCallId: callId }],
      ['incoming', { type: 'RemoteMediaAdded', sipCallId: callId }],
      ['outgoing', { type: 'Terminated', data: { reason }, sipCallId: callId }],
    ])
    assert.equal(typeof reason, 'string')
  })

  test('answers by sipCallId or not, and toggles the microphone', async (t) => {
    const { xc, open, start, causing, warnings } = await xivo(t)
    await start()
    const bob = await open('bob')
    for (const named of [true, false]) {
      const { sipCallId, data } = await causing('incoming', 'Setup', () => bob.call('alice'))
      assert.deepEqual(data, { caller: 'bob' })
      assert.equal(xc.answer('nobody'), false)
      await causing('incoming', 'Connected', () => assert.equal(named ? xc.answer(sipCallId) : xc.answer(), true))
      const [session] = xc.phone.sessions
      await Promise.all([next(session, 'mute'), xc.toggleMicrophone(sipCallId)])
      await Promise.all([next(session, 'unmute'), xc.toggleMicrophone()])
      await causing('incoming', 'Terminated', () => bob.sessions[0].end())
    }
    assert.equal(xc.answer(), false)
    assert.equal(warnings.at(-1), '[offhook] answer: no call rings')
  })

  test('holds and resumes one call', async (t) => {
    const { xc, open, start, causing } = await xivo(t)
    await start()
    const bob = await open('bob')
    const { ear, audio } = voice(600)
    const { sipCallId } = await causing('incoming', 'Setup', () => bob.call('alice', audio))
    await causing('incoming', 'Connected', () => xc.answer())
    await Promise.all([next(bob.sessions[0], 'hold'), causing('incoming', 'Hold', () => assert.equal(xc.hold(), true))])
    const resumed = await causing('incoming', 'Resume', () => assert.equal(xc.hold(sipCallId), true))
    assert.equal(resumed.sipCallId, sipCallId)
    await xc.phone.sessions[0].setInput({ tone: 1000 })
    await hears(ear, 1000)
  })

  test('has two calls, of which one is always going on, and refuses a third', async (t) => {
    const { xc, open, start, causing, until: told } = await xivo(t)
    await start()
    const [bob, carol] = [await open('bob'), await open('carol')]
    const [bobs, carols] = [voice(600), voice(700)]
    const first = await causing('incoming', 'Setup', () => bob.call('alice', bobs.audio))
    await causing('incoming', 'Connected', () => xc.answer())
    const second = await causing('incoming', 'Setup', () => carol.call('alice', carols.audio))
    const [held] = await Promise.all([causing('incoming', 'Hold', () => xc.answer(second.sipCallId)), until(carol)])
    assert.equal(held.sipCallId, first.sipCallId)

    const third = await bob.call('alice')
    await assert.rejects(third.answered, { code: 'ERR_CALL_BUSY' })
    const failed = await causing('outgoing', 'Failed', () => xc.dial('echo'))
    assert.equal(failed.data.reason, 'there are two calls already')

    const [ofBob, ofCarol] = [first, second].map(({ sipCallId }) => xc.phone.sessions.find(({ callId }) => callId === sipCallId))
    assert.deepEqual([ofBob.held, ofCarol.held], [true, false])
    const swapped = await causing('incoming', 'Resume', () => xc.hold())
    assert.equal(swapped.sipCallId, first.sipCallId)
    assert.deepEqual([ofBob.held, ofCarol.held], [false, true])
    await ofBob.setInput({ tone: 1000 })
    await ofCarol.setInput({ tone: 1000 })
    await hears(bobs.ear, 1000)
    const waits = told('incoming', 'Hold')
    const resumed = await causing('incoming', 'Resume', () => xc.hold(first.sipCallId))
    assert.deepEqual([resumed.sipCallId, (await waits).sipCallId], [second.sipCallId, first.sipCallId])
    assert.deepEqual([ofBob.held, ofCarol.held], [true, false])
    await causing('incoming', 'Resume', () => xc.hold(first.sipCallId))
    assert.deepEqual([ofBob.held, ofCarol.held], [false, true])

    function until(phone) {
      return phone.sessions[0].answered
    }
  })

  describe('conference()', () => {
    const tones = { alice: 600, bob: 1000, carol: 1500 }

    /** Bob on hold and Carol connected, each with a tone and an ear, as has Alice. */
    async function two(t) {
      const house = await xivo(t)
      const { xc, open, start, causing } = house
      const desk = voice(tones.alice)
      xc.setPhoneOptions({ audio: { input: { tone: tones.alice }, output: desk.ear } })
      await start()
      const parties = {}
      for (const user of ['bob', 'carol']) {
        const phone = await open(user)
        const { ear, audio } = voice(tones[user])
        const { sipCallId } = await causing('incoming', 'Setup', () => phone.call('alice', audio))
        // Answering the second puts the first on hold before.
        await causing('incoming', 'Connected', () => xc.answer(sipCallId))
        parties[user] = { user, ear, sipCallId, phone }
      }
      parties.alice = { user: 'alice', ear: desk.ear }
      return { ...house, parties }
    }

    /** Waits until each hears exactly the others. */
    async function hear({ alice, bob, carol }, all = ['alice', 'bob', 'carol']) {
      for (const { user, ear } of [alice, bob, carol]) {
        if (!all.includes(user)) continue
        const wanted = `${all.filter((name) => name !== user)}`
        const deadline = performance.now() + 10_000
        for (let heard; heard !== wanted; ) {
          drain(ear)
          const levels = await strengths(ear, Object.values(tones))
          heard = `${Object.keys(tones).filter((name) => levels.get(tones[name]) > -45)}`
          assert.ok(heard === wanted || performance.now() < deadline, `${user} hears ${heard}, not ${wanted}`)
        }
      }
    }

    test('resumes the call on hold and joins both; hold() and conference() take it up again', async (t) => {
      const { xc, causing, parties, warnings } = await two(t)
      const resumed = await causing('incoming', 'Resume', () => assert.equal(xc.conference(), true))
      assert.equal(resumed.sipCallId, parties.bob.sipCallId)
      await hear(parties)
      assert.equal(xc.conference(), false)
      assert.equal(warnings.at(-1), '[offhook] conference: it is going on already')

      const sessions = xc.phone.sessions
      const held = () => `${sessions.map((session) => session.held)}`
      const changed = (type) => Promise.all(sessions.map((session) => next(session, type)))
      for (const again of ['hold', 'conference']) {
        await Promise.all([changed('hold'), assert.equal(xc.hold(), true)])
        assert.equal(held(), 'true,true')
        await eventually(() => parties.bob.phone.sessions[0].remoteHeld)
        await Promise.all([changed('resume'), assert.equal(xc[again](), true)])
        assert.equal(held(), 'false,false')
        await hear(parties)
      }
    })

    test('holds one party by its name, mutes the microphone for both, and sends digits to both', async (t) => {
      const { xc, causing, parties } = await two(t)
      await causing('incoming', 'Resume', () => xc.conference())
      await hear(parties)
      const { bob, carol } = parties
      const held = await causing('incoming', 'Hold', () => assert.equal(xc.hold(bob.sipCallId), true))
      assert.equal(held.sipCallId, bob.sipCallId)
      await hear(parties, ['alice', 'carol'])
      await causing('incoming', 'Resume', () => xc.hold(bob.sipCallId))
      await hear(parties)
      const digits = [bob, carol].map(({ phone }) => next(phone.sessions[0], 'dtmf'))
      assert.equal(xc.dtmf('5'), true)
      assert.deepEqual((await Promise.all(digits)).map(([{ tone }]) => tone), ['5', '5'])
      const { conference } = xc.phone.sessions[0]
      await Promise.all([next(conference, 'mute'), assert.equal(xc.toggleMicrophone(), true)])
      await hear(parties, ['bob', 'carol'])
      await Promise.all([next(conference, 'unmute'), xc.toggleMicrophone()])
      await hear(parties)
    })

    test('is over when one hangs up: the other is an ordinary call again', async (t) => {
      const { xc, causing, parties } = await two(t)
      await causing('incoming', 'Resume', () => xc.conference())
      await hear(parties)
      const { conference } = xc.phone.sessions[0]
      await Promise.all([next(conference, 'ended'), parties.carol.phone.sessions[0].end()])
      await hear(parties, ['alice', 'bob'])
      await causing('incoming', 'Hold', () => assert.equal(xc.hold(), true))
      await causing('incoming', 'Resume', () => assert.equal(xc.hold(), true))
      await hear(parties, ['alice', 'bob'])
    })

    test('wants one call on hold and one that is not', async (t) => {
      const { xc, open, start, causing, warnings } = await xivo(t)
      assert.equal(xc.conference(), false)
      assert.equal(warnings.at(-1), '[offhook] conference: the stack is not started')
      await start()
      const bob = await open('bob')
      await causing('incoming', 'Setup', () => bob.call('alice'))
      await causing('incoming', 'Connected', () => xc.answer())
      assert.equal(xc.conference(), false)
      assert.equal(warnings.at(-1), '[offhook] conference: one call on hold and one that is not are expected')
    })
  })

  test('answers a call with xivo-autoanswer by itself, and no other', async (t) => {
    const { xc, pbx, start, causing, types, open } = await xivo(t)
    await start()
    const bob = await open('bob')
    await causing('incoming', 'Setup', () => bob.call('alice', { headers: { 'Alert-Info': '<http://x>;info=alert-autoanswer' } }))
    // Behind the question whether to answer by itself.
    await xc.phone.expectCall({ conversationId: 'another' })
    await causing('incoming', 'Terminated', () => bob.sessions[0].end())
    assert.deepEqual(types('incoming'), ['Setup', 'Ringing', 'Terminated'])
    const placed = pbx.originate({ to: 'alice', with: 'echo', headers: { 'Alert-Info': 'xivo-autoanswer' } })
    await causing('incoming', 'Connected', () => placed)
    assert.deepEqual(types('incoming').slice(3, 7), ['Setup', 'Ringing', 'AutoAnswered', 'Connected'])
  })

  test('transfers by the CTI server, with both spellings of completing', async (t) => {
    const calls = []
    const { xc, pbx, start, causing, until, server, open } = await xivo(t, {
      attendedTransfer: async ({ destination }) => void calls.push(await pbx.originate({ to: 'alice', with: destination, headers: { 'Alert-Info': 'xivo-autoanswer' } })),
    })
    await start()
    const bob = await open('bob')
    await causing('incoming', 'Setup', () => bob.call('alice'))
    await causing('incoming', 'Connected', () => xc.answer())
    const held = until('incoming', 'Hold')
    await causing('incoming', 'AutoAnswered', () => xc.attendedTransfer('echo'))
    await until('incoming', 'Connected')
    await held
    xc.compeleteTransfer()
    xc.completeTransfer()
    const expected = ['attendedTransfer', 'completeTransfer', 'completeTransfer']
    await eventually(() => server.commands.length === 5)
    assert.deepEqual(server.commands.slice(2).map(({ command }) => command), expected)
    assert.equal(server.commands[2].destination, 'echo')
  })

  test('does what the CTI server commands', async (t) => {
    const { xc, server, open, start, causing } = await xivo(t)
    await start()
    const bob = await open('bob')
    const { sipCallId } = await causing('incoming', 'Setup', () => bob.call('alice'))
    await causing('incoming', 'Connected', () => server.send('WebRTCCmd', { command: 'Answer', sipCallId }))
    const [session] = xc.phone.sessions
    await Promise.all([next(session, 'mute'), server.send('WebRTCCmd', { command: 'ToggleMicrophone', sipCallId })])
    const digit = next(bob.sessions[0], 'dtmf')
    server.send('WebRTCCmd', { command: 'SendDtmf', key: '3' })
    assert.equal((await digit)[0].tone, '3')
    await causing('incoming', 'Hold', () => server.send('WebRTCCmd', { command: 'Hold', sipCallId }))
  })

  test('takes an output as remoteAudio', async (t) => {
    const { xc, open, port, causing } = await xivo(t)
    xc.setPhoneOptions({ logger: undefined })
    const ear = new AudioSink({ rate: 16000 })
    await causing('registration', 'Registered', () => xc.init('Alice', false, port, undefined, ear, '127.0.0.1'))
    const bob = await open('bob')
    await causing('incoming', 'Setup', () => bob.call('alice', voice(800).audio))
    xc.answer()
    await hears(ear, 800)
  })

  test('logs events and handlers when asked to, and warns of what it does not do', async () => {
    const xc = new XcWebrtc()
    const lines = []
    xc.setCustomLogger({ log: (line) => lines.push(line), info() {}, error() {}, warn: (line) => lines.push(line) })
    xc.setDebug('error', true, true)
    const unsubscribe = xc.setHandler(xc.MessageType.OUTGOING, () => {})
    unsubscribe()
    xc.dial('1000')
    assert.equal(xc.hold(), false)
    assert.equal(xc.dtmf('1'), false)
    xc.setDebug('loud', false, false)
    assert.deepEqual(lines, [
      'subscribing : [outgoing] to () => {}',
      'unsubscribing : [outgoing] to () => {}',
      '[offhook] dial: the stack is not started',
      'RE<<< {"type":"Failed","data":{"reason":"The stack is not started"}}',
      '[offhook] hold: the stack is not started',
      '[offhook] dtmf: the stack is not started',
      "[offhook] setDebug: the level 'loud' is none of info, warn, error, fatal",
    ])
    assert.equal(xc_webrtc.getSipStackStatus(), 'NotInitialized')
    if (globalThis.WebSocket === undefined) assert.throws(() => Cti.WebSocket.init('ws://127.0.0.1:1'), /no WebSocket/)
  })
})
