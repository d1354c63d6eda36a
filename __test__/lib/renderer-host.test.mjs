// The phone's half of what pages publish and show: over each kind of port, and what a page may get wrong.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import './fake.mjs'
import { electronChannel } from '../ports.mjs'
import { VideoSink, VideoSource } from 'offhook'
import { connectVideoSink, connectVideoSource } from 'offhook/renderer/host'

/** Two ends that have nothing but `postMessage` and `onmessage`. */
function plainChannel() {
  const ends = [{ onmessage: null }, { onmessage: null }]
  for (const [index, end] of ends.entries()) {
    end.postMessage = (message) => {
      const data = structuredClone(message)
      setImmediate(() => ends[1 - index].onmessage?.({ data }))
    }
  }
  return ends
}

function workerChannel() {
  const { port1, port2 } = new MessageChannel()
  return [port1, port2]
}

const channels = { 'Electron': electronChannel, 'node:worker_threads': workerChannel, 'onmessage alone': plainChannel }

class Source extends EventEmitter {
  frames = []
  write(frame) {
    this.frames.push(frame)
    this.emit('written')
    return true
  }
}

/** A page's end of a port, by its messages. */
function pageOf(port) {
  const messages = new EventEmitter()
  const seen = []
  const take = ({ data }) => (seen.push(data), messages.emit('message'))
  if (port.addEventListener) port.addEventListener('message', take)
  else if (port.on) port.on('message', take)
  else port.onmessage = take
  port.start?.()
  return {
    seen,
    say: (message) => port.postMessage(message),
    async hears(kind, fits = () => true) {
      for (;;) {
        const found = seen.find((message) => message.kind === kind && fits(message))
        if (found) return found
        await once(messages, 'message')
      }
    },
  }
}

const frame = (number, more = {}) => ({
  offhook: 'publish',
  kind: 'frame',
  number,
  codec: 'vp8',
  key: number === 1,
  timestamp: number * 33_333,
  data: Uint8Array.of(number, 2, 3),
  ...more,
})

