// Pictures with baresip, by UDP and plain RTP there: through a gateway that knows no BUNDLE.
// Its VP8 is libvpx, its H.264 x264 and FFmpeg.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { VideoSink, VideoSource } from 'offhook'
import { shown } from '../pictures.mjs'
import { drain, hears } from '../sound.mjs'
import { eventually, next, phonesOf, voice } from '../phones.mjs'
import { startBaresip } from './baresip.mjs'
import { COUNTED, counterIn, counting } from './counter.mjs'
import { peers } from './peers.mjs'
import { behindRtpengine } from './rtpengine.mjs'

const [WIDTH, HEIGHT] = [320, 240]

describe('pictures with baresip, through Kamailio and rtpengine', { skip: peers('kamailio', 'rtpengine', 'baresip'), timeout: 240_000 }, () => {
  let kamailio
  behindRtpengine((started) => (kamailio = started))

  const uri = (user) => `sip:${user}@${kamailio.domain}`

  /** Bob's baresip, which shows what `source` says, and Alice, who is ours. */
  async function both(t, video) {
    const [bob, alice] = await Promise.all([
      startBaresip(kamailio, { user: 'bob', tone: 1000, video }),
      phonesOf(t).open({ uri: uri('alice'), password: 'alicepw', servers: kamailio.ws }),
    ])
    t.after(() => bob.stop())
    return [bob, alice]
  }

  async function called(t, video, options) {
    const [bob, alice] = await both(t, video)
    const { ear, audio } = voice(600)
    const session = await alice.call(uri('bob'), { ...audio, ...options })
    await bob.event('CALL_INCOMING')
    await bob.command('accept')
    await session.answered
    await bob.event('CALL_ESTABLISHED')
    return { bob, session, ear }
  }

  async function calling(t, video, options) {
    const [bob, alice] = await both(t, video)
    const ringing = next(alice, 'pendingSession')
    await bob.command('dial', uri('alice'))
    const [{ id, video: offered }] = await ringing
    assert.equal(offered, true)
    const { ear, audio } = voice(600)
    const session = await alice.answer(id, { ...audio, ...options })
    await bob.event('CALL_ESTABLISHED')
    return { bob, session, ear }
  }

  async function decoded(t, session) {
    const sink = new VideoSink({ format: 'I420' })
    t.after(() => sink.destroy())
    const { id } = await shown(session)
    await session.setVideoOutput(id, sink)
    return async (count, deadline = 30_000) => {
      const read = []
      const signal = AbortSignal.timeout(deadline)
      while (read.length < count) {
        const picture = sink.read()
        if (picture) read.push(picture)
        else await once(sink, 'readable', { signal })
      }
      return read
    }
  }

  for (const [how, established] of [['is called', called], ['calls', calling]]) {
    test(`${how}, and shows its fake pictures, and is heard`, async (t) => {
      const { session, bob, ear } = await established(t, { source: 'fakevideo,nil', display: 'fakevideo,nil' }, { video: 'none' })
      const pictures = await (await decoded(t, session))(20)
      for (const { width, height } of pictures) assert.deepEqual([width, height], [WIDTH, HEIGHT])
      drain(ear)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.end()
    })

    test(`${how}, is shown our pictures, and shows what it sees`, async (t) => {
      const video = { source: 'vidbridge,mirror', display: 'vidbridge,mirror' }
      const { session, bob, ear } = await established(t, video, { video: counting(t, { width: WIDTH, height: HEIGHT }) })
      const read = await decoded(t, session)
      const counts = []
      while (counts.length < 30) {
        const [{ width, height, data }] = await read(1)
        const count = counterIn(data, width, height)
        if (count !== undefined && count !== counts.at(-1)) counts.push(count)
      }
      const steps = counts.slice(1).map((count, index) => (count - counts[index] + COUNTED) % COUNTED)
      assert.deepEqual(steps.filter((step) => step > COUNTED / 2), [], counts.join(' '))
      drain(ear)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.hold()
      await session.resume()
      await read(10)
      await session.end()
    })
  }

  for (const [how, established] of [['is called', called], ['calls', calling]]) {
    test(`${how}, and its fake pictures come in H.264, and go back to it`, { skip: peers('baresip-ffmpeg') }, async (t) => {
      const [source, sink] = [new VideoSource({ codecs: ['h264'] }), new VideoSink()]
      t.after(() => (source.close(), sink.destroy()))
      source.on('keyFrameRequest', () => sink.requestKeyFrame())
      const { session, bob, ear } = await established(t, { source: 'fakevideo,nil', display: 'fakevideo,nil', codec: 'h264' }, { video: source })
      const frames = []
      const stream = await shown(session)
      const resolution = once(session, 'resolution')
      await session.setVideoOutput(stream.id, sink)
      sink.on('data', (frame) => {
        frames.push(frame)
        source.write(frame)
      })
      await eventually(() => frames.length >= 20, 30_000)
      assert.equal(frames[0].key, true)
      assert.ok(frames.every(({ codec }) => codec === 'h264'))
      assert.ok(frames.every(({ timestamp }, index) => index === 0 || timestamp > frames[index - 1].timestamp))
      const [{ width, height }] = await resolution
      assert.deepEqual([width, height], [WIDTH, HEIGHT])
      await bob.prints(/video: receiving with resolution 320 x 240/, 30_000)
      drain(ear)
      await Promise.all([hears(ear, 1000), bob.hears(600)])
      await session.end()
    })
  }

  test('is refused its pictures, and is talked to', async (t) => {
    const { session, bob, ear } = await calling(t, { source: 'fakevideo,nil', display: 'fakevideo,nil' }, {})
    await Promise.all([hears(ear, 1000), bob.hears(600)])
    assert.deepEqual(session.streams, [])
    await session.end()
  })
})
