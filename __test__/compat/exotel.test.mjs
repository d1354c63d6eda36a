import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExotelWebClient } from 'offhook/compat/exotel'
import { hears, next, voice } from '../pbx.mjs'
import { causing, exotel, teller } from './exotel-harness.mjs'
import { sample } from './exotel-sample.mjs'
import { restOf } from './rest.mjs'

describe('the Exotel façade', { timeout: 60_000 }, () => {
  test('runs the samples of the document', async (t) => {
    const { account, openBob } = await exotel(t)
    const states = teller()
    const ui = Object.fromEntries(['setRegState', 'setCallComing', 'setCallState'].map((name) => [name, (value) => states.tell(name, value)]))
    const exWebClient = new ExotelWebClient()
    t.after(() => exWebClient.destroy())
    const app = sample(exWebClient, ui)
    exWebClient.initWebrtc(account, app.RegisterEventCallBack, app.CallListenerCallback, () => {})
    await causing(states, ['setRegState', true], () => exWebClient.DoRegister())
    const bob = await openBob()

    const { ear, audio } = voice(700)
    let call
    await causing(states, ['setCallComing', true], async () => (call = await bob.call('alice', audio)))
    await causing(states, ['setCallState', true], () => app.acceptCallHandler())
    await exWebClient.phone.sessions[0].setInput({ tone: 500 })
    await hears(ear, 500)
    app.muteHandler()
    await exWebClient.phone.sessions[0].once('mute')
    app.muteHandler()
    await exWebClient.phone.sessions[0].once('unmute')
    for (const [held, remote] of [[true, 'hold'], [false, 'resume']]) {
      const heard = next(call, remote)
      app.holdHandler()
      assert.equal((await heard)[0].side, 'remote')
      assert.equal(call.remoteHeld, held)
    }
    await Promise.all([next(call, 'terminated'), causing(states, ['setCallState', false], () => app.rejectCallHandler())])
    await causing(states, ['setRegState', false], () => exWebClient.UnRegister())
  })

  test('tells every documented state of a registration', async (t) => {
    const { clientOf, pbx } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered', 'alice'], () => client.DoRegister())
    await causing(told, ['register', 'registered', 'alice'], () => client.DoRegister())
    await causing(told, ['register', 'unregistered', 'alice'], () => client.UnRegister())
    assert.deepEqual(told.names('register'), ['sent_request', 'registered', 'sent_request', 'registered', 'sent_request', 'unregistered'])
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    await causing(told, ['register', 'unregistered'], () => pbx.disconnect('alice'))
    await told.until('register', 'registered')
    const wrong = clientOf({ userName: 'alice2', secret: 'wrong' })
    await causing(wrong.told, ['register', 'terminated', 'alice2'], () => wrong.client.DoRegister())
    assert.deepEqual(wrong.told.names('register'), ['sent_request', 'terminated'])
  })

  test('tells sent_request where no response to an unregistration comes', async (t) => {
    const { clientOf, pbx } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    await pbx.addFault({ action: 'lose', method: 'REGISTER' })
    await causing(told, ['register', 'sent_request'], () => client.UnRegister())
    assert.equal(told.names('register').at(-1), 'sent_request')
    await pbx.clearFaults()
  })

  test('tells callEnded for a hang-up here and terminated for one there, with the whole callObj', async (t) => {
    const { clientOf, openBob } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    const bob = await openBob()
    const headers = { 'X-Exotel-Callsid': 'sid-1', LegSid: 'leg-1' }
    for (const [who, event] of [['alice', 'callEnded'], ['bob', 'terminated']]) {
      let call
      const [, , phone, ringing] = await causing(told, ['call', 'incoming'], async () => (call = await bob.call('alice', { headers })))
      assert.equal(phone, 'alice')
      assert.deepEqual(
        { ...ringing, callId: 1, sessionId: 1, callStartedTime: 1, sipHeaders: 1 },
        {
          ...{ callId: 1, remoteId: 'bob', remoteDisplayName: 'bob', callDirection: 'incoming', callState: 'incoming' },
          ...{ callDuration: 0, callStartedTime: 1, callEstablishedTime: '', callEndedTime: '', callAnswerTime: '' },
          ...{ callEndReason: '', sessionId: 1, callSid: 'sid-1', legSid: 'leg-1', sipHeaders: 1 },
        },
      )
      assert.equal(ringing.callId, call.callId)
      assert.deepEqual(ringing.sipHeaders.legsid, ['leg-1'])
      const [, , , connected] = await causing(told, ['call', 'connected'], () => client.getCall().Answer())
      assert.equal(connected.callState, 'connected')
      const [, , , ended] = await causing(told, ['call', event], () => (who === 'alice' ? client.getCall().Hangup() : call.end()))
      assert.equal(ended.callState, event)
      assert.ok(ended.callEndedTime >= ended.callAnswerTime && ended.callAnswerTime >= ended.callStartedTime)
      assert.notEqual(ended.callEndReason, '')
    }
  })

  test('refuses a ringing call with 486, and a second call with 480', async (t) => {
    const { clientOf, openBob, complaints } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    const bob = await openBob()
    let first
    await causing(told, ['call', 'incoming'], async () => (first = await bob.call('alice')))
    const second = await bob.call('alice')
    await assert.rejects(second.answered, ({ sip }) => sip.code === 480)
    assert.ok(complaints.some((line) => line.includes('there is one already')))
    await causing(told, ['call', 'callEnded'], () => client.getCall().Hangup())
    await assert.rejects(first.answered, ({ sip }) => sip.code === 486)
  })

  test('mutes and unmutes as asked, and toggles', async (t) => {
    const { clientOf, openBob } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    const bob = await openBob()
    await causing(told, ['call', 'incoming'], () => bob.call('alice'))
    await causing(told, ['call', 'connected'], () => client.getCall().Answer())
    const [session] = client.phone.sessions
    const call = client.getCall()
    for (const [method, event] of [['Mute', 'mute'], ['UnMute', 'unmute'], ['MuteToggle', 'mute'], ['MuteToggle', 'unmute']]) {
      const changed = session.once(event, { signal: AbortSignal.timeout(5000) })
      assert.equal(call[method](), true)
      await changed
    }
    call.Mute()
    call.Mute()
    await session.once('mute')
    assert.equal(session.muted, true)
  })

  test('holds and takes off hold as asked, and toggles', async (t) => {
    const { clientOf, openBob } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    const bob = await openBob()
    const { ear, audio } = voice(700)
    await causing(told, ['call', 'incoming'], () => bob.call('alice', audio))
    await causing(told, ['call', 'connected'], () => client.getCall().Answer())
    const [session] = client.phone.sessions
    await session.setInput({ tone: 500 })
    const call = client.getCall()
    for (const [method, event] of [['Hold', 'hold'], ['UnHold', 'resume'], ['HoldToggle', 'hold'], ['HoldToggle', 'resume']]) {
      const changed = next(session, event)
      assert.equal(call[method](), true)
      await changed
    }
    await hears(ear, 500)
    const digit = next(bob.sessions[0], 'dtmf')
    assert.equal(call.sendDTMF('x'), false)
    assert.equal(call.sendDTMF('5'), true)
    assert.deepEqual(await digit, [{ tone: '5', duration: 240, method: 'info' }])
    await Promise.all([next(session, 'hold'), call.Hold()])
    call.Hold()
    call.UnHold()
    await next(session, 'resume')
    assert.equal(session.held, false)
  })

  test('says in the log why it did nothing', async (t) => {
    const { clientOf, complaints } = await exotel(t)
    const bare = new ExotelWebClient()
    const { warn } = console
    const lines = []
    console.warn = (line) => lines.push(line)
    t.after(() => (console.warn = warn))
    assert.equal(bare.initWebrtc({ userName: 'alice', port: 443 }, () => {}, () => {}), false)
    assert.equal(bare.DoRegister(), false)
    assert.equal(bare.UnRegister(), false)
    assert.equal(bare.getCall(), null)
    assert.deepEqual(lines, [
      '[offhook] initWebrtc: sipdomain is missing',
      '[offhook] DoRegister: call initWebrtc first',
      '[offhook] UnRegister: call initWebrtc first',
      '[offhook] getCall: call initWebrtc first',
    ])
    assert.deepEqual(complaints, [])
  })

  test('names contactHost in the Contact', async (t) => {
    const { clientOf } = await exotel(t)
    const lines = []
    const debug = (_, details) => lines.push(JSON.stringify(details))
    const logger = { debug, log() {}, info() {}, warn() {}, error() {} }
    const phone = { audio: 'none', logLevel: 'trace', logger }
    const { client, told } = clientOf({ contactHost: '192.0.2.1', phone })
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    assert.match(lines.join('\n'), /Contact: <sip:[^@]+@192\.0\.2\.1;transport=ws>/)
  })

  test('finds the call again that outlived a reload', async (t) => {
    const { clientOf, openBob } = await exotel(t)
    const before = clientOf()
    await causing(before.told, ['register', 'registered'], () => before.client.DoRegister())
    const bob = await openBob()
    let call
    await causing(before.told, ['call', 'incoming'], async () => (call = await bob.call('alice')))
    await causing(before.told, ['call', 'connected'], () => before.client.getCall().Answer())

    const after = clientOf()
    const [, , , found] = await after.told.until('call', 'activeSession', 'alice')
    assert.equal(found.callId, call.callId)
    assert.equal(before.client.getCall(), null)
    await causing(after.told, ['call', 'callEnded'], () => after.client.getCall().Hangup())
    assert.deepEqual(before.told.names('call'), ['incoming', 'connected'])
  })

  test('has several phones by userName', async (t) => {
    const { clientOf, pbx } = await exotel(t)
    await pbx.addUser({ name: 'carol', password: 'carol-password' })
    const alice = clientOf()
    const carol = clientOf({ userName: 'carol', authUser: 'carol', sipUri: `sip:carol@${pbx.domain}`, secret: 'carol-password' })
    await Promise.all([
      causing(alice.told, ['register', 'registered', 'alice'], () => alice.client.DoRegister()),
      causing(carol.told, ['register', 'registered', 'carol'], () => carol.client.DoRegister()),
    ])
    await causing(carol.told, ['call', 'incoming', 'carol'], () => alice.client.phone.call('carol'))
  })

  test('calls a number by the platform, and answers the call that follows', async (t) => {
    const { clientOf, pbx, openBob } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    const bob = await openBob()
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    let placed
    const api = await restOf(t, {
      'POST /v1/Accounts/your_account/Calls/connect': () => {
        placed = pbx.originate({ to: 'alice', with: 'bob', headers: { 'X-Exotel-Callsid': 'sid-2' } })
        return '<?xml version="1.0"?><TwilioResponse><Call><Sid>sid-2</Sid><Status>in-progress</Status></Call></TwilioResponse>'
      },
    })
    const account = { apiKey: 'key', apiToken: 'token', accountSid: 'your_account', baseUrl: api.url }
    const connected = told.until('call', 'connected')
    assert.equal(await client.MakeCall(account, { To: '+911234567890', CallerId: '0801234' }), 'sid-2')
    assert.equal((await connected)[3].callSid, 'sid-2')
    await placed
    const [{ body, headers }] = api.requests
    assert.equal(body, 'To=%2B911234567890&CallerId=0801234&From=alice')
    assert.equal(headers.authorization, `Basic ${Buffer.from('key:token').toString('base64')}`)
    await assert.rejects(client.MakeCall({ ...account, accountSid: 'x' }, { To: '1', CallerId: '2' }), { code: 'ERR_HTTP' })
  })
})
