import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { AudioSink } from 'offhook'
import { BandwidthRtc, BandwidthRtcError, Rooms } from 'offhook/compat/bandwidth'
import { eventually, silent, uncaughtBy } from '../phones.mjs'
import { next, pbxOf, voice } from '../pbx.mjs'
import { hearsAll, quiet } from '../sound.mjs'
import { claimsOf, failure, meeting, written } from './bandwidth-harness.mjs'

describe('the Bandwidth façade', { timeout: 120_000 }, () => {
  test('participants are told of each other, and when one is gone', async (t) => {
    const { rooms, sessionId, join } = await meeting(t)
    const ann = await join('Ann', 600, 'screen of Ann')
    assert.deepEqual(ann.stream.mediaTypes, ['AUDIO'])
    assert.equal(ann.stream.participantId, ann.participant.id)
    const bob = await join('Bob & <Co>', 1000)
    const { stream } = await ann.until(({ available }) => available === 'Bob & <Co>')
    assert.deepEqual(
      [stream.endpointId, stream.participantId, stream.mediaTypes],
      [bob.stream.endpointId, bob.participant.id, ['AUDIO']],
    )
    const told = await bob.until(({ available }) => available === 'screen of Ann')
    assert.equal(told.stream.endpointId, ann.stream.endpointId)
    const both = await rooms.getParticipants(sessionId)
    assert.deepEqual(both.map(({ tag, connected }) => [tag, connected]), [['Ann', true], ['Bob & <Co>', true]])
    await bob.rtc.unpublish(bob.stream)
    await ann.until(({ unavailable }) => unavailable === bob.stream.endpointId)
    // Nobody is told of himself.
    assert.equal(ann.seen.length, 2)
    const again = await bob.rtc.publish({ tone: 1000 })
    await ann.until(({ stream }) => stream?.endpointId === again.endpointId)
    await bob.rtc.disconnect()
    await ann.until(({ unavailable }) => unavailable === again.endpointId)
  })

  test('a callback that throws is told of every stream nevertheless', async (t) => {
    const { join, invite, client } = await meeting(t)
    await join('Ann', 600)
    await join('Bob', 1000)
    const { token } = await invite('Cid')
    const { rtc } = client()
    const fault = new Error('thrown by a callback')
    const told = []
    const uncaught = await uncaughtBy(async () => {
      rtc.onStreamAvailable((stream) => {
        told.push(stream.alias)
        throw fault
      })
      await rtc.connect({ deviceToken: token }, { audio: 'none' })
      await eventually(() => told.length === 2)
    })
    assert.deepEqual([told.sort(), uncaught], [['Ann', 'Bob'], [fault, fault]])
  })

  test('a token holds no function, which could not travel', async (t) => {
    const { open } = await pbxOf(t)
    const host = await open('alice')
    for (const name of ['password', 'accessToken']) {
      const rooms = new Rooms(host, { address: 'sip:alice@pbx.test', account: { uri: 'sip:guest@pbx.test', [name]: () => 'x' } })
      await assert.rejects(rooms.createParticipant(), { message: `'account.${name}' must be a string in a participant's token, but is a function` })
    }
  })

  test('each hears the others and not himself, and nobody of another room', async (t) => {
    const { rooms, pbx, join } = await meeting(t)
    const [ann, bob, cid] = [await join('Ann', 600), await join('Bob', 1000), await join('Cid', 1600)]
    const other = await rooms.createSession({ tag: 'another room' })
    const { participant, token } = await rooms.createParticipant({ tag: 'Dan' })
    await rooms.addParticipantToSession(other.id, participant.id)
    const dan = new BandwidthRtc('silent')
    t.after(() => dan.disconnect())
    const ear = new AudioSink({ rate: 16000 })
    await dan.connect({ deviceToken: token }, { audio: 'none', output: ear, websocketUrl: pbx.url })
    await dan.publish({ tone: 2200 })
    for (const [listener, others, own] of [
      [ann, [1000, 1600], 600],
      [bob, [600, 1600], 1000],
      [cid, [600, 1000], 1600],
    ]) {
      await hearsAll(listener.ear, others, [own, 2200])
    }
    await quiet(ear)
  })

  test('a token lets in one participant, once at a time, and only who has it', async (t) => {
    const { rooms, sessionId, join, invite, client, open, address } = await meeting(t)
    const ann = await join('Ann', 600)
    const key = claimsOf(ann.token).key
    const stranger = await open('bob')
    const called = async (headers) => (await failure((await stranger.call(address, { headers })).answered)).sip?.code
    assert.equal(await called({ 'X-Participant-Token': key }), 403)
    assert.equal(await called({ 'X-Participant-Token': `${key.slice(1)}x` }), 403)
    const refused = await failure(stranger.subscribe(address, 'conference', { headers: { 'X-Participant-Token': 'none' } }))
    assert.equal(refused.sip.code, 403)
    assert.equal((await failure(stranger.subscribe(address, 'conference'))).sip.code, 403)

    const forged = ann.token.split('.')
    forged[1] = Buffer.from(JSON.stringify({ ...claimsOf(ann.token), key: 'x' })).toString('base64url')
    const error = await failure(client().rtc.connect({ deviceToken: forged.join('.') }))
    assert.ok(error instanceof BandwidthRtcError)
    assert.match(error.message, /^'connect' failed: .*403/)

    const outside = await rooms.createParticipant()
    assert.match((await failure(client().rtc.connect({ deviceToken: outside.token }))).message, /403/)
    const gone = await invite('Gone')
    await rooms.removeParticipant(sessionId, gone.participant.id)
    assert.match((await failure(client().rtc.connect({ deviceToken: gone.token }))).message, /403/)
    // Who has left may come again.
    await ann.rtc.unpublish()
    await ann.rtc.publish({ tone: 600 })
  })

  test('a token that is none, or too old, is told from one that is refused', async (t) => {
    const { invite } = await meeting(t, { rooms: { tokenLifetime: 1 } })
    const { token } = await invite('Ann')
    await new Promise((passed) => setTimeout(passed, 5))
    const rtc = new BandwidthRtc('silent')
    const told = async (deviceToken) => (await failure(rtc.connect({ deviceToken }))).message
    assert.equal(await told(token), 'The device token has expired')
    assert.equal(await told('not a token'), 'The device token is no JSON Web Token')
    assert.equal(await told(undefined), 'The device token is no JSON Web Token')
    const claims = { v: 'sip1', sub: 'a', room: 'sip:r@example.com', key: 'k', exp: 1e10 }
    assert.equal(await told(written({ ...claims, v: 'v3' })), "The device token has claims of the form 'v3', not of 'sip1'")
    assert.equal(await told(written({ ...claims, key: 7 })), "The device token has no claim 'key'")
    assert.equal(await told(written(claims)), "The device token brings no account: give one as the option 'account'")
  })

  test('what needs connect or publish says so', async () => {
    const rtc = new BandwidthRtc('silent')
    for (const [method, act] of [
      ['publish', () => rtc.publish()],
      ['unpublish', () => rtc.unpublish()],
      ['sendDtmf', () => rtc.sendDtmf('1')],
    ]) {
      const error = await failure(act())
      assert.deepEqual([error.name, error.message], ['BandwidthRtcError', `You must call 'connect' before '${method}'`])
    }
    rtc.setCameraEnabled(false)
    assert.throws(() => rtc.setCameraEnabled(true, 'x'), /No stream/)
    assert.throws(() => rtc.setMicEnabled(true, 'x'), /No stream/)
    assert.equal((await failure(rtc.watch('x', 'none'))).message, "You must call 'connect' before 'watch'")
    await rtc.disconnect()
    for (const list of [rtc.getAudioInputs(), rtc.getAudioOutputs(), rtc.getMediaDevices()]) {
      for (const device of await list) assert.deepEqual(Object.keys(device), ['deviceId', 'kind', 'label', 'groupId'])
    }
    assert.deepEqual(await rtc.getVideoInputs(), [])
    rtc.setCameras({ list: () => [{ deviceId: 'front', label: 'Front camera' }], open: () => assert.fail('nobody asked') })
    assert.deepEqual(await rtc.getVideoInputs(), [{ deviceId: 'front', label: 'Front camera', kind: 'videoinput', groupId: '' }])
  })

  test('publish takes constraints, and says what it can not send', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const lines = []
    const logger = { ...silent, warn: (line) => lines.push(line) }
    const { rtc } = client('warn')
    await rtc.connect({ deviceToken: token }, { audio: 'none', logger })
    class MediaStream {}
    const cannot = async () => {
      assert.match((await failure(rtc.publish({ video: true }))).message, /There is no camera: give some to 'setCameras', or publish a VideoSource$/)
      assert.match((await failure(rtc.publish({ video: { deviceId: 'front' } }))).message, /There is no camera 'front'$/)
      assert.match((await failure(rtc.publish({ video: new MediaStream() }))).message, /'constraints.video' must be constraints, true or a VideoSource$/)
      assert.match((await failure(rtc.publish({ video: { width: 'wide' } }))).message, /'constraints.video.width' must be a number above 0$/)
      assert.match((await failure(rtc.publish(new MediaStream()))).message, /^Option 'constraints' must be .* but is an object \(MediaStream\)$/)
    }
    await cannot()
    assert.match((await failure(rtc.publish({}))).message, /nothing to publish/)
    const constraints = { audio: { deviceId: { exact: 'none' }, echoCancellation: true }, video: { width: 640 } }
    const stream = await rtc.publish(constraints)
    assert.equal(stream.mediaStream, 'none')
    assert.deepEqual([stream.mediaTypes, stream.ignored], [['AUDIO'], ['video', 'audio.echoCancellation']])
    // A shared screen is a second stream: that there is one already is not what keeps it.
    await cannot()
    assert.deepEqual(lines.map((line) => /constraint '(.*?)'/.exec(line)?.[1]), ['video', 'audio.echoCancellation'])
    assert.match((await failure(rtc.publish())).message, /published already/)
    assert.match((await failure(rtc.unpublish('another'))).message, /No stream/)
    await rtc.unpublish(stream)
    await rtc.unpublish()
  })

  test("the sample's meeting: start muted, ring until the first peer, tell the last one", async (t) => {
    const { invite, client, join } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    // The sample's client, with a bell and a message in place of its page.
    const start_muted_audio = true
    const streams = new Set()
    let ringing = false
    let message = ''
    rtc.onStreamAvailable((stream) => {
      ringing = false
      streams.add(stream.endpointId)
    })
    rtc.onStreamUnavailable((endpointId) => {
      streams.delete(endpointId)
      if (streams.size === 0) message = 'You are the last one'
    })
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    if (start_muted_audio) rtc.setMicEnabled(false)
    const stream = await rtc.publish({ tone: 600 })
    ringing = streams.size === 0
    assert.equal(ringing, true)
    const bob = await join('Bob', 1000)
    await bob.until(({ stream: told }) => told?.endpointId === stream.endpointId)
    await eventually(() => streams.size === 1)
    assert.equal(ringing, false)
    await quiet(bob.ear)
    rtc.setMicEnabled(true, stream)
    await hearsAll(bob.ear, [600], [1000])
    rtc.setMicEnabled(false)
    await quiet(bob.ear)
    await bob.rtc.disconnect()
    await eventually(() => message === 'You are the last one')
  })

  test('who is alone in a room hears it ring, until the first peer comes and after the last has gone', async (t) => {
    const { join } = await meeting(t, { rooms: { waiting: { tone: 425 } } })
    const ann = await join('Ann', 600)
    await hearsAll(ann.ear, [425], [600])
    const bob = await join('Bob', 1000)
    await hearsAll(ann.ear, [1000], [425])
    await hearsAll(bob.ear, [600], [425])
    await bob.rtc.disconnect()
    await hearsAll(ann.ear, [425], [1000])
  })

  test('digits go into the room, and the own level is told', async (t) => {
    const { rooms, invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const joined = next(rooms, 'participantJoined')
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const levels = []
    const stream = await rtc.publish({ tone: 600, level: -12 }, (level) => levels.push(level))
    const [, participant, session] = await joined
    assert.deepEqual([participant.tag, participant.connected], ['Ann', true])
    const digit = next(session, 'dtmf')
    await rtc.sendDtmf('5', stream.endpointId)
    assert.equal((await digit)[0].tone, '5')
    await assert.rejects(rtc.sendDtmf('5', 'another'), /No stream/)
    await eventually(() => levels.at(-1) === 'high')
    rtc.setMicEnabled(false)
    await eventually(() => levels.at(-1) === 'silent')
  })

  test('a participant who is removed is told, and so is everybody when the session ends', async (t) => {
    const { rooms, sessionId, join, client } = await meeting(t)
    const [ann, bob, cid] = [await join('Ann', 600), await join('Bob', 1000), await join('Cid', 1600)]
    for (const one of [ann, bob, cid]) await eventually(() => one.seen.length === 2)
    const unpublished = new Promise((resolve) => bob.rtc.onUnpublished((stream) => resolve(stream)))
    const left = next(rooms, 'participantLeft')
    await rooms.removeParticipant(sessionId, bob.participant.id)
    assert.equal((await unpublished).endpointId, bob.stream.endpointId)
    assert.deepEqual((await left).slice(0, 2).map((value) => value.id ?? value), [sessionId, bob.participant.id])
    for (const one of [ann, cid]) await one.until(({ unavailable }) => unavailable === bob.stream.endpointId)
    await eventually(() => bob.seen.filter(({ unavailable }) => unavailable).length === 2)
    assert.match((await failure(bob.rtc.publish({ tone: 1000 }))).message, /'publish' failed/)

    const over = next(rooms, 'sessionEnded')
    const hungUp = [ann, cid].map(({ rtc }) => new Promise((resolve) => rtc.onUnpublished(resolve)))
    await rooms.endSession(sessionId)
    assert.deepEqual(await over, [{ id: sessionId, tag: 'test room' }, 'ended'])
    await Promise.all(hungUp)
    await ann.until(({ unavailable }) => unavailable === cid.stream.endpointId)
    await assert.rejects(rooms.getParticipants(sessionId), /no session/)
    assert.match((await failure(client().rtc.connect({ deviceToken: ann.token }))).message, /403/)
  })

  test('a session is purged after nine hours, with who is in it', async (t) => {
    const { rooms, pbx, client, host } = await meeting(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { id } = await rooms.createSession({ tag: 'long' })
    const { participant, token } = await rooms.createParticipant()
    await rooms.addParticipantToSession(id, participant.id)
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none', websocketUrl: pbx.url })
    await rtc.publish({ tone: 600 })
    const hungUp = new Promise((resolve) => rtc.onUnpublished(resolve))
    const purged = rooms.once('sessionEnded')
    t.mock.timers.tick(9 * 3_600_000 - 1)
    assert.equal((await rooms.getParticipants(id)).length, 1)
    t.mock.timers.tick(1)
    assert.deepEqual(await purged, [{ id, tag: 'long' }, 'purged'])
    t.mock.timers.reset()
    await hungUp
    await eventually(() => host.sessions.length === 0)
  })

  test('a telephone is dialled into the room', async (t) => {
    const { rooms, sessionId, join, open, warnings } = await meeting(t)
    const ann = await join('Ann', 600)
    const telephone = await open('bob')
    const { ear, audio } = voice(1000)
    telephone.on('pendingSession', ({ id }) => telephone.acceptPendingSession(id, audio))
    const { participant } = await rooms.createParticipant({ tag: 'Telephone' })
    await rooms.addParticipantToSession(sessionId, participant.id)
    const session = await rooms.dial(participant.id, 'bob')
    assert.ok(session.active)
    await ann.until(({ available }) => available === 'Telephone')
    await Promise.all([hearsAll(ear, [600], [1000]), hearsAll(ann.ear, [1000], [600])])
    await rooms.removeParticipant(sessionId, participant.id)
    await ann.until(({ unavailable }) => unavailable !== undefined)
    await eventually(() => telephone.sessions.length === 0)

    const nobody = await rooms.createParticipant({ tag: 'Nobody' })
    await rooms.addParticipantToSession(sessionId, nobody.participant.id)
    assert.equal((await failure(rooms.dial(nobody.participant.id, 'nobody'))).sip.code, 404)
    assert.deepEqual((await rooms.getParticipants(sessionId)).map(({ tag, connected }) => [tag, connected]), [['Ann', true], ['Nobody', false]])
    assert.deepEqual(warnings, [])
  })

  test('calls and subscriptions without a token are the application’s, or nobody’s', async (t) => {
    const { host, open, address } = await meeting(t)
    const bob = await open('bob')
    assert.equal((await failure((await bob.call(address)).answered)).sip.code, 403)
    host.on('pendingSession', ({ id }) => host.rejectPendingSession(id, { code: 480 }))
    const call = await bob.call(address)
    assert.equal((await failure(call.answered)).sip.code, 480)
    host.on('subscriptionRequest', ({ id, headers }) => !headers['x-participant-token'] && host.acceptSubscription(id))
    const subscription = await bob.subscribe(address, 'conference')
    await subscription.unsubscribe()
  })

  test('no token and no key is in any log', async (t) => {
    const { host, invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client('trace')
    const lines = []
    const write = (...line) => lines.push(JSON.stringify(line))
    await rtc.connect({ deviceToken: token }, { audio: 'none', logger: { debug: write, log: write, info: write, warn: write, error: write } })
    await rtc.publish({ tone: 600 }, undefined, 'a name')
    rtc.setLogLevel('error')
    const before = lines.length
    await rtc.unpublish()
    assert.equal(lines.length, before)
    assert.ok(lines.some((line) => line.includes('X-Participant-Token')), 'the messages are not traced at all')
    const { key, sip } = claimsOf(token)
    for (const secret of [token, key, sip.password]) {
      assert.ok(![...lines, ...host.log].some((line) => line.includes(secret)), 'a secret is in a log')
    }
  })

  test('a roster may tell only what has changed', async () => {
    const { Roster } = await import('../../dist/compat/bandwidth/roster.js')
    const roster = new Roster()
    const endpoint = (entity, more) => ({ entity, state: 'full', status: 'connected', media: [{ id: '1', type: 'audio' }], ...more })
    const user = (entity, endpoints, more) => ({ entity, state: 'full', endpoints, ...more })
    const told = (version, users, state = 'partial') => roster.apply({ entity: 'sip:c', version, state, users })
    const known = () => [...roster.endpoints()].map(({ user: of, name, endpoint: { entity, status } }) => [of, name, entity, status])
    told(1, [user('a', [endpoint('a1')], { displayText: 'Ann' }), user('b', [endpoint('b1')])], 'full')
    told(2, [user('b', [endpoint('b2')], { state: 'partial' }), user('c', [endpoint('c1')])])
    assert.deepEqual(known(), [
      ['a', 'Ann', 'a1', 'connected'],
      ['b', undefined, 'b1', 'connected'],
      ['b', undefined, 'b2', 'connected'],
      ['c', undefined, 'c1', 'connected'],
    ])
    assert.equal(told(2, [user('a', [], { state: 'deleted' })]), false)
    told(3, [
      user('a', [endpoint('a1', { state: 'partial', status: 'on-hold', media: [] })], { state: 'partial' }),
      user('b', [endpoint('b1', { state: 'deleted' })], { state: 'partial' }),
      user('c', [], { state: 'deleted' }),
    ])
    assert.deepEqual(known(), [['a', 'Ann', 'a1', 'on-hold'], ['b', undefined, 'b2', 'connected']])
    assert.equal([...roster.endpoints()][0].endpoint.media.length, 1)
    // A stream that comes or changes leaves the others as they were.
    const streams = (media) => user('a', [endpoint('a1', { state: 'partial', media })], { state: 'partial' })
    told(4, [streams([{ id: '2', type: 'video' }])])
    told(5, [streams([{ id: '2', type: 'video', status: 'inactive' }])])
    assert.deepEqual([...roster.endpoints()][0].endpoint.media, [
      { id: '1', type: 'audio' },
      { id: '2', type: 'video', status: 'inactive' },
    ])
    // A subscription that was made anew begins again.
    told(1, [user('d', [endpoint('d1')])], 'full')
    assert.deepEqual(known().map(([entity]) => entity), ['d'])
    told(2, [], 'deleted')
    assert.deepEqual(known(), [])
  })

  test('a page that is loaded again takes the place of its call that is interrupted', async () => {
    const phone = new EventEmitter()
    const ended = []
    let calls = 0
    const arrive = (token) => {
      const session = Object.assign(new EventEmitter(), {
        id: randomUUID(),
        state: 'active',
        active: true,
        interrupted: false,
        number: (calls += 1),
        async end() {
          ended.push(this.number)
          this.emit('terminated', this, { condition: 'success' })
        },
      })
      phone.answer = async () => (phone.emit('sessionStarted', session), session)
      phone.emit('pendingSession', { id: session.id, headers: { 'x-participant-token': [claimsOf(token).key] } })
      return session
    }
    const refused = []
    phone.rejectPendingSession = async (id, { code }) => refused.push(code)
    phone.conference = async () => ({ add: async () => {}, end: async () => {} })
    const rooms = new Rooms(phone, { address: 'sip:rooms@example.com' })
    const told = []
    rooms.on('participantJoined', (_, __, { number }) => told.push(`joined ${number}`))
    rooms.on('participantLeft', () => told.push('left'))
    const session = await rooms.createSession()
    const { participant, token } = await rooms.createParticipant()
    await rooms.addParticipantToSession(session.id, participant.id)
    const first = arrive(token)
    arrive(token)
    assert.deepEqual([refused, told], [[403], ['joined 1']])
    first.interrupted = true
    const third = arrive(token)
    assert.deepEqual([ended, told], [[1], ['joined 1', 'joined 3']])
    await third.end()
    assert.deepEqual(told.slice(2), ['left'])
    await rooms.close()
  })

  test('a participant has 64 calls beside the one with the sound, and no more', async () => {
    const phone = new EventEmitter()
    const sessions = new Map()
    // Every other one never begins.
    phone.answer = (id) => (sessions.size % 2 ? Promise.resolve(phone.emit('sessionStarted', sessions.get(id))) : new Promise(() => {}))
    const refused = []
    phone.rejectPendingSession = async (id, { code }) => refused.push(code)
    const rooms = new Rooms(phone, { address: 'sip:rooms@example.com' })
    const room = await rooms.createSession()
    const { participant, token } = await rooms.createParticipant()
    await rooms.addParticipantToSession(room.id, participant.id)
    const show = () => {
      const id = randomUUID()
      const session = Object.assign(new EventEmitter(), { id, state: 'active', active: true, streams: [] })
      session.end = async () => session.emit('terminated', session, { condition: 'success' })
      sessions.set(id, session)
      const headers = { 'x-participant-token': [claimsOf(token).key], 'x-room-call': ['publish'] }
      phone.emit('pendingSession', { id, headers, video: true })
      return session
    }
    const [first, second] = Array.from({ length: 66 }, show)
    assert.deepEqual(refused, [403, 403])
    // One that has ended, and one that never began, make room.
    await first.end()
    phone.emit('cancelPendingSession', second.id)
    show()
    show()
    show()
    assert.deepEqual(refused, [403, 403, 403])
    await rooms.close()
  })

  test('what rooms can not do is said', async (t) => {
    const { rooms, sessionId, host, address, invite } = await meeting(t, { rooms: { maxParticipants: 1 } })
    assert.throws(() => new Rooms(host, {}), /address/)
    assert.throws(() => new Rooms(host, { address, purgeAfter: 0 }), /purgeAfter/)
    await assert.rejects(rooms.createSession({ tag: 'x'.repeat(257) }), /tag/)
    await assert.rejects(rooms.addParticipantToSession(sessionId, randomUUID()), /no participant/)
    await invite('Ann')
    await assert.rejects(invite('Bob'), /1 participants already/)
    const { participant } = await rooms.createParticipant()
    await assert.rejects(rooms.dial(participant.id, 'bob'), /in no session/)
    await assert.rejects(rooms.removeParticipant(sessionId, participant.id), /not in this session/)
    await rooms.close()
    await assert.rejects(rooms.createSession(), /closed/)
  })
})
