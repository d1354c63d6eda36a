import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fake, ids, makePhone, pending, recorded, started, success } from './fake.mjs'
import { Softphone, VideoSink, VideoSource } from 'offhook'

const makeSource = (options) => ({ source: new VideoSource(options), engine: fake.videoSources.at(-1) })
const makeSink = (options) => ({ sink: new VideoSink(options), engine: fake.videoSinks.at(-1) })
const command = (engine, type) => {
  const { ticket: _, ...sent } = engine.commands.findLast((one) => one.type === type)
  return sent
}

function active() {
  const { phone, engine } = makePhone()
  engine.say(started({ state: 'active' }))
  return { phone, engine, session: phone.sessions[0] }
}

describe('VideoSource', () => {
  const frame = { codec: 'vp8', key: true, timestamp: 40_000, data: Uint8Array.of(1, 2, 3) }

  test('takes frames, and says when the engine has dropped one', () => {
    const { source, engine } = makeSource()
    assert.deepEqual(engine.codecs, ['vp8', 'h264'])
    assert.equal(source.write(frame), true)
    assert.equal(source.write({ ...frame, codec: 'h264', data: Buffer.of(4) }), true)
    engine.takes = false
    assert.equal(source.write(frame), false)
    assert.deepEqual(
      engine.written.map(({ codec, timestamp, data }) => [codec, timestamp, [...data]]),
      [
        ['vp8', 40_000, [1, 2, 3]],
        ['h264', 40_000, [4]],
        ['vp8', 40_000, [1, 2, 3]],
      ],
    )
  })

  test('tells what is asked of its writer', () => {
    const { source, engine } = makeSource({ codecs: ['h264'] })
    const told = []
    for (const event of ['keyFrameRequest', 'bitrate', 'active', 'close']) source.on(event, (...args) => told.push([event, ...args]))
    assert.deepEqual([source.active, source.codec], [false, undefined])
    engine.onEvent('active', 0, 'h264')
    assert.deepEqual([source.active, source.codec], [true, 'h264'])
    engine.onEvent('active', 0, 'h264')
    engine.onEvent('keyFrame', 0, '')
    engine.onEvent('bitrate', 300_000, '')
    engine.onEvent('inactive', 0, '')
    engine.onEvent('active', 0, 'h264')
    assert.equal(source.closed, false)
    // Who closes it because nobody shows it any more closes it once.
    source.once('active', () => source.close())
    source.close()
    source.close()
    engine.onEvent('keyFrame', 0, '')
    assert.deepEqual(told, [
      ['active', true, 'h264'],
      ['keyFrameRequest'],
      ['bitrate', 300_000],
      ['active', false, undefined],
      ['active', true, 'h264'],
      ['active', false, undefined],
      ['close'],
    ])
    assert.deepEqual([engine.closed, source.closed], [true, true])
    assert.equal(source.write({ ...frame, codec: 'h264' }), false, 'nobody takes it any more')
  })

  test('names what is wrong about a frame', () => {
    const { source, engine } = makeSource({ codecs: ['vp8'] })
    for (const [wrong, text] of [
      [undefined, /"frame": expected an object, but it is undefined/],
      [[], /"frame": expected an object, but it is an empty array/],
      [{ ...frame, codec: 'h264' }, /"frame\.codec": expected 'vp8', but it is another string/],
      [{ ...frame, codec: 8 }, /"frame\.codec": expected 'vp8', but it is a number/],
      [{ ...frame, key: 1 }, /"frame\.key": expected a boolean, but it is a number/],
      [{ ...frame, timestamp: -1 }, /"frame\.timestamp": expected microseconds, 0 or more, but it is the number -1/],
      [{ ...frame, timestamp: NaN }, /"frame\.timestamp": .*the number NaN/],
      [{ ...frame, timestamp: '5' }, /"frame\.timestamp": .*a string/],
      [{ ...frame, data: [1] }, /"frame\.data": expected a Uint8Array, but it is an array/],
      [{ ...frame, data: new Uint8Array() }, /"frame\.data": expected the bytes of a frame, but it is empty/],
      [{ ...frame, data: Uint8Array.of(255) }, /"frame\.data": expected a frame of vp8, but it is the frame is not VP8/],
    ]) {
      assert.throws(() => source.write(wrong), { code: 'ERR_INVALID_ARGUMENT', message: text })
    }
    assert.equal(engine.written.length, 0)
    assert.throws(() => new VideoSource({ codecs: [] }), /Option 'codecs' must be an array of at least 1/)
    assert.throws(() => new VideoSource({ codecs: ['av1'] }), /Option 'codecs\[0\]' must be one of 'vp8', 'h264'/)
    assert.throws(() => new VideoSource({ format: 'I420' }), /Option 'format' must be one of 'encoded', 'raw', but is a string/)
  })
})

