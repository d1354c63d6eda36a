// Rooms with pictures: each participant's are forwarded as they are to those who watch them.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { describe, test } from 'node:test'
import { SoftphoneError, VideoSink, VideoSource } from 'offhook'
import { Rooms } from 'offhook/compat/bandwidth'
import { OwnStream } from '../../dist/compat/bandwidth/own-stream.js'
import { film, h264Frame, nameOf, vp8Frame } from '../frames.mjs'
import { voice } from '../pbx.mjs'
import { eventually } from '../phones.mjs'
import { hearsAll } from '../sound.mjs'
import { Watching } from '../../dist/compat/bandwidth/watching.js'
import { claimsOf, failure, meeting } from './bandwidth-harness.mjs'

/** A camera that films whoever it is called after. */
function cameraOf(t, who, codec = 'vp8') {
  const source = new VideoSource({ codecs: [codec] })
  t.after(film(source, who, codec === 'vp8' ? vp8Frame : h264Frame))
  t.after(() => source.close())
  return source
}

/** Somebody with a camera and a voice in the room. */
async function filmed({ invite, client }, t, name, frequency = 600) {
  const { participant, token } = await invite(name)
  const { rtc, seen, until } = client()
  const { ear, audio } = voice(frequency)
  await rtc.connect({ deviceToken: token }, { audio: 'none', output: ear, codecs: ['PCMU'] })
  const camera = cameraOf(t, name)
  const stream = await rtc.publish({ audio: audio.mediaStream, video: camera }, undefined, name)
  return { name, participant, token, rtc, seen, until, ear, stream, camera }
}

/** What somebody sees of a stream. */
async function eyeOn(t, rtc, stream) {
  const sink = new VideoSink()
  t.after(() => sink.destroy())
  const names = []
  sink.on('data', (frame) => names.push(nameOf(frame)))
  // A machine that is too busy for another call says so, and takes it later.
  while (!(await rtc.watch(stream, sink).then(() => true, refusedAsBusy))) await new Promise((passed) => setTimeout(passed, 250))
  return { sink, names, seesNext: (many = 5) => seesMore(names, many) }
}

function refusedAsBusy(error) {
  if (error.message.includes('This machine has no time') || error.cause?.sip?.code === 503) return false
  throw error
}

async function seesMore(names, many) {
  const { length } = names
  await eventually(() => names.length >= length + many)
}

describe('what is published', () => {
  const claims = { room: 'sip:rooms@example.com', key: 'key', sub: 'participant' }
  /** A stream and its call, which does nothing by itself. */
  const published = (more = {}) => {
    const told = []
    const video = new VideoSource()
    const session = { on: () => {}, mute: () => (told.push('mute'), new Promise(() => {})), muteVideo: async () => void told.push('muteVideo'), ...more }
    const own = new OwnStream({ audio: 'none', video, cameras: { close: (source) => told.push(['closed', source === video]) }, ignored: [] })
    return { told, session, own }
  }
  const wish = { output: undefined, alias: undefined, enabled: { mic: false, camera: false }, begun: () => {} }

  test('is muted all at once: the camera does not wait until the microphone is', async () => {
    const { told, session, own } = published()
    void own.publish({ call: async () => session }, claims, wish)
    await new Promise(setImmediate)
    assert.deepEqual(told, ['mute', 'muteVideo'])
  })

  test('lets go of its camera also if its call can not be ended', async () => {
    const { told, session, own } = published({ mute: async () => {}, answered: new Promise(() => {}), end: () => Promise.reject(new Error('it is gone')) })
    void own.publish({ call: async () => session }, claims, wish)
    await new Promise(setImmediate)
    told.length = 0
    assert.equal((await failure(own.end())).message, 'it is gone')
    assert.deepEqual(told, [['closed', true]])
  })
})

/** A call that does nothing by itself. */
function callOf(id, more = {}) {
  const session = Object.assign(new EventEmitter(), { id, state: 'active', active: true, direction: 'incoming', streams: [], outputs: [], ...more })
  session.setVideoOutput = async (_, output) => void session.outputs.push(output)
  session.end = async () => {}
  return session
}