for (const [name, channel] of Object.entries(channels)) {
  describe(`a port as that of ${name}`, () => {
    test('brings pictures to a source, which says what it wants', async (t) => {
      const [port, other] = channel()
      t.after(() => port.close?.())
      const source = Object.assign(new Source(), { active: true, codec: 'vp8' })
      const page = pageOf(other)
      const connection = connectVideoSource(port, source)
      page.say({ offhook: 'publish', kind: 'hello', codecs: ['h264', 'av1', 'vp8'] })
      assert.deepEqual(await connection.codecs, ['h264', 'vp8'])
      assert.deepEqual(await page.hears('state'), { offhook: 'publish', kind: 'state', active: true, codec: 'vp8' })
      const written = once(source, 'written')
      page.say({ kind: 'frame', number: 1 })
      page.say('another message of the application')
      page.say(frame(1))
      await written
      const { offhook: _, kind: __, number: ___, ...expected } = frame(1)
      assert.deepEqual(source.frames, [expected])
      assert.equal((await page.hears('taken')).number, 1)
      source.emit('keyFrameRequest')
      await page.hears('keyFrame')
      source.emit('bitrate', 100_000)
      await page.hears('state', ({ bitrate }) => bitrate === 100_000)
      source.active = false
      source.emit('active', false)
      await page.hears('state', ({ active }) => !active)
      page.say({ offhook: 'publish', kind: 'end' })
      assert.deepEqual(await connection.closed, { reason: 'ended' })
      // A page that is loaded again begins with what is known.
      const next = connectVideoSource(port, source)
      page.seen.length = 0
      page.say({ offhook: 'publish', kind: 'hello' })
      assert.equal((await page.hears('state')).bitrate, 100_000)
      next.close()
      await next.closed
      assert.deepEqual(source.eventNames().filter((event) => source.listenerCount(event) > 0), [])
    })

    test('takes pictures out of a sink, no more than the page takes', async (t) => {
      const [port, other] = channel()
      t.after(() => port.close?.())
      const sink = Object.assign(new PassThrough({ objectMode: true, highWaterMark: 1 }), { asked: 0 })
      sink.requestKeyFrame = () => (sink.asked += 1)
      const connection = connectVideoSink(port, sink)
      // A view of a larger buffer, as those of Node's pool are.
      const large = new Uint8Array(1000)
      for (let number = 1; number <= 20; number += 1) {
        sink.write({ codec: 'vp8', key: number === 1, timestamp: number, data: large.subarray(number, number + 5).fill(number) })
      }
      const page = pageOf(other)
      page.say({ offhook: 'render', kind: 'hello' })
      await page.hears('frame', ({ number }) => number === 8)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      const frames = () => page.seen.filter(({ kind }) => kind === 'frame')
      assert.equal(frames().length, 8)
      assert.equal(sink.asked, 1)
      assert.deepEqual(frames().map(({ data }) => [data.buffer.byteLength, ...data.subarray(0, 1)]), frames().map(({ number }) => [5, number]))
      page.say({ offhook: 'render', kind: 'taken', number: 5 })
      await page.hears('frame', ({ number }) => number === 13)
      assert.equal(frames().length, 13)
      page.say({ offhook: 'render', kind: 'keyFrame' })
      // A page that begins anew has lost what was under way.
      page.say({ offhook: 'render', kind: 'hello' })
      await page.hears('frame', ({ number }) => number === 20)
      assert.equal(sink.asked, 3)
      sink.end()
      await page.hears('end')
      assert.deepEqual(await connection.closed, { reason: 'ended' })
    })

    test('is left as it is by a connection that is closed', async (t) => {
      const [port, other] = channel()
      t.after(() => port.close?.())
      const source = new Source()
      const page = pageOf(other)
      const connection = connectVideoSource(port, source)
      connection.close()
      connection.close()
      await page.hears('end')
      assert.deepEqual(await connection.closed, { reason: 'closed' })
      assert.deepEqual(await connection.codecs, [])
      const again = connectVideoSource(port, source)
      page.say(frame(1))
      await once(source, 'written')
      again.close()
    })

    test('carries one stream each way', async (t) => {
      const [port, other] = channel()
      t.after(() => port.close?.())
      const source = new Source()
      const sink = new PassThrough({ objectMode: true })
      const [up, down] = [connectVideoSource(port, source), connectVideoSink(port, sink)]
      const page = pageOf(other)
      page.say(frame(1))
      page.say({ offhook: 'render', kind: 'hello' })
      await once(source, 'written')
      sink.write({ codec: 'h264', key: true, timestamp: 7, data: Uint8Array.of(1) })
      assert.equal((await page.hears('frame')).codec, 'h264')
      page.say({ offhook: 'render', kind: 'end' })
      assert.deepEqual(await down.closed, { reason: 'ended' })
      page.say(frame(2))
      await once(source, 'written')
      up.close()
      await up.closed
    })
  })
}

describe('a source and a sink of the phone', () => {
  test('end the connection of their page when they are closed', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const [source, sink] = [new VideoSource(), new VideoSink()]
    const [up, down] = [connectVideoSource(port1, source), connectVideoSink(port1, sink)]
    const page = pageOf(port2)
    page.say({ offhook: 'render', kind: 'hello' })
    source.close()
    sink.close()
    assert.deepEqual([await up.closed, await down.closed], [{ reason: 'ended' }, { reason: 'ended' }])
    for (const stream of ['publish', 'render']) await page.hears('end', ({ offhook }) => offhook === stream)
  })

  test('end it at once if they are closed already', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const [source, read, destroyed] = [new VideoSource(), new VideoSink(), new VideoSink()]
    source.close()
    read.close()
    for await (const frame of read) assert.fail(`there is none: ${frame}`)
    destroyed.destroy()
    const page = pageOf(port2)
    for (const sink of [read, destroyed]) assert.deepEqual(await connectVideoSink(port1, sink).closed, { reason: 'ended' })
    const up = connectVideoSource(port1, source)
    assert.deepEqual([await up.closed, await up.codecs], [{ reason: 'ended' }, []])
    await page.hears('end', ({ offhook }) => offhook === 'publish')
    assert.deepEqual(source.eventNames().filter((event) => source.listenerCount(event) > 0), [])
  })
})

