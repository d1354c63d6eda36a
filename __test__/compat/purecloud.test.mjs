import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink, AudioSource } from 'offhook'
import { PureCloudWebrtcSdk } from 'offhook/compat/purecloud'
import { hears, next, voice } from '../pbx.mjs'
import { logged, platform } from './purecloud-platform.mjs'
import { restOf } from './rest.mjs'

describe('the PureCloud façade', { timeout: 60_000 }, () => {
  test('throws the original texts for missing options and warns of the others', () => {
    assert.throws(() => new PureCloudWebrtcSdk(), { message: 'Options required to create an instance of the SDK' })
    assert.throws(() => new PureCloudWebrtcSdk({ environment: 'mypurecloud.com' }), {
      message: 'Access token is required to create an instance of the SDK',
    })
    const { lines, logger } = logged()
    const options = { accessToken: 'token', username: 'a', logger, logLevel: 'loud', jidResource: 'x', orgId: 'your-org' }
    new PureCloudWebrtcSdk(options)
    assert.ok(lines.includes("warn [offhook] Invalid log level: 'loud'. Default 'info' will be used instead."), lines.join('\n'))
    assert.ok(lines.includes("warn [offhook] Option 'jidResource' is unknown and has no effect"))
    assert.ok(lines.includes("warn [offhook] Option 'orgId' is not a GUID and is not sent"))
  })

  test('says what the original says about environments', async () => {
    const orgId = '0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55'
    for (const [given, text] of [
      [{ orgId }, 'No environment provided, using mypurecloud.com'],
      [{ orgId, environment: 'mypurecluod.com' }, 'Environment is not in the standard list. You may not be able to connect.'],
      [{ environment: 'mypurecloud.de' }, "Option 'orgId' is not given: no X-Organization-Id is sent"],
    ]) {
      const { lines, logger } = logged()
      const sdk = new PureCloudWebrtcSdk({ accessToken: 'token', username: 'a', servers: 'ws://127.0.0.1:1', allowInsecure: true, ...given, logger })
      assert.deepEqual(lines, [`warn [offhook] ${text}`])
      await assert.rejects(sdk.initialize())
      await sdk.destroy()
      assert.deepEqual(lines.filter((line) => line.endsWith(text)), [`warn [offhook] ${text}`], 'once')
    }
  })

  test('names the option that is wrong', () => {
    for (const [wrong, text] of [
      [{ accessToken: 42 }, "Option 'accessToken' must be "],
      [{ baseUrl: 'api.mypurecloud.com' }, "Option 'baseUrl' must be one of false, or an http: or https: URL, but is a string"],
      [{ baseUrl: '' }, "Option 'baseUrl' must be "],
      [{ wsHost: 42 }, "Option 'wsHost' must be a non-empty string, but is a number"],
      [{ logger: {} }, "Option 'logger' must be a logger with a function 'debug'"],
      [{ environment: '' }, "Option 'environment' must be a non-empty string, but is an empty string"],
      [{ iceServers: 'stun:a' }, "Option 'iceServers' must be an array of STUN and TURN servers, but is a string"],
      [{ iceServers: [{ username: 'u' }] }, "Option 'iceServers[0]' needs url or urls, an address or an array of them, but has undefined"],
    ]) {
      const options = { accessToken: 'token', username: 'a', environment: 'mypurecloud.com', ...wrong }
      assert.throws(() => new PureCloudWebrtcSdk(options), ({ code, message }) => code === 'ERR_INVALID_OPTION' && message.startsWith(text), text)
    }
    assert.throws(() => new PureCloudWebrtcSdk('token'), { message: "Option 'options' must be an object, but is a string" })
  })

  test('fails to initialize with the original text, by rejection and by error', async (t) => {
    const { make } = await platform(t)
    const sdk = make({ accessToken: 'wrong' })
    const errors = []
    sdk.on('error', (error, details) => errors.push([error.message, details.code]))
    await assert.rejects(sdk.intialize(), { message: 'Failed to initialize SDK' })
    assert.deepEqual(errors, [['Failed to initialize SDK', 'ERR_AUTHENTICATION_FAILED']])
  })

  test("takes an inbound call with the document's handlers, in its order", async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const order = []
    const ended = Promise.withResolvers?.() ?? later()
    // The document's listeners, with its parameters.
    sdk.on('pendingSession', ({ id, address, conversationId, autoAnswer }) => {
      order.push(['pendingSession', address, conversationId, autoAnswer])
      sdk.acceptPendingSession(id)
    })
    sdk.on('sessionStarted', (session) => {
      order.push(['sessionStarted', session.state, session.conversationId])
      session.on('terminated', (one, reason, { side }) => order.push(['terminated', one === session, reason === 'success', side]))
      session.on('change:connectionState', (one, connectionState) => order.push([one === session, connectionState]))
      session.on('change:active', (one, active) => order.push([one === session, 'active', active]))
      session.on('endOfCandidates', () => order.push(['endOfCandidates']))
    })
    sdk.on('sessionEnded', (session, reason) => {
      order.push(['sessionEnded', session.ended, reason])
      ended.resolve()
    })
    const call = await bob.call('alice', { conversationId: 'conversation-1' })
    await call.answered
    await call.end()
    await ended.promise
    const names = order.map((entry) => entry.join(' '))
    assert.equal(names[0], 'pendingSession bob conversation-1 false')
    assert.equal(names[1], 'sessionStarted pending conversation-1')
    assert.ok(names.includes('endOfCandidates'), names.join('\n'))
    assert.ok(names.includes('true connecting'), names.join('\n'))
    assert.ok(names.includes('true active true'), names.join('\n'))
    assert.deepEqual(names.slice(-2), ['terminated true true remote', 'sessionEnded true success'])
  })

  test('says which calls are outbound, and answers them unless the application does with autoAnswerOutboundCalls: false', async (t) => {
    const { pbx, open, bob } = await platform(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    const sdk = await open()
    const pending = next(sdk, 'pendingSession')
    const outbound = { to: 'alice', with: 'bob', autoAnswer: true, conversationId: 'outbound-1' }
    await pbx.originate(outbound)
    assert.equal((await pending)[0].autoAnswer, true)
    assert.equal(sdk.sessions[0].conversationId, 'outbound-1')
    await sdk.destroy()

    const careful = await open({ autoAnswerOutboundCalls: false })
    const rings = next(careful, 'pendingSession')
    const placed = pbx.originate(outbound)
    const [{ id, autoAnswer }] = await rings
    assert.equal(autoAnswer, true)
    assert.deepEqual(careful.pendingSessions.map((pending) => pending.autoAnswer), [true])
    careful.acceptPendingSession(id, { mediaStream: { tone: 440 } })
    await placed
    assert.equal(careful.sessions.length, 1)
    const inbound = next(careful, 'pendingSession')
    await bob.call('alice')
    assert.equal((await inbound)[0].autoAnswer, false)
  })

  test('answers an outbound call during another one, as the original does', async (t) => {
    const { pbx, open, bob } = await platform(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    const sdk = await open()
    for (const conversationId of ['one', 'other']) await pbx.originate({ to: 'alice', with: 'bob', autoAnswer: true, conversationId })
    assert.deepEqual(sdk.sessions.map((session) => session.conversationId), ['one', 'other'])
  })

  test('has the stream of a session however it was accepted', async (t) => {
    const { open, bob } = await platform(t)
    const sink = new AudioSink()
    const sdk = await open()
    const other = await open({ username: 'alice', audio: { input: 'none', output: sink } })
    await other.phone.unregister()
    for (const [options, kind] of [
      [undefined, 'Session'],
      [{ audioElement: 'none' }, 'Session'],
      [{ autoStartMedia: true, autoConnectSession: true }, 'Session'],
      [{ autoStartMedia: false }, 'AudioSink'],
      [{ audioElement: new AudioSink() }, 'AudioSink'],
    ]) {
      sdk.once('pendingSession', ({ id }) => sdk.acceptPendingSession(id, options))
      const started = next(sdk, 'sessionStarted')
      const call = await bob.call('alice')
      const [session] = await started
      assert.deepEqual(session.streams, [])
      const [one, stream] = await next(session, 'peerStreamAdded')
      assert.equal(one, session)
      assert.deepEqual(session.streams, [stream])
      assert.equal(stream.constructor.name, kind)
      const removed = next(session, 'peerStreamRemoved')
      await call.end()
      assert.equal((await removed)[1], stream)
    }
    const started = next(other, 'sessionStarted')
    await other.startSoftphoneSession({ phoneNumber: 'tone' })
    const [session] = await started
    assert.deepEqual((await next(session, 'peerStreamAdded')).slice(1), [sink])
  })

  test('acceptPendingSession(id, { autoStartMedia: false, autoConnectSession: false }) leaves all to the application', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const { ear, audio } = voice(600)
    const [[{ id }], call] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice', audio)])
    const started = next(sdk, 'sessionStarted')
    sdk.acceptPendingSession(id, { autoStartMedia: false, autoConnectSession: false })
    const [session] = await started
    assert.deepEqual(session.streams, [])
    const streamed = next(session, 'peerStreamAdded')
    await session.addStream({ tone: 1000 })
    assert.equal(call.state, 'pending')
    await session.accept()
    const [one, stream] = await streamed
    assert.equal(one, session)
    assert.deepEqual(session.streams, [stream])
    await hears(stream, 600)
    await hears(ear, 1000)
    const heard = next(call, 'hold')
    await session.hold()
    assert.equal((await heard)[0].side, 'remote')
    assert.equal(session.held, true)
    await session.resume()
    await hears(ear, 1000)
    const quiet = new AudioSource()
    await session.switchStream({ tone: 1000 }, quiet)
    await session.removeStream(quiet)
    const removed = next(session, 'peerStreamRemoved')
    await session.end()
    assert.equal((await removed)[1], stream)
    assert.deepEqual(session.streams, [])
  })

  test('acceptPendingSession(id, { mediaStream: stream, autoConnectSession: true }) sends the stream', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const { ear, audio } = voice(600)
    const [[{ id }]] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice', audio)])
    const mine = new AudioSink({ rate: 16000 })
    sdk.acceptPendingSession(id, { mediaStream: { tone: 1000 }, audioElement: mine, autoConnectSession: true })
    await hears(ear, 1000)
    await hears(mine, 600)
    assert.deepEqual(sdk.sessions[0].streams, [mine])
  })

  test('acceptPendingSession(id, { autoStartMedia: true }) does not connect', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const [[{ id }], call] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice')])
    const started = next(sdk, 'sessionStarted')
    sdk.acceptPendingSession(id, { autoStartMedia: true })
    const [session] = await started
    assert.equal(call.state, 'pending')
    await new Promise((done, failed) => session.accept({}, (error) => (error ? failed(error) : done())))
    await call.answered
  })

  test('tells a cancelled call and one that another client handled, with the id first', async (t) => {
    const { open, bob } = await platform(t)
    const [sdk, other] = [await open(), await open()]
    let [[{ id }], [{ id: theirs }], call] = await Promise.all([
      next(sdk, 'pendingSession'),
      next(other, 'pendingSession'),
      bob.call('alice'),
    ])
    const handled = next(sdk, 'handledPendingSession')
    other.acceptPendingSession(theirs)
    assert.equal((await handled)[0], id)
    await call.end()
    ;[[{ id }], call] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice')])
    const cancelled = next(sdk, 'cancelPendingSession')
    await call.end()
    assert.equal((await cancelled)[0], id)
  })

  test('traces with the level log and never info', async (t) => {
    const { make, bob } = await platform(t)
    const sdk = make({ maxSessions: 1 })
    const levels = new Set()
    const logged = new Promise((resolve) => {
      sdk.on('trace', (level, message, details) => {
        levels.add(level)
        if (level === 'log') resolve([message, details])
      })
    })
    await sdk.initialize()
    await Promise.all([next(sdk, 'pendingSession'), bob.call('alice')])
    const second = await bob.call('alice')
    await assert.rejects(second.answered, { code: 'ERR_CALL_BUSY' })
    assert.equal((await logged)[0], 'An incoming call was refused')
    assert.ok(levels.has('trace') && !levels.has('info'), [...levels].join(' '))
  })

  test('tells every event to a listener of *, its name first', async (t) => {
    const { make } = await platform(t)
    const sdk = make()
    const heard = []
    sdk.on('*', (event) => event !== 'trace' && heard.push(event))
    await sdk.initialize()
    assert.deepEqual(heard, ['connected', 'ready'])
    const down = next(sdk, 'disconnected')
    sdk.disconnect()
    assert.equal((await down)[0], 'Streaming API connection disconnected')
    assert.equal(sdk.connected, false)
    const up = next(sdk, 'connected')
    sdk.reconnect()
    assert.equal((await up)[0].reconnect, true)
  })

  test('startSoftphoneSession asks the public API, and its call is answered whichever comes first', async (t) => {
    const { pbx, open, bob } = await platform(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    for (const first of ['response', 'call']) {
      let placed
      const api = await restOf(t, {
        'POST /api/v2/conversations/calls': async () => {
          const place = () => (placed = pbx.originate({ to: 'alice', with: 'bob', conversationId: `by-${first}` }))
          if (first === 'response') setImmediate(place)
          else await Promise.all([next(sdk, 'pendingSession'), void place()])
          return { id: `by-${first}`, selfUri: `/api/v2/conversations/calls/by-${first}` }
        },
      })
      const sdk = await open({ baseUrl: api.url, autoAnswer: 'announced' })
      const started = next(sdk, 'sessionStarted')
      const conversation = await sdk.startSoftphoneSession({ phoneNumber: '+13175551234', callerId: 'x' })
      assert.deepEqual(conversation, { id: `by-${first}`, selfUri: `/api/v2/conversations/calls/by-${first}` })
      assert.equal((await started)[0].conversationId, `by-${first}`)
      await placed
      const [{ headers, body }] = api.requests
      assert.equal(headers.authorization, 'Bearer alice-token')
      assert.deepEqual(JSON.parse(body), { phoneNumber: '+13175551234', callerId: 'x' })
      await sdk.destroy()
    }
  })

  test('a call that the public API has named is outbound, though no header says so, also where the application answers it', async (t) => {
    const { pbx, open, bob } = await platform(t)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    const api = await restOf(t, { 'POST /api/v2/conversations/calls': { id: 'named' } })
    const sdk = await open({ baseUrl: api.url, autoAnswerOutboundCalls: false })
    await sdk.startSoftphoneSession({ phoneNumber: '1' })
    const rings = next(sdk, 'pendingSession')
    const placed = pbx.originate({ to: 'alice', with: 'bob', conversationId: 'named' })
    const [{ id, autoAnswer }] = await rings
    assert.deepEqual([autoAnswer, sdk.sessions.length], [true, 0])
    sdk.acceptPendingSession(id)
    await placed
  })

  test('endSession disconnects the own participant by the public API', async (t) => {
    const { open, bob } = await platform(t)
    let call
    const api = await restOf(t, {
      'GET /api/v2/users/me': { id: 'user-1' },
      'GET /api/v2/conversations/calls/conversation-2': {
        participants: [
          { id: 'p-0', state: 'connected', user: { id: 'somebody' } },
          { id: 'p-1', state: 'terminated', user: { id: 'user-1' } },
          { id: 'p-2', state: 'connected', user: { id: 'user-1' } },
        ],
      },
      'PATCH /api/v2/conversations/calls/conversation-2/participants/p-2': async () => void (await call.end()),
    })
    const sdk = await open({ baseUrl: `${api.url}/` })
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    call = await bob.call('alice', { conversationId: 'conversation-2' })
    await call.answered
    const ended = next(sdk, 'sessionEnded')
    await sdk.endSession({ conversationId: 'conversation-2' })
    assert.equal((await ended)[1], 'success')
    assert.deepEqual(JSON.parse(api.requests.at(-1).body), { state: 'disconnected' })
  })

  test('endSession ends by SIP and rethrows where the public API fails, and has the original texts', async (t) => {
    const { open, bob } = await platform(t)
    const api = await restOf(t, { 'GET /api/v2/users/me': { status: 401, body: { message: 'Invalid login credentials.' } } })
    const sdk = await open({ baseUrl: api.url })
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    const call = await bob.call('alice', { conversationId: 'conversation-3' })
    await call.answered
    await assert.rejects(sdk.endSession({}), {
      message: 'Unable to end session: must provide session id or conversationId.',
    })
    await assert.rejects(sdk.endSession({ id: 'nobody' }), { message: 'Unable to end session: session not connected.' })
    const [{ id }] = sdk.sessions
    await assert.rejects(sdk.endSession({ id }), { code: 'ERR_HTTP', message: /GET \/api\/v2\/users\/me was answered with 401/ })
    assert.deepEqual(sdk.sessions, [])
  })

  test('without a public API sessions are placed and ended by SIP', async (t) => {
    const { open } = await platform(t)
    const sdk = await open()
    const { id } = await sdk.startSoftphoneSession({ phoneNumber: 'echo' })
    const [session] = sdk.sessions
    await session.session.answered
    await sdk.endSession({ conversationId: id })
    assert.equal(session.state, 'ended')
  })

  test('without survivability a lost WebSocket ends the sessions', async (t) => {
    const { pbx, open, bob } = await platform(t)
    const sdk = await open({ sessionSurvivability: false })
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    const call = await bob.call('alice')
    await call.answered
    const ended = next(sdk, 'sessionEnded')
    await pbx.disconnect('alice')
    assert.equal((await ended)[1], 'connectivity-error')
  })
})

function later() {
  let resolve
  const promise = new Promise((done) => (resolve = done))
  return { promise, resolve }
}
