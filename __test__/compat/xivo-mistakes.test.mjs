import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { CtiClient, XcWebrtc } from 'offhook/compat/xivo'
import WebSocket, { WebSocketServer } from 'ws'
import { next } from '../pbx.mjs'
import { eventually, uncaughtBy } from '../phones.mjs'
import { ice, xivo } from './xivo-harness.mjs'

/** A stack with a call of bob that it has answered. */
async function talking(t) {
  const made = await xivo(t)
  await made.start()
  const bob = await made.open('bob')
  const { sipCallId } = await made.causing('incoming', 'Setup', () => bob.call('alice'))
  await made.causing('incoming', 'Connected', () => made.xc.answer())
  await bob.sessions[0].answered
  return { ...made, bob, sipCallId, session: made.xc.phone.sessions[0] }
}

describe('mistakes with the XiVO façade', { timeout: 60_000 }, () => {
  test('two toggles in a row leave a call as it was', async (t) => {
    const { xc, session } = await talking(t)
    const [unmuted, resumed] = [next(session, 'unmute'), next(session, 'resume')]
    for (const toggle of ['toggleMicrophone', 'toggleMicrophone', 'hold', 'hold']) assert.equal(xc[toggle](), true)
    await Promise.all([unmuted, resumed])
    assert.deepEqual([session.muted, session.held], [false, false])
  })

  test('two toggles in a row leave one of two calls going on', async (t) => {
    const { xc, open, causing, session } = await talking(t)
    const carol = await open('carol')
    await causing('incoming', 'Setup', () => carol.call('alice'))
    await causing('incoming', 'Hold', () => xc.answer())
    await carol.sessions[0].answered
    const second = xc.phone.sessions.find((one) => one !== session)
    const states = () => [session.held, second.held]
    assert.deepEqual(states(), [true, false])
    const back = next(second, 'resume')
    assert.deepEqual([xc.hold(), xc.hold()], [true, true])
    await back
    assert.deepEqual(states(), [true, false])
  })

  test('two toggles in a row leave a conference as it was', async (t) => {
    const { xc, open, causing, session, warnings } = await talking(t)
    const carol = await open('carol')
    await causing('incoming', 'Setup', () => carol.call('alice'))
    await causing('incoming', 'Hold', () => xc.answer())
    await carol.sessions[0].answered
    await causing('incoming', 'Resume', () => assert.equal(xc.conference(), true))
    await eventually(() => !xc.conference() && warnings.at(-1) === '[offhook] conference: it is going on already')
    const { conference } = session
    const back = Promise.all([next(conference, 'resume'), next(conference, 'unmute')])
    for (const toggle of ['toggleMicrophone', 'toggleMicrophone', 'hold', 'hold']) assert.equal(xc[toggle](), true)
    await back
    assert.deepEqual([conference.muted, conference.held], [false, false])
  })

  test('a hold that the other side refuses is told, and leaves the call as it was', async (t) => {
    const { xc, pbx, causing, session, warnings, types } = await talking(t)
    await pbx.addFault({ action: 'wrongSdp', user: 'bob', direction: 'out', method: 'INVITE' })
    assert.equal(xc.hold(), true)
    await eventually(() => warnings.at(-1)?.startsWith('[offhook] hold: '))
    assert.deepEqual([session.held, session.active, types().includes('Hold')], [false, true, false])
    await pbx.clearFaults()
    await causing('incoming', 'Hold', () => xc.hold())
    assert.equal(session.held, true)
  })

  test('a call whose other side refuses to be held stays the one that goes on', async (t) => {
    const { xc, open, pbx, causing, session, warnings } = await talking(t)
    const carol = await open('carol')
    await causing('incoming', 'Setup', () => carol.call('alice'))
    await causing('incoming', 'Hold', () => xc.answer())
    await carol.sessions[0].answered
    const second = xc.phone.sessions.find((one) => one !== session)
    const states = () => [session.held, second.held]
    await pbx.addFault({ action: 'wrongSdp', user: 'carol', direction: 'out', method: 'INVITE' })
    assert.equal(xc.hold(), true)
    await eventually(() => warnings.at(-1)?.startsWith('[offhook] hold: '))
    // Nobody hears what is said to the other.
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual(states(), [true, false])
    await pbx.clearFaults()
    await causing('incoming', 'Resume', () => xc.hold())
    assert.deepEqual(states(), [false, true])
  })

  test('nothing is dialled beside a call whose other side refuses to be held', async (t) => {
    const { xc, open, pbx, causing, session } = await talking(t)
    const carol = await open('carol')
    await pbx.addFault({ action: 'wrongSdp', user: 'bob', direction: 'out', method: 'INVITE' })
    const failed = await causing('outgoing', 'Failed', () => xc.dial('carol'))
    assert.deepEqual(failed.data, { reason: 'the other call can not be put on hold' })
    assert.deepEqual([session.held, session.active, carol.pendingSessions], [false, true, []])
  })

  test('what is asked for right behind a hold waits for it, and goes on beside nobody who refuses it', async (t) => {
    const { xc, open, pbx, causing, session, warnings, server } = await talking(t)
    const carol = await open('carol')
    await pbx.addFault({ action: 'wrongSdp', user: 'bob', direction: 'out', method: 'INVITE' })
    const refused = { reason: 'the other call can not be put on hold' }
    const alone = () => assert.deepEqual([session.held, session.active, xc.phone.sessions.length, carol.pendingSessions], [false, true, 1, []])
    const failed = await causing('outgoing', 'Failed', () => {
      assert.equal(xc.hold(), true)
      xc.dial('carol')
    })
    assert.deepEqual(failed.data, refused)
    alone()
    const reasons = []
    xc.setHandler('outgoing', ({ type, data }) => type === 'Failed' && reasons.push(data))
    xc.dial('carol')
    xc.dial('carol')
    await eventually(() => reasons.length === 2)
    assert.deepEqual(reasons, [refused, refused])
    alone()
    const before = server.commands.length
    assert.equal(xc.hold(), true)
    xc.attendedTransfer('carol')
    await eventually(() => warnings.some((line) => line.startsWith('[offhook] attendedTransfer: Unable to hold')))
    assert.deepEqual(server.commands.slice(before), [])
    alone()
  })

  test('nothing is answered by itself beside a call whose hold is under way and is refused', async (t) => {
    const { xc, open, pbx, causing, session, types } = await talking(t)
    const carol = await open('carol')
    await pbx.addFault({ action: { delay: 1000 }, user: 'bob', direction: 'in', method: 'INVITE' })
    await pbx.addFault({ action: 'wrongSdp', user: 'bob', direction: 'out', method: 'INVITE' })
    assert.equal(xc.hold(), true)
    await causing('incoming', 'Setup', () => carol.call('alice', { headers: { 'Alert-Info': 'xivo-autoanswer' } }))
    // Behind the question whether to answer by itself.
    await xc.phone.expectCall({ conversationId: 'another' })
    assert.deepEqual([session.held, session.active, types().includes('AutoAnswered')], [false, true, false])
    assert.deepEqual([xc.phone.sessions.length, xc.phone.pendingSessions.length], [1, 1])
  })

  test('what is dialled right behind a hold is called once that is agreed to, and once', async (t) => {
    const { xc, open, causing, session } = await talking(t)
    const carol = await open('carol')
    const held = next(carol, 'pendingSession').then(() => session.held)
    await causing('outgoing', 'Failed', () => {
      assert.equal(xc.hold(), true)
      xc.dial('carol')
      xc.dial('carol')
    })
    assert.equal(await held, true)
    assert.deepEqual([xc.phone.sessions.length, carol.pendingSessions.length], [2, 1])
  })

  test('a call that ends while it is put on hold keeps no other from being answered', async (t) => {
    const { xc, open, bob, pbx, causing } = await talking(t)
    const carol = await open('carol')
    await causing('incoming', 'Setup', () => carol.call('alice'))
    await pbx.addFault({ action: { delay: 300 }, user: 'bob', method: 'INVITE' })
    xc.answer()
    await bob.sessions[0].end()
    await carol.sessions[0].answered
    await pbx.clearFaults()
  })

  test('a call that can not be placed puts none on hold', async (t) => {
    const { xc, causing, types, warnings } = await talking(t)
    for (const destination of [undefined, '']) {
      const failed = await causing('outgoing', 'Failed', () => xc.dial(destination))
      assert.deepEqual(failed.data, { reason: 'a number or an address is expected' })
    }
    assert.ok(!types('incoming').includes('Hold'))
    assert.equal(warnings.at(-1), '[offhook] dial: a number or an address is expected')
  })

  test('starting anew while the start of before waits tells nothing of that one', async (t) => {
    let asked = 0
    const { xc, start, types, line } = await xivo(t, { getConfig: () => (++asked === 1 ? undefined : ['LineConfig', line]) })
    const first = xc.init('Alice', false, 1)
    const stopped = xc.stop()
    await Promise.all([first, stopped, start()])
    assert.deepEqual([xc.getSipStackStatus(), ...types('general')], ['Started', 'Started'])
  })

  test('what the CTI server sends that makes no sense harms nothing', async (t) => {
    const { xc, server, start, causing, open, warnings, cti } = await xivo(t, { getIceConfig: () => ['IceConfig', null] })
    const errors = []
    cti.setHandler('Error', ({ Error: text }) => errors.push(text))
    await start()
    assert.match(warnings[0], /There are no ICE servers/)
    for (const message of [null, {}, { command: 'Dance' }, { command: 'SendDtmf' }, { command: 'Answer', sipCallId: 5 }]) server.send('WebRTCCmd', message)
    server.sendText('no JSON')
    server.sendText('null')
    server.sendText('{"msgType":5}')
    const bob = await open('bob')
    const { sipCallId } = await causing('incoming', 'Setup', () => bob.call('alice'))
    await causing('incoming', 'Connected', () => server.send('WebRTCCmd', { command: 'Answer', sipCallId }))
    assert.deepEqual(errors, ['The CTI server sent what is no JSON'])
    assert.deepEqual(warnings.slice(1), [
      "[offhook] The CTI server asks for 'undefined', which is unknown",
      "[offhook] The CTI server asks for 'undefined', which is unknown",
      "[offhook] The CTI server asks for 'Dance', which is unknown",
      '[offhook] dtmf: exactly one character is expected',
      '[offhook] answer: call 5 does not ring',
    ])
  })

  test('a line that says too little fails, and null is what is not known', async (t) => {
    const { xc, line, port, causing } = await xivo(t)
    for (const lineCfg of [null, {}, { password: 'x' }, { name: 5, password: 'x' }]) {
      const failed = await causing('general', 'Failed', () => xc.initByLineConfig(lineCfg, 'Alice', false, port))
      assert.match(failed.data.reason, /^Unable to configure WebRTC - LineConfig does not contains (password|name)$/)
    }
    await causing('general', 'Started', () => void xc.initByLineConfig({ ...line, sipProxyName: null, xivoIp: '127.0.0.1' }, 'Alice', false, port))
  })

  test('a time to live that makes no sense asks nobody all the time', async (t) => {
    for (const ttl of ['x', 1e12, null]) {
      let asked = 0
      const { start } = await xivo(t, { getIceConfig: () => (asked++, ['IceConfig', { turnConfig: { ...ice.turnConfig, ttl } }]) })
      await start()
      // Node makes a timer that is too long one of a millisecond.
      for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1))
      assert.equal(asked, 1, String(ttl))
    }
  })

  test('a CTI WebSocket that died says so, and nothing waits for the next one', async (t) => {
    const { xc, server, cti, warnings } = await talking(t)
    const closed = new Promise((resolve) => cti.setHandler('LinkStatusUpdate', ({ status }) => status === 'closed' && resolve()))
    server.dropAll()
    await closed
    xc.attendedTransfer('echo')
    xc.completeTransfer()
    await eventually(() => warnings.length === 2)
    assert.deepEqual(warnings.sort(), ['[offhook] attendedTransfer: The CTI WebSocket is closed', '[offhook] completeTransfer: The CTI WebSocket is closed'])
    const before = server.commands.length
    const opened = new Promise((resolve) => cti.setHandler('LinkStatusUpdate', ({ status }) => status === 'opened' && resolve()))
    cti.WebSocket.init(server.url, 'alice', '1000', { WebSocket })
    await opened
    cti.getIceConfig()
    await eventually(() => server.commands.length > before)
    assert.deepEqual(server.commands.slice(before), [{ command: 'getIceConfig' }])
  })

  test('what is asked before the CTI WebSocket is opened is asked when it is, and not without end', async (t) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    t.after(() => server.close())
    const asked = new Promise((resolve) => server.on('connection', (socket) => socket.on('message', (text) => resolve(JSON.parse(text)))))
    const cti = new CtiClient()
    t.after(() => cti.close())
    cti.getConfig('line')
    cti.WebSocket.init(`ws://127.0.0.1:${server.address().port}`, 'alice', '1000', { WebSocket })
    assert.deepEqual(await asked, { claz: 'web', command: 'getConfig', objectType: 'line' })
    const alone = new CtiClient()
    assert.throws(() => {
      for (let count = 0; count < 1000; count += 1) alone.getIceConfig()
    }, /There is no CTI WebSocket/)
  })

  test('a handler that throws takes no other with it', async (t) => {
    const { xc, start, types } = await xivo(t)
    const fault = new Error('thrown by a handler')
    const heard = []
    xc.clearHandlers()
    for (const group of Object.values(xc.MessageType)) {
      xc.setHandler(group, () => {
        throw fault
      })
      xc.setHandler(group, ({ type }) => heard.push(type))
    }
    const uncaught = await uncaughtBy(async () => {
      void start().catch(() => {})
      await eventually(() => heard.includes('Registered'))
      await xc.stop()
    })
    assert.deepEqual(heard, ['Started', 'Registered', 'Unregistered'])
    assert.deepEqual([types('general'), uncaught], [[], [fault, fault, fault]])
  })

  test('says what is wrong with a handler, and with ICE servers', () => {
    const xc = new XcWebrtc()
    const lines = []
    xc.setCustomLogger({ log() {}, info() {}, error() {}, warn: (line) => lines.push(line) })
    xc.setHandler('Incoming', () => {})
    xc.setHandler('incoming', 'onIncoming')
    assert.deepEqual(lines, [
      "[offhook] setHandler: 'Incoming' is none of general, outgoing, incoming, registration",
      '[offhook] setHandler: the handler is no function',
    ])
    for (const urls of [null, 'stun:x', [null]]) assert.throws(() => xc.setIceUrls(urls), TypeError)
    xc.setIceUrls([{ url: 'stun:127.0.0.1:3478' }])
    xc.getIceUrls()[0].urls.push('turn:elsewhere')
    assert.deepEqual(xc.getIceUrls(), [{ urls: ['stun:127.0.0.1:3478'] }])
  })
})