describe('what is watched', () => {
  test('is called for no more if its pictures go nowhere, and goes on if they went somewhere before', async () => {
    const calls = []
    const call = async () => {
      const session = callOf(String(calls.length), { streams: [{ id: '1' }], answered: Promise.resolve(), ended: 0 })
      session.setVideoOutput = async (_, output) => output === 'taken' && assert.fail('another stream goes into it')
      session.end = async () => {
        session.ended += 1
        session.emit('terminated')
      }
      calls.push(session)
      return session
    }
    const watching = new Watching()
    const watch = (output) => watching.watch({ call }, {}, 'stream', output)
    assert.equal((await failure(watch('taken'))).message, 'another stream goes into it')
    assert.deepEqual(calls.map(({ ended }) => ended), [1])
    await watch('sink')
    assert.equal((await failure(watch('taken'))).message, 'another stream goes into it')
    assert.deepEqual(calls.map(({ ended }) => ended), [1, 0])
    await watch('none')
    assert.deepEqual(calls.map(({ ended }) => ended), [1, 1])
  })

  /** Rooms on a phone that does nothing by itself, in which a screen is shown, and somebody who is about to watch it. */
  async function arriving(t) {
    const accepted = new Map()
    const refused = []
    const phone = Object.assign(new EventEmitter(), {
      // Later, as an engine does it.
      answer: async (id, options) => (accepted.set(id, options), await null, phone.emit('accepted', id)),
      rejectPendingSession: async (id, { code }) => void (refused.push([id, code]), phone.emit('refused', id)),
    })
    const warnings = []
    const rooms = new Rooms(phone, { address: 'sip:rooms@example.com', logger: { warn: (line) => warnings.push(line) } })
    t.after(() => rooms.close())
    const { id: sessionId } = await rooms.createSession()
    const { participant, token } = await rooms.createParticipant()
    await rooms.addParticipantToSession(sessionId, participant.id)
    const calls = (id, call, more = {}) => {
      const headers = { 'x-participant-token': [claimsOf(token).key], 'x-room-call': [call], ...more }
      phone.emit('pendingSession', { id, headers, video: true })
    }
    calls('screen', 'publish')
    const screen = callOf('screen', { streams: [{ id: '1' }] })
    phone.emit('sessionStarted', screen)
    const watches = () => calls('watching', 'watch', { 'x-endpoint-id': ['screen'] })
    /** Resolves with what the call that watches is accepted with. */
    const accepts = async () => {
      watches()
      await once(phone, 'accepted')
      return accepted.get('watching')
    }
    return { phone, rooms, sessionId, participant, screen, refused, warnings, watches, accepts }
  }

  test('is shown by what the publisher sends, as it comes', async (t) => {
    const { accepts } = await arriving(t)
    assert.deepEqual(await accepts(), { mediaStream: 'none', audioElement: 'none', video: { session: 'screen', stream: '1' } })
  })

  test('is over if its stream ended, or its watcher was removed, before it began', async (t) => {
    for (const happens of ['stream', 'removal', 'call']) {
      const { phone, rooms, sessionId, participant, screen, accepts } = await arriving(t)
      await accepts()
      const watching = callOf('watching', happens === 'call' ? { state: 'ended' } : {})
      let ended = 0
      watching.end = async () => void (ended += 1)
      if (happens === 'stream') screen.streams = [{ id: '2' }]
      if (happens === 'removal') await rooms.removeParticipant(sessionId, participant.id)
      phone.emit('sessionStarted', watching)
      await new Promise(setImmediate)
      assert.equal(ended, happens === 'call' ? 0 : 1, happens)
    }
  })

  test('is refused if it can not be shown: its caller waits for nothing', async (t) => {
    for (const [code, refusedWith] of [['ERR_SESSION_STATE', 500], ['ERR_TOO_MANY_SESSIONS', 503]]) {
      const { phone, refused, warnings, watches } = await arriving(t)
      phone.answer = async () => Promise.reject(new SoftphoneError('no more', { code, type: 'session' }))
      watches()
      await once(phone, 'refused')
      assert.deepEqual([refused, warnings], [[['watching', refusedWith]], ['[offhook] A call could not be accepted: no more']])
    }
  })

  test('is refused no more if its caller has given up', async (t) => {
    const { phone, refused, warnings, watches } = await arriving(t)
    let fail
    phone.answer = () => new Promise((_, reject) => (fail = reject))
    watches()
    phone.emit('cancelPendingSession', 'watching')
    fail(new SoftphoneError('cancelled', { code: 'ERR_SESSION_CANCELLED', type: 'session' }))
    await new Promise(setImmediate)
    assert.deepEqual([refused, warnings], [[], []])
  })

  test('is called for again while a machine has no time for it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const busy = new SoftphoneError('busy', { code: 'ERR_CALL_FAILED', type: 'call', sip: { code: 503, reason: 'Service Unavailable' } })
    let calls = 0
    const phone = { call: async () => (calls++, callOf('watching', { streams: [{ id: '1' }], answered: calls < 3 ? Promise.reject(busy) : Promise.resolve() })) }
    const watching = new Watching()
    const watched = watching.watch(phone, {}, 'stream', 'sink')
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise(setImmediate)
      t.mock.timers.tick(500)
    }
    await watched
    assert.equal(calls, 3)
    calls = 0
    const refusing = { call: async () => (calls++, assert.fail('refused')) }
    assert.match((await failure(watching.watch(refusing, {}, 'other', 'sink'))).message, /refused/)
    assert.equal(calls, 1)
  })
})