for (const name of ['Electron', 'node:worker_threads']) {
  test(`a page that is gone is told by a port as that of ${name}`, async () => {
    const [port, other] = channels[name]()
    const sink = new PassThrough({ objectMode: true })
    const [up, down] = [connectVideoSource(port, new Source()), connectVideoSink(port, sink)]
    other.close()
    assert.deepEqual(await up.closed, { reason: 'lost' })
    assert.deepEqual(await down.closed, { reason: 'lost' })
    assert.equal(sink.isPaused(), true)
  })
}

test('a worker is a port as well', async () => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    parentPort.on('message', ({ kind }) => kind === 'state' && parentPort.postMessage(workerData))
    parentPort.postMessage({ offhook: 'publish', kind: 'hello' })
  `
  const worker = new Worker(script, { eval: true, workerData: frame(1) })
  const source = new Source()
  const connection = connectVideoSource(worker, source)
  await once(source, 'written')
  connection.close()
  await worker.terminate()
})

describe('what is no picture', () => {
  for (const [what, more] of [
    ['a codec that nobody knows', { codec: 'av1' }],
    ['no data', { data: undefined }],
    ['text', { data: 'abc' }],
    ['no time', { timestamp: NaN }],
    ['a key frame that is one perhaps', { key: 1 }],
  ]) {
    test(`ends the connection with an error: ${what}`, async (t) => {
      const { port1, port2 } = new MessageChannel()
      t.after(() => port1.close())
      const source = new Source()
      const connection = connectVideoSource(port1, source)
      port2.postMessage(frame(1, more))
      const { reason, error } = await connection.closed
      assert.equal(reason, 'failed')
      assert.match(error.message, /^A page has sent what is no encoded picture/)
      assert.deepEqual(source.frames, [])
    })
  }

  test('one that is too large ends it as well', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const connection = connectVideoSource(port1, new Source())
    port2.postMessage(frame(1, { data: new Uint8Array(4 * 1024 * 1024 + 1) }))
    const { error } = await connection.closed
    assert.equal(error.message, 'A page has sent a picture of 4194305 octets: 4194304 is the most')
  })

  test('what a source throws is the end, and says why', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const source = Object.assign(new Source(), { write: () => assert.fail('no more') })
    const connection = connectVideoSource(port1, source)
    port2.postMessage(frame(1))
    const { reason, error } = await connection.closed
    assert.deepEqual([reason, error.message], ['failed', 'no more'])
  })

  test('messages that a page makes up change nothing', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.after(() => port1.close())
    const sink = new PassThrough({ objectMode: true, highWaterMark: 1 })
    connectVideoSink(port1, sink)
    for (let number = 1; number <= 20; number += 1) sink.write({ codec: 'vp8', key: true, timestamp: number, data: Uint8Array.of(1) })
    const page = pageOf(port2)
    for (const number of [undefined, NaN, Infinity, -1, 1e300]) page.say({ offhook: 'render', kind: 'taken', number })
    for (const message of [null, 7, [], { offhook: 'render' }, { offhook: 'render', kind: 'toString' }, { offhook: 'render', kind: null }]) page.say(message)
    page.say({ offhook: 'render', kind: 'hello' })
    await page.hears('frame', ({ number }) => number === 8)
    await new Promise((passed) => setTimeout(passed, 20))
    assert.ok(page.seen.filter(({ kind }) => kind === 'frame').length <= 16)
  })

  for (const port of [undefined, null, {}, 'port', { postMessage() {} }]) {
    test(`nor is ${JSON.stringify(port)} a port`, () => {
      assert.throws(() => connectVideoSource(port, new Source()), { name: 'TypeError', message: /port/ })
      assert.throws(() => connectVideoSink(port, new PassThrough()), { name: 'TypeError', message: /port/ })
    })
  }
})
