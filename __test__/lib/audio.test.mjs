import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fake } from './fake.mjs'
import { AudioSink, AudioSource } from 'offhook'

function makeSource(options) {
  return { source: new AudioSource(options), engine: fake.sources.at(-1) }
}

function makeSink(options) {
  return { sink: new AudioSink(options), engine: fake.sinks.at(-1) }
}

describe('AudioSource', () => {
  test('takes Buffers, Int16Arrays and Uint8Arrays of any size; an odd byte waits for its other half', async () => {
    const { source, engine } = makeSource({ rate: 8000 })
    source.write(Buffer.of(1, 2, 3))
    source.write(Uint8Array.of(4, 5))
    source.write(Int16Array.of(0x0706))
    source.end()
    await turn()
    engine.onEvent('played', engine.marks[0])
    await once(source, 'finish')
    assert.deepEqual([...Buffer.concat(engine.written)], [1, 2, 3, 4, 5, 6])
    assert.ok(engine.written.every(({ length }) => length % 2 === 0))
    assert.equal(engine.ended, true)
  })

  test('asks to wait when the queue is full, and goes on when it has drained', async () => {
    const { source, engine } = makeSource({ rate: 8000, queue: 100 })
    const twenty = Buffer.alloc(320)
    let done = 0
    const write = () => source.write(twenty, () => done++)
    assert.deepEqual(Array.from({ length: 5 }, write), [true, true, true, true, false])
    await turn()
    assert.equal(engine.written.length, 5, 'the engine has all that was written')
    assert.equal(done, 2)
    const drained = once(source, 'drain')
    engine.queued = 0
    engine.onEvent('drain', 0)
    await drained
    await turn()
    assert.equal(done, 5)
  })

  test('clear drops all that was written, and lets the writer go on', async () => {
    const { source, engine } = makeSource({ rate: 8000, queue: 20 })
    source.write(Buffer.alloc(3200))
    source.write(Buffer.alloc(3200))
    await turn()
    source.clear()
    assert.equal(engine.queued, 0)
    assert.equal(engine.written.length, 2, 'nothing comes after')
    source.write(Buffer.alloc(16))
    await turn()
    assert.equal(engine.written.length, 3)
    assert.equal(source.writableLength, 0)
  })

  test('a mark resolves when the engine has played or cleared its sample', async () => {
    const { source, engine } = makeSource()
    source.write(Buffer.alloc(4))
    const first = source.mark()
    const second = source.mark()
    await turn()
    engine.onEvent('played', engine.marks[0])
    engine.onEvent('cleared', engine.marks[1])
    assert.deepEqual(await Promise.all([first, second]), ['played', 'cleared'])
  })

  test('a mark comes behind all that was written, also where writes wait and after end()', async () => {
    const { source, engine } = makeSource({ rate: 8000, queue: 20 })
    source.write(Buffer.alloc(3200))
    const first = source.mark()
    source.write(Buffer.alloc(3200))
    source.end(Buffer.alloc(2))
    const last = source.mark()
    assert.deepEqual([engine.written.length, engine.marks.length], [3, 2])
    await turn()
    engine.queued = 0
    engine.onEvent('drain', 0)
    await turn()
    for (const mark of engine.marks) engine.onEvent('played', mark)
    assert.deepEqual(await Promise.all([first, last]), ['played', 'played'])
    await once(source, 'finish')
  })

  test('a mark of which the engine knows at once resolves at once', async () => {
    const { source, engine } = makeSource()
    engine.mark = () => 'played'
    assert.equal(await source.mark(), 'played')
    source.end()
    await once(source, 'finish')
  })

  test('destroying clears what waits and throws nothing', async () => {
    const { source, engine } = makeSource({ rate: 8000, queue: 20 })
    source.write(Buffer.alloc(3200))
    source.write(Buffer.alloc(2))
    const mark = source.mark()
    await turn()
    source.destroy()
    assert.equal(await mark, 'cleared')
    assert.equal(engine.closed, true)
    assert.equal(await source.mark(), 'cleared')
    await once(source, 'close')
  })

  test('what comes after the end is an error and not played', async () => {
    const { source, engine } = makeSource()
    engine.mark = () => 'played'
    source.end()
    const failed = once(source, 'error')
    source.write(Buffer.alloc(2))
    assert.equal((await failed)[0].code, 'ERR_STREAM_WRITE_AFTER_END')
    assert.throws(() => makeSource().source.write({}), { code: 'ERR_INVALID_ARG_TYPE' })
    assert.deepEqual(engine.written, [])
  })

  test('takes text in its encoding, as any Writable', async () => {
    const { source, engine } = makeSource()
    source.write('0102', 'hex')
    source.end('AwQ=', 'base64')
    assert.deepEqual([...Buffer.concat(engine.written)], [1, 2, 3, 4])
  })

  test('is a Writable for pipelines and for web streams', async () => {
    const { source, engine } = makeSource({ queue: 1000 })
    engine.mark = (mark) => setImmediate(() => engine.onEvent('played', mark))
    await pipeline(Readable.from([Buffer.alloc(10), Buffer.alloc(5), Buffer.alloc(5)]), source)
    assert.equal(Buffer.concat(engine.written).length, 20)

    const other = makeSource({ queue: 1000 })
    other.engine.mark = (mark) => setImmediate(() => other.engine.onEvent('played', mark))
    const writer = Writable.toWeb(other.source).getWriter()
    await writer.write(Buffer.alloc(10))
    await writer.close()
    assert.equal(Buffer.concat(other.engine.written).length, 10)
  })

  test('refuses rates it does not have, and options it does not know', () => {
    assert.throws(() => new AudioSource({ rate: 44100 }), { message: "Option 'rate' must be one of 8000, 16000, 24000, 48000, but is the number 44100" })
    assert.throws(() => new AudioSource({ sampleRate: 8000 }), /Option 'sampleRate' must be one of rate, queue, but is unknown/)
  })
})

describe('AudioSink', () => {
  const frame = (value) => new Uint8Array(320).fill(value)

  test('gives each frame by itself, in order, as they come', async () => {
    const { sink, engine } = makeSink({ rate: 8000 })
    const read = []
    sink.on('data', (chunk) => read.push([chunk.length, chunk[0]]))
    await turn()
    engine.frames.push(frame(1), frame(2))
    engine.onReadable()
    engine.frames.push(frame(3))
    engine.onReadable()
    await turn()
    assert.deepEqual(read, [
      [320, 1],
      [320, 2],
      [320, 3],
    ])
  })

  test('a reader that stops leaves the frames in the engine, which bounds and counts them', async () => {
    const { sink, engine } = makeSink()
    sink.on('data', () => sink.pause())
    await turn()
    engine.frames.push(...Array.from({ length: 20 }, (_, index) => frame(index)))
    engine.onReadable()
    await turn()
    assert.ok(engine.frames.length >= 17)
    engine.dropped = 7
    assert.equal(sink.dropped, 7)
  })

  test('works with for await, and closes the engine when the loop is left', async () => {
    const { sink, engine } = makeSink()
    engine.frames.push(frame(1), frame(2), frame(3))
    const seen = []
    for await (const chunk of sink) {
      seen.push(chunk[0])
      if (seen.length === 2) break
    }
    assert.deepEqual(seen, [1, 2])
    assert.equal(engine.closed, true)
  })
})