describe('a room with pictures', { timeout: 120_000 }, () => {
  test('four people see each other, each in a stream of their own, and hear each other', async (t) => {
    const room = await meeting(t)
    const people = []
    for (const [index, name] of ['Ann', 'Bob', 'Cid', 'Dora'].entries()) people.push(await filmed(room, t, name, 600 + index * 400))
    for (const { name, stream, until, rtc, seen } of people) {
      assert.deepEqual(stream.mediaTypes, ['AUDIO', 'VIDEO'])
      for (const other of people.filter((one) => one.name !== name)) {
        const { stream: theirs } = await until(({ available }) => available === other.name)
        assert.deepEqual(theirs.mediaTypes, ['AUDIO', 'VIDEO'])
        const { names, seesNext } = await eyeOn(t, rtc, theirs)
        await seesNext(10)
        assert.ok(names.every((one) => one.startsWith(`${other.name} `)), names.join())
        const numbers = names.map((one) => Number(one.split(' ')[1]))
        assert.deepEqual(numbers, [...numbers].sort((one, other) => one - other))
        // One process has both ends of all their calls, and a slow machine takes only so many.
        await rtc.watch(theirs, 'none')
      }
      assert.equal(seen.filter(({ available }) => available === name).length, 0)
    }
    const [ann] = people
    await hearsAll(ann.ear, [1000, 1400, 1800], [600])
  })

  test('a stream that ends is told once to everybody, and its watchers are let go', async (t) => {
    const room = await meeting(t)
    const [ann, bob] = [await filmed(room, t, 'Ann'), await filmed(room, t, 'Bob')]
    const { stream } = await ann.until(({ available }) => available === 'Bob')
    const { seesNext } = await eyeOn(t, ann.rtc, stream)
    await seesNext()
    await bob.rtc.unpublish()
    await ann.until(({ unavailable }) => unavailable === stream.endpointId)
    await eventually(() => ann.rtc.phone.sessions.length === 1)
    assert.match((await failure(ann.rtc.watch(stream, new VideoSink()))).message, /There is no stream of the id/)
    assert.equal(ann.seen.filter(({ unavailable }) => unavailable === stream.endpointId).length, 1)
    await eventually(() => room.host.sessions.length === 1)
  })

  test('a screen is a stream beside the camera, with an end of its own', async (t) => {
    const room = await meeting(t)
    const [ann, bob] = [await filmed(room, t, 'Ann'), await filmed(room, t, 'Bob')]
    const screen = await bob.rtc.publish(cameraOf(t, 'screen'), undefined, 'screen of Bob')
    assert.deepEqual([screen.mediaTypes, screen.mediaStream], [['VIDEO'], undefined])
    assert.notEqual(screen.endpointId, bob.stream.endpointId)
    const { stream } = await ann.until(({ available }) => available === 'screen of Bob')
    assert.deepEqual([stream.endpointId, stream.participantId, stream.mediaTypes], [screen.endpointId, bob.participant.id, ['VIDEO']])
    const { names, seesNext } = await eyeOn(t, ann.rtc, stream)
    await seesNext()
    assert.ok(names.every((name) => name.startsWith('screen ')))
    // It is no guest of its own, and muting the camera leaves it alone.
    assert.equal((await room.rooms.getParticipants(room.sessionId)).length, 2)
    bob.rtc.setCameraEnabled(false)
    await seesNext()
    await bob.rtc.unpublish(screen)
    await ann.until(({ unavailable }) => unavailable === screen.endpointId)
    assert.deepEqual(ann.seen.filter((entry) => entry.unavailable).map(({ unavailable }) => unavailable), [screen.endpointId])
    await hearsAll(ann.ear, [600], [])
  })

  test('a screen is seen that is published while the camera is hidden', async (t) => {
    const room = await meeting(t)
    const [ann, bob] = [await filmed(room, t, 'Ann'), await filmed(room, t, 'Bob')]
    bob.rtc.setCameraEnabled(false)
    await bob.rtc.publish(cameraOf(t, 'screen'), undefined, 'screen of Bob')
    const { stream } = await ann.until(({ available }) => available === 'screen of Bob')
    const { seesNext } = await eyeOn(t, ann.rtc, stream)
    await seesNext()
    assert.deepEqual(bob.rtc.phone.sessions.map(({ videoMuted }) => videoMuted).sort(), [false, true])
  })

  test('the camera is hidden and shown, before it is published too, and the sound goes on', async (t) => {
    const room = await meeting(t)
    const ann = await filmed(room, t, 'Ann', 600)
    const { token } = await room.invite('Bob')
    const { rtc } = room.client()
    const { audio } = voice(1000)
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    rtc.setCameraEnabled(false)
    const bob = await rtc.publish({ audio: audio.mediaStream, video: cameraOf(t, 'Bob') }, undefined, 'Bob')
    const { stream } = await ann.until(({ available }) => available === 'Bob')
    assert.deepEqual(stream.mediaTypes, ['AUDIO', 'VIDEO'])
    const { names, seesNext } = await eyeOn(t, ann.rtc, stream)
    await hearsAll(ann.ear, [1000], [600])
    assert.deepEqual(names, [])
    rtc.setCameraEnabled(true)
    await seesNext()
    rtc.setCameraEnabled(false, bob)
    await eventually(() => rtc.phone.sessions[0].videoMuted)
    await new Promise((passed) => setTimeout(passed, 300))
    const { length } = names
    await hearsAll(ann.ear, [1000], [600])
    assert.equal(names.length, length)
    assert.equal(ann.seen.filter(({ unavailable }) => unavailable).length, 0)
    rtc.setCameraEnabled(true, bob)
    await seesNext()
  })

  test('who comes late sees a picture within a second, which begins with a key frame', async (t) => {
    const room = await meeting(t)
    const ann = await filmed(room, t, 'Ann')
    const bob = await filmed(room, t, 'Bob')
    const { seesNext } = await eyeOn(t, bob.rtc, (await bob.until(({ available }) => available === 'Ann')).stream)
    await seesNext(30)
    const cid = await filmed(room, t, 'Cid')
    const { stream } = await cid.until(({ available }) => available === 'Ann')
    const sink = new VideoSink()
    const started = performance.now()
    const first = new Promise((resolve) => sink.once('data', resolve))
    await cid.rtc.watch(stream, sink)
    const frame = await first
    t.diagnostic(`${Math.round(performance.now() - started)} ms from watch() to the first picture`)
    assert.equal(frame.key, true)
    assert.ok(ann.camera.active)
  })

  test('pictures that come in another codec than a watcher agreed on are seen: at first, and when the publisher changes', async (t) => {
    const room = await meeting(t)
    const [ann, { token }] = [await filmed(room, t, 'Ann'), await room.invite('Bob')]
    const { rtc } = room.client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    rtc.setCameraEnabled(false)
    await rtc.publish({ audio: 'none', video: cameraOf(t, 'Bob', 'h264') }, undefined, 'Bob')
    const { names, seesNext } = await eyeOn(t, ann.rtc, (await ann.until(({ available }) => available === 'Bob')).stream)
    assert.deepEqual(names, [])
    rtc.setCameraEnabled(true)
    await seesNext()
    await rtc.phone.sessions[0].setVideo(cameraOf(t, 'another', 'vp8'))
    await eventually(() => names.at(-1).startsWith('another '))
    await seesNext()
    assert.deepEqual(room.warnings, [])
  })

  test('who takes no pictures of the codec in which they come is let go, and told why', async (t) => {
    const room = await meeting(t)
    const [ann, bob] = [await filmed(room, t, 'Ann'), await filmed(room, t, 'Bob')]
    const headers = { 'X-Participant-Token': claimsOf(ann.token).key, 'X-Endpoint-Id': bob.stream.endpointId, 'X-Room-Call': 'watch' }
    const call = await ann.rtc.phone.call(room.address, { mediaStream: 'none', video: new VideoSource({ codecs: ['vp8'] }), headers })
    await call.answered
    const over = new Promise((resolve) => call.once('terminated', (_, reason) => resolve(reason)))
    await bob.rtc.phone.sessions[0].setVideo(cameraOf(t, 'another', 'h264'))
    const { text } = await over
    assert.equal(text, 'The pictures come in another codec')
    assert.match(room.warnings.join(), /A stream could not be shown: Camera device: the other party does not take it/)
  })

  test('telephones have sound alone, and nobody sees into another room', async (t) => {
    const room = await meeting(t)
    const ann = await filmed(room, t, 'Ann')
    const bob = await room.open('bob')
    bob.on('pendingSession', ({ id, video }) => {
      assert.equal(video, false)
      bob.acceptPendingSession(id, voice(1000).audio)
    })
    const { participant } = await room.invite('Telephone')
    await room.rooms.dial(participant.id, 'bob')
    const { stream } = await ann.until(({ available }) => available === 'Telephone')
    assert.deepEqual(stream.mediaTypes, ['AUDIO'])
    assert.match((await failure(ann.rtc.watch(stream, new VideoSink()))).message, /has no video$/)

    const other = await room.rooms.createSession({ tag: 'another room' })
    const { participant: spy, token } = await room.rooms.createParticipant({ tag: 'Spy' })
    await room.rooms.addParticipantToSession(other.id, spy.id)
    const { rtc, seen } = room.client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    await rtc.publish('none')
    const headers = { 'X-Participant-Token': JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).key, 'X-Endpoint-Id': ann.stream.endpointId, 'X-Room-Call': 'watch' }
    const call = await rtc.phone.call(room.address, { mediaStream: 'none', video: 'none', headers })
    assert.equal((await failure(call.answered)).sip.code, 404)
    assert.deepEqual(seen, [])
  })

  test('a participant who is removed shows and watches nothing any more', async (t) => {
    const room = await meeting(t)
    const [ann, bob] = [await filmed(room, t, 'Ann'), await filmed(room, t, 'Bob')]
    await bob.rtc.publish(cameraOf(t, 'screen'), undefined, 'screen')
    await eyeOn(t, bob.rtc, (await bob.until(({ available }) => available === 'Ann')).stream)
    await ann.until(({ available }) => available === 'screen')
    await room.rooms.removeParticipant(room.sessionId, bob.participant.id)
    await eventually(() => ann.seen.filter(({ unavailable }) => unavailable).length === 2)
    await eventually(() => room.host.sessions.length === 1 && bob.rtc.phone.sessions.length === 0)
    await room.rooms.endSession(room.sessionId)
    await eventually(() => room.host.sessions.length === 0)
    assert.deepEqual(room.warnings, [])
  })

  test('a camera is chosen by its constraints; one that is missing costs the picture, not the sound', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    const opened = []
    const closed = []
    rtc.setCameras({
      list: async () => [{ deviceId: 'front', label: 'Front' }, { deviceId: 'back', label: 'Back' }],
      open: (request) => (opened.push(request), cameraOf(t, request.deviceId)),
      close: (source) => closed.push(source),
    })
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const video = { deviceId: { exact: 'back' }, width: { ideal: 640 }, height: 360, frameRate: { max: 15 }, facingMode: 'user' }
    const back = await rtc.publish({ audio: { deviceId: 'none' }, video })
    assert.deepEqual(opened, [{ deviceId: 'back', width: 640, height: 360, frameRate: 15 }])
    assert.deepEqual([back.mediaTypes, back.ignored], [['AUDIO', 'VIDEO'], ['video.facingMode']])
    await rtc.unpublish(back)
    assert.deepEqual(closed, [back.videoInput])
    const front = await rtc.publish({ audio: { deviceId: 'none' }, video: { deviceId: { ideal: 'gone' } } })
    assert.equal(opened[1].deviceId, 'front')
    await rtc.unpublish(front)
    const without = await rtc.publish({ audio: { deviceId: 'none' }, video: { deviceId: { exact: 'gone' } } })
    assert.deepEqual([without.mediaTypes, without.ignored], [['AUDIO'], ['video']])
    assert.match((await failure(rtc.publish({ video: { deviceId: { exact: 'gone' } } }))).message, /There is no camera 'gone'$/)
    await rtc.disconnect()
    assert.deepEqual(closed, [back.videoInput, front.videoInput])
  })

  test('calls beside the one that takes part are refused without end and without sense', async (t) => {
    const room = await meeting(t)
    const ann = await filmed(room, t, 'Ann')
    const bob = await filmed(room, t, 'Bob')
    const { key } = JSON.parse(Buffer.from(bob.token.split('.')[1], 'base64url'))
    const refusal = async (more, options = { video: 'none' }) => {
      const call = await bob.rtc.phone.call(room.address, { mediaStream: 'none', ...options, headers: { 'X-Participant-Token': key, ...more } })
      return (await failure(call.answered)).sip.code
    }
    assert.equal(await refusal({ 'X-Room-Call': 'watch', 'X-Endpoint-Id': 'nothing' }), 404)
    assert.equal(await refusal({ 'X-Room-Call': 'dance' }), 488)
    assert.equal(await refusal({ 'X-Room-Call': 'watch', 'X-Endpoint-Id': ann.stream.endpointId }, {}), 488)
    assert.equal(await refusal({ 'X-Room-Call': 'publish' }, {}), 488)
    // An endpoint's id is never taken from whom it belongs to.
    const screen = await bob.rtc.phone.call(room.address, {
      mediaStream: 'none',
      video: cameraOf(t, 'impostor'),
      headers: { 'X-Participant-Token': key, 'X-Room-Call': 'publish', 'X-Endpoint-Id': ann.stream.endpointId, 'X-Stream-Alias': 'impostor' },
    })
    await screen.answered
    const { names, seesNext } = await eyeOn(t, bob.rtc, (await bob.until(({ available }) => available === 'Ann')).stream)
    await seesNext()
    assert.ok(names.every((name) => name.startsWith('Ann ')))
    assert.notEqual((await ann.until(({ available }) => available === 'impostor')).stream.endpointId, ann.stream.endpointId)
  })
})
