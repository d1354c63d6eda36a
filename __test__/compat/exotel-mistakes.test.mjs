import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExotelWebClient } from 'offhook/compat/exotel'
import { next } from '../pbx.mjs'
import { silent, uncaughtBy } from '../phones.mjs'
import { causing, exotel } from './exotel-harness.mjs'

/** A client that is registered, a call of bob that it has answered, and what it is told. */
async function talking(t) {
  const made = await exotel(t)
  const { client, told } = made.clientOf()
  await causing(told, ['register', 'registered'], () => client.DoRegister())
  const bob = await made.openBob()
  let theirs
  await causing(told, ['call', 'incoming'], async () => (theirs = await bob.call('alice')))
  await causing(told, ['call', 'connected'], () => client.getCall().Answer())
  await theirs.answered
  return { ...made, client, told, bob, theirs, session: client.phone.sessions[0] }
}

/** The REGISTER requests that come to the PBX from now on and ask for more than nothing. */
function registrations(pbx) {
  const requests = []
  pbx.on('message', ({ direction, text }) => {
    if (direction === 'in' && text.startsWith('REGISTER') && !/^Expires: 0\r?$/m.test(text)) requests.push(text)
  })
  return requests
}

describe('mistakes with the Exotel façade', { timeout: 60_000 }, () => {
  test('UnRegister right behind DoRegister leaves the phone unregistered, and DoRegister behind it does not', async (t) => {
    const { clientOf } = await exotel(t)
    const { client, told } = clientOf()
    const connected = next(client.phone, 'connected')
    client.DoRegister()
    await causing(told, ['register', 'unregistered'], () => client.UnRegister())
    await connected
    // Behind the answer to what was on its way.
    for (let round = 0; round < 3; round += 1) await client.phone.sendOptions('echo')
    assert.equal(client.phone.registered, false)
    assert.equal(told.names('register').at(-1), 'unregistered')

    const other = clientOf({ userName: 'alice3' })
    other.client.DoRegister()
    other.client.UnRegister()
    await causing(other.told, ['register', 'registered'], () => other.client.DoRegister())
  })

  test('UnRegister while the connection is lost holds when it is back', async (t) => {
    const { clientOf, pbx } = await exotel(t)
    const { client, told } = clientOf()
    await causing(told, ['register', 'registered'], () => client.DoRegister())
    await causing(told, ['register', 'unregistered'], () => pbx.disconnect('alice'))
    const asked = registrations(pbx)
    client.UnRegister()
    const back = next(client.phone, 'connected')
    client.phone.reconnect()
    await back
    await client.phone.sendOptions('echo')
    assert.deepEqual(asked, [])
    assert.equal(told.names('register').at(-1), 'unregistered')
  })

  test('two toggles in a row leave it as it was', async (t) => {
    const { client, session } = await talking(t)
    const call = client.getCall()
    const heard = []
    for (const event of ['mute', 'unmute', 'hold', 'resume']) session.on(event, () => heard.push(event))
    const [unmuted, resumed] = [next(session, 'unmute'), next(session, 'resume')]
    for (const method of ['MuteToggle', 'MuteToggle', 'HoldToggle', 'HoldToggle']) assert.equal(call[method](), true)
    await Promise.all([unmuted, resumed])
    assert.deepEqual([session.muted, session.held], [false, false])
    assert.deepEqual(heard.sort(), ['hold', 'mute', 'resume', 'unmute'])
    await Promise.all([next(session, 'hold'), call.HoldToggle()])
    await Promise.all([next(session, 'resume'), call.HoldToggle()])
  })

  test('hangs up once, however often it is asked to', async (t) => {
    const { client, told, bob, theirs, complaints } = await talking(t)
    const call = client.getCall()
    await causing(told, ['call', 'callEnded'], () => assert.deepEqual([call.Hangup(), call.Hangup()], [true, true]))
    assert.equal(call.Hangup(), false)
    assert.equal(theirs.state === 'ended' || (await next(theirs, 'terminated')) !== undefined, true)
    let second
    await causing(told, ['call', 'incoming'], async () => (second = await bob.call('alice')))
    const ringing = client.getCall()
    await causing(told, ['call', 'callEnded'], () => assert.deepEqual([ringing.Hangup(), ringing.Hangup(), ringing.Answer()], [true, true, false]))
    await assert.rejects(second.answered, ({ sip }) => sip.code === 486)
    assert.deepEqual(complaints, ['[offhook] Hangup: the call has ended', '[offhook] Answer: the call does not ring'])
  })

  test('finds the call again although the page has another logger', async (t) => {
    const { account, clientOf, client, theirs } = await talking(t)
    const after = clientOf({ phone: { ...account.phone, logger: { ...silent } } })
    const [, , , found] = await after.told.until('call', 'activeSession', 'alice')
    assert.equal(found.callId, theirs.callId)
    assert.equal(client.DoRegister(), false)
  })

  test('says that the options of a phone that is there already stay', async (t) => {
    const { account, clientOf, complaints } = await exotel(t)
    clientOf()
    clientOf({ phone: { ...account.phone, registerExpires: 60 } })
    assert.deepEqual(complaints, ['[offhook] initWebrtc: alice has a phone already, whose options stay as they are'])
  })

  test('an account that makes no sense is false, and the phone of before lives on', async (t) => {
    const { account, client, told, theirs, complaints } = await talking(t)
    assert.equal(client.initWebrtc({ ...account, port: 'x', domain: 'a b' }, () => {}, () => {}), false)
    assert.equal(complaints.at(-1), "[offhook] initWebrtc: Option 'port' must be a port, 1 to 65535, but is a string")
    assert.equal(client.initWebrtc({ ...account, domain: 'a b' }, () => {}, () => {}), false)
    assert.match(complaints.at(-1), /^\[offhook\] initWebrtc: Option 'domain' with 'port' and 'endpoint' must be a ws: or wss: URL/)
    assert.equal(theirs.state, 'active')
    await causing(told, ['call', 'callEnded'], () => client.getCall().Hangup())
  })

  test('names the phone that it is about when a client changes its account', async (t) => {
    const { account, client, told, pbx, bob } = await talking(t)
    await pbx.addUser({ name: 'carol', password: 'carol-password' })
    const carol = { ...account, userName: 'carol', authUser: 'carol', secret: 'carol-password' }
    const tell = (kind) => (...args) => told.tell(kind, ...(kind === 'call' ? args.slice(1) : args))
    const left = told.until('register', 'unregistered', 'alice')
    assert.equal(client.initWebrtc(carol, tell('register'), tell('call'), tell('session')), true)
    await left
    await causing(told, ['register', 'registered', 'carol'], () => client.DoRegister())
    const [, , whose] = await causing(told, ['call', 'incoming'], () => bob.call('carol'))
    assert.equal(whose, 'carol')
  })

  test('asks the platform for no call before there is a phone', async () => {
    const api = { apiKey: 'key', apiToken: 'token', accountSid: 'sid', baseUrl: 'http://127.0.0.1:1' }
    await assert.rejects(new ExotelWebClient().MakeCall(api, { To: '1', CallerId: '2' }), { code: 'ERR_NOT_INITIALIZED' })
  })

  test('callbacks that throw or are not there harm nothing', async (t) => {
    const { account, openBob } = await exotel(t)
    const client = new ExotelWebClient()
    t.after(() => client.destroy())
    const fault = new Error('thrown by a callback')
    const told = []
    const faulty = (kind) => (...args) => {
      told.push(kind === 'call' ? args[1] : args[0])
      throw fault
    }
    const uncaught = await uncaughtBy(async () => {
      assert.equal(client.initWebrtc(account, faulty('register'), faulty('call'), faulty('session')), true)
      const registered = next(client.phone, 'registered')
      assert.equal(client.DoRegister(), true)
      await registered
      const bob = await openBob()
      const call = await bob.call('alice')
      if (!client.phone.pendingSessions.length) await next(client.phone, 'pendingSession')
      client.getCall().Answer()
      await call.answered
      const ended = next(client.phone, 'sessionEnded')
      await call.end()
      await ended
      await client.destroy()
    })
    assert.deepEqual(told, ['sent_request', 'registered', 'incoming', 'connected', 'terminated', 'unregistered'])
    assert.deepEqual(uncaught, told.map(() => fault))
    const bare = new ExotelWebClient()
    t.after(() => bare.destroy())
    assert.equal(bare.initWebrtc({ ...account, userName: 'alice4' }), true)
    await Promise.all([next(bare.phone, 'registered'), bare.DoRegister()])
  })
})