describe('VideoSink', () => {
  const frame = (value) => ({ codec: 'vp8', key: value === 1, timestamp: value, width: 0, height: 0, data: Uint8Array.of(value) })

  test('gives frames in order, and ends behind them when it is closed', async () => {
    const { sink, engine } = makeSink()
    engine.frames.push(frame(1), frame(2))
    sink.close()
    const seen = []
    for await (const read of sink) seen.push(read)
    assert.deepEqual(seen, [
      { codec: 'vp8', key: true, timestamp: 1, data: Buffer.of(1) },
      { codec: 'vp8', key: false, timestamp: 2, data: Buffer.of(2) },
    ])
    assert.equal(engine.closed, true)
  })

  test('ends behind what waited as it was closed, also if the next frame always comes', async () => {
    const { sink, engine } = makeSink({ queue: 3 })
    let count = 0
    engine.read = () => frame((count += 1))
    sink.close()
    sink.close()
    sink.requestKeyFrame()
    assert.deepEqual([engine.closed, engine.asked], [true, 0])
    const seen = []
    for await (const { timestamp } of sink) if (seen.push(timestamp) > 10) break
    assert.deepEqual(seen, [1, 2, 3])
  })

  test('leaves what nobody reads to the engine, which bounds and counts it', async () => {
    const { sink, engine } = makeSink({ queue: 5 })
    assert.equal(engine.queue, 5)
    engine.frames.push(...Array.from({ length: 20 }, (_, index) => frame(index)))
    engine.onReadable()
    await turn()
    await turn()
    assert.ok(engine.frames.length >= 17)
    engine.dropped = 3
    assert.equal(sink.dropped, 3)
    sink.requestKeyFrame()
    sink.destroy()
    await turn()
    sink.requestKeyFrame()
    assert.equal(engine.asked, 1)
    engine.dropped = 9
    assert.equal(sink.dropped, 3, 'as it was at its end')
    assert.throws(() => new VideoSink({ queue: 0 }), /Option 'queue' must be a whole number from 1 to 256/)
  })
})

