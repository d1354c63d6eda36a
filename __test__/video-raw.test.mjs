// Raw pictures, and files of pictures, in calls.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { shown } from './pictures.mjs'
import { connect, eventually, next } from './video-calls.mjs'
import { VideoSink, VideoSource } from 'offhook'

const [WIDTH, HEIGHT] = [160, 90]

/** A plain picture of RGBA. */
function plain([red, green, blue]) {
  const data = Buffer.alloc(WIDTH * HEIGHT * 4, Buffer.of(red, green, blue, 255))
  return { format: 'RGBA', width: WIDTH, height: HEIGHT, data }
}

/** A raw source that shows one colour until it is closed. */
function wall(t, colour) {
  const source = new VideoSource({ format: 'raw' })
  const timer = setInterval(() => source.write(plain(colour)), 50)
  t.after(() => (clearInterval(timer), source.close()))
  return source
}

/** The next of a sink for which this holds. */
async function seen(sink, fits = () => true) {
  const signal = AbortSignal.timeout(15_000)
  for (;;) {
    const picture = sink.read()
    if (picture && fits(picture)) return picture
    if (!picture) await once(sink, 'readable', { signal })
  }
}

/** What a session shows, decoded. */
async function decoded(t, session, format) {
  const sink = new VideoSink({ format })
  t.after(() => sink.destroy())
  const { id } = await shown(session)
  await session.setVideoOutput(id, sink)
  return sink
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'offhook-video-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return (name) => join(path, name)
}

/** A YUV4MPEG2 file of grey pictures, each brighter than the last. */
function clip(path, pictures) {
  const frames = Array.from({ length: pictures }, (_, index) => {
    const planes = [Buffer.alloc(WIDTH * HEIGHT, 40 + 10 * index), Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]
    return Buffer.concat([Buffer.from('FRAME\n'), ...planes])
  })
  writeFileSync(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F20:1 Ip A1:1 C420jpeg\n`), ...frames]))
}

const near = (is, should) => Math.abs(is - should) <= 12

describe('raw video', () => {
  test('is seen on the other side in its colours and its size', async (t) => {
    const { outgoing, incoming } = await connect(t, { video: wall(t, [200, 40, 90]) }, { video: wall(t, [20, 160, 220]) })
    const [mine, theirs] = await Promise.all([decoded(t, incoming, 'RGBA'), decoded(t, outgoing, 'I420')])
    const rgba = await seen(mine)
    assert.deepEqual([rgba.format, rgba.width, rgba.height, rgba.rotation], ['RGBA', WIDTH, HEIGHT, 0])
    assert.equal(rgba.data.length, WIDTH * HEIGHT * 4)
    const pixel = [...rgba.data.subarray(0, 4)]
    assert.ok([200, 40, 90, 255].every((should, at) => near(pixel[at], should)), pixel.join())
    const first = rgba.timestamp
    const later = await seen(mine, ({ timestamp }) => timestamp > first)
    assert.ok(later.timestamp - first > 10_000, 'microseconds')
    const i420 = await seen(theirs)
    assert.equal(i420.data.length, (WIDTH * HEIGHT * 3) / 2)
    assert.ok(near(i420.data[0], 16 + (66 * 20 + 129 * 160 + 25 * 220) / 256), i420.data[0])
  })

  test('comes from files and goes into files, which are whole, and plays again', async (t) => {
    const file = folder(t)
    clip(file('clip.y4m'), 10)
    const { outgoing, incoming, bob } = await connect(t, { video: { y4m: file('clip.y4m'), loop: true } }, { video: 'none' })
    const { id } = await shown(incoming)
    await incoming.setVideoOutput(id, { ivf: file('call.ivf') })
    await eventually(() => framesOf(readFileSync(file('call.ivf'))) >= 15)
    await incoming.setVideoOutput(id, { y4m: file('call.y4m') })
    const planes = (WIDTH * HEIGHT * 3) / 2
    await eventually(() => readFileSync(file('call.y4m')).length > 5 * planes)
    const written = readFileSync(file('call.y4m'))
    assert.ok(written.subarray(0, 60).toString('latin1').startsWith(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip`))
    const bright = written[written.indexOf('FRAME\n') + 6]
    assert.ok(bright >= 30 && bright <= 150, bright)

    await outgoing.setVideo({ ivf: file('call.ivf'), loop: true })
    const sink = new VideoSink()
    t.after(() => sink.destroy())
    await incoming.setVideoOutput(id, sink)
    const frame = await seen(sink)
    assert.deepEqual([frame.codec, frame.key], ['vp8', true])
    await bob.destroy()
  })

  test('that can not be played or written is told, and the call goes on', async (t) => {
    const file = folder(t)
    writeFileSync(file('fields.y4m'), 'YUV4MPEG2 W4 H4 F25:1 It\n')
    const { outgoing, incoming, hear } = await connect(t, { video: wall(t, [9, 9, 9]) }, { video: 'none' })
    for (const [input, why] of [
      [{ y4m: file('nowhere.y4m') }, /nowhere\.y4m/],
      [{ y4m: file('fields.y4m') }, /interlaced/],
      [{ ivf: file('fields.y4m') }, /no IVF file/],
    ]) {
      await assert.rejects(outgoing.setVideo(input), why)
    }
    const { id } = await shown(incoming)
    await assert.rejects(incoming.setVideoOutput(id, { y4m: file('no/such/folder.y4m') }), /folder\.y4m/)
    await hear()
  })

  test('that is wrong is refused by name', (t) => {
    const source = new VideoSource({ format: 'raw' })
    t.after(() => source.close())
    const picture = plain([1, 2, 3])
    for (const [wrong, text] of [
      [{ format: 'NV12' }, /"frame\.format": expected 'I420' or 'RGBA'/],
      [{ width: 0 }, /"frame\.width"/],
      [{ height: 1.5 }, /"frame\.height"/],
      [{ rotation: 45 }, /"frame\.rotation"/],
      [{ timestamp: -1 }, /"frame\.timestamp"/],
      [{ data: [1] }, /"frame\.data": expected a Uint8Array/],
      [{ data: picture.data.subarray(1) }, /a picture of 160x90 has 57600 bytes, not 57599/],
      [{ width: 16_000, height: 16_000 }, /is not taken/],
    ]) {
      assert.throws(() => source.write({ ...picture, ...wrong }), { code: 'ERR_INVALID_ARGUMENT', message: text })
    }
    assert.equal(source.write(picture), false, 'nobody shows it')
    assert.throws(() => source.write({ codec: 'vp8', key: true, timestamp: 0, data: Buffer.of(1) }), { code: 'ERR_INVALID_ARGUMENT' })
    assert.throws(() => new VideoSource({ format: 'raw', codecs: ['vp8'] }), { code: 'ERR_INVALID_ARGUMENT' })
    assert.throws(() => new VideoSink({ format: 'NV12' }), { code: 'ERR_INVALID_OPTION' })
  })
})

/** The frames that an IVF file says it has, which are those that it has. */
function framesOf(file) {
  if (file.length < 32) return 0
  let count = 0
  for (let at = 32; at + 12 <= file.length && at + 12 + file.readUInt32LE(at) <= file.length; at += 12 + file.readUInt32LE(at)) count++
  return count
}
