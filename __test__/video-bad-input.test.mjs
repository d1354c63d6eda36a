// Pictures that are too many, too fast, odd or broken: each is told or left out, memory has a bound, and the sound does not notice.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { VideoSink, VideoSource } from 'offhook'
import { phonesOf } from './phones.mjs'
import { camera, frame, screen, shown } from './pictures.mjs'
import { contactOf, invite, offer, RawServer } from './raw-server.mjs'
import { connect, eventually, next } from './video-calls.mjs'

/** How many packets of sound both sides have lost. */
async function soundLost(...sessions) {
  const reports = await Promise.all(sessions.map((session) => session.getStats()))
  const sound = reports.map((report) => [...report.values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio'))
  assert.ok(sound.every(({ packetsReceived }) => packetsReceived > 0))
  return sound.reduce((lost, { packetsLost }) => lost + packetsLost, 0)
}

describe('bad pictures', () => {
  test('lines that come and go, key frames begged for without end, and odd sizes leave the sound whole', { timeout: 120_000 }, async (t) => {
    const face = new VideoSource({ format: 'raw' })
    t.after(() => face.close())
    const { outgoing, incoming, hear } = await connect(t, { video: face }, { video: 'none', screen: 'none' })
    const sink = new VideoSink({ format: 'I420' })
    t.after(() => sink.destroy())
    await incoming.setVideoOutput((await shown(incoming)).id, sink)
    const told = []
    incoming.on('streamAvailable', ({ id }) => told.push(`+${id}`))
    incoming.on('streamUnavailable', ({ id }) => told.push(`-${id}`))
    const sizes = [[1, 1], [3, 5], [161, 91], [17, 1], [1, 240], [320, 180]]
    let count = 0
    const seen = new Set()
    sink.on('data', ({ width, height }) => seen.add(`${width}x${height}`))
    const writing = setInterval(() => {
      const [width, height] = sizes[Math.floor(count++ / 20) % sizes.length]
      face.write({ format: 'RGBA', width, height, data: Buffer.alloc(width * height * 4, count) })
    }, 5)
    const begging = setInterval(() => sink.requestKeyFrame(), 1)
    t.after(() => (clearInterval(writing), clearInterval(begging)))
    await eventually(() => seen.size > 0, 20_000)
    const before = process.memoryUsage.rss()
    const { source } = camera(t)
    for (let round = 0; round < 15; round++) {
      await outgoing.setScreen(source)
      await outgoing.setScreen(null)
    }
    await eventually(() => told.length === 30)
    assert.deepEqual(told.filter((_, index) => index % 2 === 1).map((gone) => `+${gone.slice(1)}`), told.filter((_, index) => index % 2 === 0))
    await eventually(() => seen.size >= 4, 20_000)
    const grown = (process.memoryUsage.rss() - before) / 1e6
    assert.ok(grown < 150, `${grown} MB`)
    assert.equal(await soundLost(outgoing, incoming), 0)
    await hear()
  })

  test('frames that nobody can decode are given as they are, and shown by nobody', { timeout: 60_000 }, async (t) => {
    const source = new VideoSource({ codecs: ['vp8'] })
    t.after(() => source.close())
    const { outgoing, incoming, hear } = await connect(t, { video: source }, { video: 'none' })
    const sink = new VideoSink({ format: 'I420' })
    t.after(() => sink.destroy())
    await incoming.setVideoOutput((await shown(incoming)).id, sink)
    await eventually(() => source.active)
    const wanted = next(source, 'keyFrameRequest', 20_000)
    // Key frames in form, whose pictures are noise.
    let count = 0
    const writing = setInterval(() => source.write(frame(count++, true, 600)), 50)
    t.after(() => clearInterval(writing))
    await wanted
    await sleep(1000)
    assert.equal(await soundLost(outgoing, incoming), 0)
    await hear()
  })

  test('of H.264 nothing is given before its parameter sets have come, a key frame is asked for, and the sound goes on', { timeout: 60_000 }, async (t) => {
    const source = new VideoSource({ codecs: ['h264'] })
    t.after(() => source.close())
    const { outgoing, incoming, hear } = await connect(t, { video: source }, { video: 'none' })
    const { sink, frames } = await screen(t, incoming, await shown(incoming))
    await eventually(() => source.active)
    const sets = Buffer.from([0, 0, 0, 1, 0x67, 66, 0, 31, 0x80, 1, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80])
    let [count, whole] = [0, false]
    const writing = setInterval(() => {
      const slice = Buffer.concat([Buffer.from([0, 0, 0, 1, 0x65]), Buffer.alloc(600, (count++ % 200) + 1)])
      source.write({ codec: 'h264', key: true, timestamp: count * 50_000, data: whole ? Buffer.concat([sets, slice]) : slice })
    }, 50)
    t.after(() => clearInterval(writing))
    await next(source, 'keyFrameRequest', 10_000)
    await next(source, 'keyFrameRequest', 10_000)
    assert.equal(sink.read(), null)
    whole = true
    const read = await frames(5)
    assert.ok(read.every(({ codec, key }) => codec === 'h264' && key))
    assert.throws(() => source.write({ codec: 'h264', key: true, timestamp: 0, data: Buffer.alloc(100) }), { code: 'ERR_INVALID_ARGUMENT' })
    assert.equal(await soundLost(outgoing, incoming), 0)
    await hear()
  })

  test('fifty lines of a caller are answered one by one: sixteen at most are taken, and the others refused in place', async (t) => {
    const server = await RawServer.start()
    t.after(() => server.close())
    const phone = phonesOf(t).make({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: server.url })
    let target
    server.on('message', (text) => text.startsWith('REGISTER ') && (target = contactOf(text)))
    await phone.initialize()
    const pending = next(phone, 'pendingSession')
    const mids = Array.from({ length: 50 }, (_, index) => `v${index}`)
    const line = (mid) => `m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\na=sendrecv\r\na=mid:${mid}\r\n`
    const sdp = `${offer.replace('t=0 0\r\n', `t=0 0\r\na=group:BUNDLE a ${mids.join(' ')}\r\n`)}a=mid:a\r\n${mids.map(line).join('')}`
    server.send(invite(target, 'fifty-lines', { sdp }))
    const [{ id, video }] = await pending
    assert.equal(video, true)
    const answered = new Promise((resolve) => server.on('message', (text) => /^SIP\/2\.0 200 [^]*INVITE/.test(text) && resolve(text)))
    phone.acceptPendingSession(id, { video: 'none', screen: 'none' })
    const sections = (await answered).split(/(?=m=(?:audio|video) )/).slice(1)
    assert.equal(sections.length, 51)
    const taken = sections.slice(1).filter((section) => !section.startsWith('m=video 0 '))
    assert.equal(taken.length, 16)
  })
})