describe('calls with video', () => {
  test('carry what is to be shown', async () => {
    const { phone, engine } = makePhone()
    const { source } = makeSource({ codecs: ['vp8'] })
    const wire = { type: 'source', id: source.nativeId, codecs: ['vp8'] }
    void phone.call('bob', { video: source, screen: 'none' }).catch(() => {})
    await turn()
    assert.deepEqual(command(engine, 'call').options, { video: wire, screen: { type: 'none' } })
    engine.say(pending())
    void phone.acceptPendingSession(ids.one, { video: 'none' })
    await turn()
    assert.deepEqual(command(engine, 'accept').options, { video: { type: 'none' } })
    const other = makePhone({ autoAnswer: { policy: 'always', video: source } })
    assert.deepEqual(other.engine.options.autoAnswer, { policy: 'always', video: wire })
  })

  test('name what can not be shown', async () => {
    const { phone } = makePhone()
    const { source } = makeSource()
    const wrong = (options) => phone.call('bob', options).catch(({ code, message }) => `${code}: ${message}`)
    assert.match(await wrong({ video: 'camera' }), /ERR_INVALID_OPTION: Option 'video' must be 'none', a VideoSource, { y4m }, { ivf } or { session, stream }, but is a string/)
    assert.match(await wrong({ screen: new VideoSink() }), /Option 'screen' must be .* an object \(VideoSink\)/)
    assert.match(await wrong({ video: source, screen: source }), /Option 'screen' must be another source than video, but is the same one/)
    assert.throws(
      () => new Softphone({ uri: 'sip:alice@example.com', autoAnswer: { video: true } }),
      /Option 'autoAnswer\.video' must be 'none', a VideoSource, \{ y4m \}, \{ ivf \} or \{ session, stream \}, but is the boolean true/,
    )
  })

  test('a pending session says what of video it offers', () => {
    const { phone, engine } = makePhone()
    engine.say({ ...pending(), video: true, screen: false })
    assert.deepEqual([phone.pendingSessions[0].video, phone.pendingSessions[0].screen], [true, false])
  })

  test('change what they show while they go on', async () => {
    const { session, engine } = active()
    const { source } = makeSource({ codecs: ['vp8'] })
    const { sink } = makeSink()
    const shown = session.setVideo(source)
    await turn()
    const input = { type: 'source', id: source.nativeId, codecs: ['vp8'] }
    assert.deepEqual(command(engine, 'setVideo'), { type: 'setVideo', id: session.id, content: 'camera', input })
    engine.reply('setVideo', { error: { code: 'ERR_VIDEO_FAILED', type: 'session', message: 'no', sip: { code: 488, reason: 'No' } } })
    await assert.rejects(shown, { code: 'ERR_VIDEO_FAILED', sip: { code: 488, reason: 'No' } })
    void session.setScreen(null)
    await turn()
    assert.deepEqual(command(engine, 'setVideo'), { type: 'setVideo', id: session.id, content: 'screen' })
    void session.setVideoOutput('1', sink)
    await turn()
    const output = { type: 'sink', id: sink.nativeId }
    assert.deepEqual(command(engine, 'setVideoOutput'), { type: 'setVideoOutput', id: session.id, stream: '1', output })
    await assert.rejects(session.setVideo(undefined), { code: 'ERR_INVALID_OPTION' })
    await assert.rejects(session.setVideoOutput(1, sink), { code: 'ERR_INVALID_ARGUMENT' })
    await assert.rejects(session.setVideoOutput('1', source), /Option 'output' must be 'none', a VideoSink, { y4m } or { ivf }/)
    void session.muteVideo()
    await turn()
    assert.deepEqual(command(engine, 'muteVideo'), { type: 'muteVideo', id: session.id, muted: true })
  })

  test('tell what the other side shows', () => {
    const { phone, session, engine } = active()
    const events = recorded(session)
    const { id } = session
    engine.say({ type: 'streamAvailable', id, stream: '1', content: 'camera' })
    engine.say({ type: 'streamAvailable', id, stream: '2', content: 'screen' })
    engine.say({ type: 'resolution', id, stream: '1', width: 640, height: 360 })
    const camera = { id: '1', kind: 'video', content: 'camera' }
    const screen = { id: '2', kind: 'video', content: 'screen' }
    const sized = { ...camera, width: 640, height: 360 }
    assert.deepEqual(session.streams, [sized, screen])
    assert.deepEqual(structuredClone(session.streams), [sized, screen])
    engine.say({ type: 'streamUnavailable', id, stream: '1', content: 'camera' })
    engine.say({ type: 'streamUnavailable', id, stream: '1', content: 'camera' })
    assert.deepEqual(session.streams, [screen])
    engine.say({ type: 'sessionChanged', id, changes: { videoMuted: true } })
    engine.say({ type: 'sessionChanged', id, changes: { videoMuted: true } })
    assert.equal(session.videoMuted, true)
    engine.say({ type: 'sessionChanged', id, changes: { videoMuted: false } })
    const told = events.filter(([name]) => /stream|resolution|Video/.test(name))
    assert.deepEqual(told, [
      ['streamAvailable', camera],
      ['streamAvailable', screen],
      ['resolution', { id: '1', width: 640, height: 360 }],
      ['streamUnavailable', { ...camera, width: 640, height: 360 }],
      ['muteVideo'],
      ['unmuteVideo'],
    ])
    engine.say({ type: 'terminated', id, reason: success })
    engine.say({ type: 'sessionEnded', id, reason: success })
    assert.equal(phone.sessions.length, 0)
  })
})
