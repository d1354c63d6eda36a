import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink } from 'offhook'
import { PureCloudWebrtcSdk } from 'offhook/compat/purecloud'
import { hears, next, voice } from '../pbx.mjs'
import { uncaughtBy } from '../phones.mjs'
import { logged, platform } from './purecloud-platform.mjs'

describe('mistakes with the PureCloud façade', { timeout: 60_000 }, () => {
  test('takes every option of a phone, and ICE servers as browsers have them', () => {
    const { lines, logger } = logged()
    const iceServers = [{ url: 'stun:127.0.0.1:3478', credentialType: 'password' }]
    const options = { accessToken: 'token', username: 'a', holdOthers: true, followRedirects: true, iceServers, logger }
    new PureCloudWebrtcSdk(options)
    assert.deepEqual(lines.filter((line) => line.includes('no effect')), [])
    assert.throws(() => new PureCloudWebrtcSdk({ accessToken: 'token', iceTransportPolicy: 'none' }), { code: 'ERR_INVALID_OPTION' })
  })

  test('accepts with options that it does not know, and with none', async (t) => {
    const { make, bob } = await platform(t)
    const { lines, logger } = logged()
    const sdk = make({ logger })
    await sdk.initialize()
    for (const options of [null, { sessionType: 'softphone', mediaStream: null }]) {
      sdk.once('pendingSession', ({ id }) => sdk.acceptPendingSession(id, options))
      const call = await bob.call('alice')
      await call.answered
      await call.end()
    }
    assert.deepEqual(lines.slice(1), ["warn [offhook] Option 'sessionType' is unknown and has no effect"])
  })

  test('tells error what is wrong with an acceptance, and keeps the first one', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    for (const args of [[], ['nobody', { autoStartMedia: false }], ['nobody', { audioElement: 5 }]]) {
      const told = next(sdk, 'error')
      assert.equal(sdk.acceptPendingSession(...args), undefined)
      assert.ok((await told)[0] instanceof Error)
    }
    const { audio } = voice(600)
    const [[{ id }]] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice', audio)])
    const [mine, second] = [new AudioSink({ rate: 16000 }), new AudioSink({ rate: 16000 })]
    sdk.acceptPendingSession(id, { audioElement: mine })
    sdk.acceptPendingSession(id, { audioElement: second })
    await hears(mine, 600)
    assert.deepEqual(sdk.sessions[0].streams, [mine])
  })

  test('a stream that another overtakes is no error, and is sent once the other is removed', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const errors = []
    sdk.on('error', (error) => errors.push(error.code))
    const { ear, audio } = voice(600)
    const [[{ id }]] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice', audio)])
    const started = next(sdk, 'sessionStarted')
    sdk.acceptPendingSession(id)
    const [session] = await started
    const [low, high] = [{ tone: 500 }, { tone: 1000 }]
    const acts = Array.from({ length: 10 }, () => [
      session.addStream(low),
      session.switchStream(low, high),
      session.removeStream(high),
      session.addStream(low),
      session.removeStream(low),
    ]).flat()
    const outcomes = await Promise.allSettled([...acts, session.addStream(high), session.addStream(low)])
    assert.equal(outcomes.at(-1).status, 'fulfilled')
    for (const { status, reason } of outcomes) assert.equal(status === 'fulfilled' || reason.code, status === 'fulfilled' || 'ERR_ABORTED')
    assert.deepEqual(errors, [])
    await hears(ear, 500)
    await session.removeStream(low)
    await hears(ear, 1000)
  })

  test('what fails in a method of a session goes to error, and is no unhandled rejection', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const started = next(sdk, 'sessionStarted')
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id, { autoConnectSession: false }))
    await bob.call('alice')
    const [session] = await started
    for (const act of [() => session.hold(), () => session.addStream({ tone: 'high' }), () => session.switchStream('none', 5)]) {
      const told = next(sdk, 'error')
      act()
      const [error, details] = await told
      assert.match(error.code, /^ERR_/)
      assert.equal(details.sessionId, session.id)
    }
    await assert.rejects(session.resume(), { code: 'ERR_SESSION_STATE' })
  })

  test('a listener that throws takes no other event with it', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    const fault = new Error('thrown by a listener')
    const faulty = () => {
      throw fault
    }
    const { ear, audio } = voice(600)
    const heard = []
    sdk.on('sessionStarted', (session) => {
      for (const event of ['change:connectionState', 'peerStreamAdded', 'peerStreamRemoved']) session.on(event, faulty)
      for (const event of ['peerStreamAdded', 'terminated']) session.on(event, () => heard.push(event))
      session.prependListener('peerStreamAdded', () => heard.push('peerStreamAdded'))
    })
    sdk.on('pendingSession', faulty)
    const uncaught = await uncaughtBy(async () => {
      const pending = next(sdk, 'pendingSession').catch(() => {})
      const call = await bob.call('alice', audio)
      await pending
      sdk.acceptPendingSession(sdk.pendingSessions[0].id, { mediaStream: { tone: 1000 }, autoStartMedia: false })
      await hears(ear, 1000)
      const ended = next(sdk, 'sessionEnded')
      await call.end()
      await ended
    })
    assert.deepEqual(heard, ['peerStreamAdded', 'terminated'])
    assert.ok(uncaught.length >= 4 && uncaught.every((error) => error === fault), String(uncaught))
  })

  test('tells an error to a listener of * and throws nothing', async (t) => {
    const { open } = await platform(t)
    const sdk = await open()
    const heard = new Promise((resolve) => sdk.on('*', (event, error) => event === 'error' && resolve(error)))
    sdk.acceptPendingSession('nobody')
    assert.match((await heard).code, /^ERR_/)
  })

  test('says what failed to initialize in details, as the original does', async (t) => {
    const { make } = await platform(t)
    const sdk = make({ accessToken: 'wrong' })
    await assert.rejects(sdk.initialize(), ({ details, cause }) => details === cause && /401/.test(details.message))
  })

  test('two SDKs of two users in one process know their own sessions only', async (t) => {
    const { pbx, open } = await platform(t)
    await pbx.addUser({ name: 'carol', token: 'carol-token' })
    const [alice, carol] = [await open(), await open({ username: 'carol', accessToken: 'carol-token' })]
    carol.on('pendingSession', ({ id }) => carol.acceptPendingSession(id))
    const theirs = next(carol, 'sessionStarted')
    await alice.startSoftphoneSession({ phoneNumber: 'carol' })
    const [session] = await theirs
    await alice.sessions[0].session.answered
    assert.deepEqual([alice.sessions.length, carol.sessions], [1, [session]])
    await carol.endSession({ id: session.id })
    await assert.rejects(alice.endSession({ id: session.id }), { message: 'Unable to end session: session not connected.' })
  })

  test('after destroy its methods say so', async (t) => {
    const { open } = await platform(t)
    const sdk = await open()
    await sdk.destroy()
    await sdk.destroy()
    assert.equal(sdk.connected, false)
    const told = next(sdk, 'error')
    sdk.acceptPendingSession('d7b5a1d6-0f4a-4a55-8a40-d6b5d5b7c1aa')
    assert.equal((await told)[0].code, 'ERR_DESTROYED')
    await assert.rejects(sdk.initialize(), { code: 'ERR_DESTROYED' })
    await assert.rejects(sdk.startSoftphoneSession(), { code: 'ERR_INVALID_ARGUMENT' })
    await assert.rejects(sdk.startSoftphoneSession({ phoneNumber: 'echo' }), { code: 'ERR_DESTROYED' })
    await assert.rejects(sdk.endSession(null), /must provide session id/)
  })
})
