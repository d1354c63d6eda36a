import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fake } from './fake.mjs'
import { uncaughtBy } from '../phones.mjs'
import { AudioSink, AudioSource } from 'offhook'

function makeSource(options) {
  return { source: new AudioSource(options), engine: fake.sources.at(-1) }
}

function makeSink(options) {
  return { sink: new AudioSink(options), engine: fake.sinks.at(-1) }
}

describe('AudioSource', () => {
  test('takes Buffers, Int16Arrays and Uint8Arrays of any size, and gives the engine each byte once', async () => {
    const { source, engine } = makeSource({ rate: 8000 })
    source.write(Buffer.of(1, 2, 3))
    source.write(Uint8Array.of(4, 5))
    source.write(Int16Array.of(0x0706))
    source.end()
    await turn()
    engine.onEvent('played', engine.marks[0])
    await once(source, 'finish')
    assert.deepEqual([...Buffer.concat(engine.written)], [1, 2, 3, 4, 5, 6, 7])
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
    engine.waiting = 0
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
    assert.deepEqual(source.clear(), { played: 20, dropped: 400 })
    assert.equal(engine.waiting, 0)
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
    engine.waiting = 0
    engine.onEvent('drain', 0)
    await turn()
    for (const mark of engine.marks) engine.onEvent('played', mark)
    assert.deepEqual(await Promise.all([first, last]), ['played', 'played'])
    await once(source, 'finish')
  })

  test('a mark of which the engine knows at once resolves at once', async () => {
    const { source, engine } = makeSource()
    engine.mark = (mark) => ({ mark, outcome: 'played', position: 0 })
    assert.equal(await source.mark(), 'played')
    source.end()
    await once(source, 'finish')
  })

  test('a mark with a name says its position, in its promise and as an event', async () => {
    const { source, engine } = makeSource()
    const told = []
    source.on('mark', (mark) => told.push(mark))
    const [first, second, unnamed] = [source.mark('greeting'), source.mark('question'), source.mark()]
    engine.onEvent('played', engine.marks[0], 480)
    engine.at = { sent: 700 }
    source.clear()
    const marks = [
      { name: 'greeting', outcome: 'played', position: 480 },
      { name: 'question', outcome: 'cleared', position: 700 },
    ]
    assert.deepEqual(await Promise.all([first, second, unnamed]), [...marks, 'cleared'])
    assert.deepEqual(told, marks)
    assert.throws(() => source.mark(5), { code: 'ERR_INVALID_ARGUMENT', message: /"name": expected a string, but it is a number/ })
    engine.at = { sent: 900, heard: 800, delay: 90 }
    source.destroy()
    assert.deepEqual(await source.mark('late'), { name: 'late', outcome: 'cleared', position: 900 })
  })

  test('a listener of marks that throws keeps no other mark from being told', async () => {
    const { source, engine } = makeSource()
    source.on('mark', () => {
      throw new Error('a bug')
    })
    const errors = await uncaughtBy(async () => {
      const marks = [source.mark('one'), source.mark('two')]
      for (const mark of engine.marks) engine.onEvent('played', mark, 0)
      assert.deepEqual((await Promise.all(marks)).map(({ name }) => name), ['one', 'two'])
      await turn()
    })
    assert.equal(errors.length, 2)
  })

  test('tells how far it is, and keeps that when it is destroyed', () => {
    const { source, engine } = makeSource({ rate: 8000 })
    assert.deepEqual(source.position, { sent: 0, heard: undefined, delay: undefined })
    source.write(Buffer.alloc(3200))
    assert.equal(source.queued, 200)
    engine.at = { sent: 800, heard: 480, delay: 60 }
    source.pause()
    assert.equal(engine.paused, true)
    source.resume()
    assert.equal(engine.paused, false)
    source.destroy()
    engine.at = { sent: 0 }
    assert.deepEqual(source.position, { sent: 800, heard: 480, delay: 60 })
    assert.equal(source.queued, 0)
    assert.deepEqual(source.clear(), { played: 0, dropped: 0 })
    source.pause()
    source.resume()
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
    engine.mark = (mark) => ({ mark, outcome: 'played', position: 0 })
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

  test('text that is no PCM is refused by name, and nothing of it is heard', async () => {
    const { source, engine } = makeSource()
    const refused = { code: 'ERR_INVALID_ARGUMENT', message: /write\(text, 'base64'\), but it is text in utf8/ }
    assert.throws(() => source.write('AQIDBA=='), refused)
    assert.throws(() => source.write('hello', () => {}), refused)
    assert.throws(() => source.end('hello'), refused)
    for (const encoding of ['utf8', 'UTF-8', 'utf16le', 'ucs2', 'ascii']) {
      assert.throws(() => source.write('ab', encoding), { code: 'ERR_INVALID_ARGUMENT' })
    }
    assert.throws(() => source.write(Float32Array.of(0.5)), /16-bit PCM.*but it is a Float32Array/)
    class Samples extends Float32Array {
      static name = 5
    }
    assert.throws(() => source.write(Samples.of(0.5)), /16-bit PCM.*but it is a typed array/)
    assert.deepEqual(engine.written, [])
    source.setDefaultEncoding('base64')
    source.write('AQIDBA==')
    source.write('BQY', 'base64url')
    source.write('\x07\x08', 'latin1')
    assert.deepEqual([...Buffer.concat(engine.written)], [1, 2, 3, 4, 5, 6, 7, 8])
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

  /** A sink that always has a next frame. */
  const endless = () => {
    const { sink, engine } = makeSink({ rate: 8000 })
    engine.read = () => frame(0)
    return { sink, engine }
  }

  // Longer than the readers' share of a turn, however slow the machine is.
  const slow = () => {
    const end = performance.now() + 5
    while (performance.now() < end);
  }

  // `step` is called for every frame; the application has `turns` turns of its own meanwhile.
  async function during(turns, sinks, step) {
    const given = sinks.map(() => 0)
    let turn = 0
    const inTurn = []
    sinks.forEach(({ sink }, index) => {
      sink.on('data', () => {
        given[index]++
        inTurn[turn] = (inTurn[turn] ?? 0) + 1
        step()
      })
    })
    for (const { engine } of sinks) engine.onReadable()
    for (; turn < turns; turn++) await new Promise((passed) => setTimeout(passed, 0))
    for (const { sink } of sinks) sink.destroy()
    return { given, inTurn }
  }

  test('a listener that is slower than real time lets a timer run after each frame', async () => {
    const { given } = await during(5, [endless()], slow)
    assert.ok(given[0] >= 4 && given[0] <= 10, `${given[0]} frames in five turns`)
  })

  test('the sinks of a thread share it fairly, however many there are', async () => {
    const sinks = Array.from({ length: 200 }, endless)
    const { given, inTurn } = await during(220, sinks, slow)
    assert.ok(Math.max(...inTurn.filter(Boolean)) <= 4, `a turn has an end: ${inTurn}`)
    assert.ok(Math.max(...given) - Math.min(...given) <= 1, `frames: ${Math.min(...given)} to ${Math.max(...given)}`)
  })

  test('readers that work behind an await share it as well', async () => {
    const sinks = Array.from({ length: 50 }, endless)
    let turn = 0
    const inTurn = []
    const read = async ({ sink }) => {
      for await (const _ of sink) {
        inTurn[turn] = (inTurn[turn] ?? 0) + 1
        await null
        slow()
      }
    }
    const reading = sinks.map(read)
    for (const { engine } of sinks) engine.onReadable()
    for (; turn < 20; turn++) await new Promise((passed) => setTimeout(passed, 0))
    for (const { sink } of sinks) sink.destroy()
    await Promise.allSettled(reading)
    assert.ok(Math.max(...inTurn.filter(Boolean)) <= 6, `${inTurn} in a turn`)
  })

  test('a listener that throws takes nobody else\'s turn', async () => {
    const [bad, good] = [endless(), endless()]
    let heard = 0
    bad.sink.on('data', () => {
      throw new Error('a bug')
    })
    good.sink.on('data', () => heard++)
    const errors = await uncaughtBy(async () => {
      for (const { engine } of [bad, good]) engine.onReadable()
      while (heard < 3) await turn()
      bad.sink.destroy()
      good.sink.destroy()
    })
    assert.ok(errors.length > 0)
  })

  test('what was dropped is still known when the sink is destroyed', async () => {
    const { sink, engine } = makeSink()
    engine.dropped = 3
    sink.destroy()
    engine.dropped = 0
    assert.equal(sink.dropped, 3)
  })
})
