import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AudioSink, AudioSource } from 'offhook'
import { hears, next, pbxOf, talking } from './pbx.mjs'
import { eventually } from './phones.mjs'
import { drain, quiet } from './sound.mjs'

const rate = 8000
const root = fileURLToPath(new URL('..', import.meta.url))

/** Milliseconds of a tone as PCM. */
function tone(frequency, milliseconds) {
  const length = (rate * milliseconds) / 1000
  return Int16Array.from({ length }, (_, index) => 8000 * Math.sin((2 * Math.PI * frequency * index) / rate))
}

describe('an AudioSource that no session plays', () => {
  test('settles a mark and ends at once where nothing waits', async () => {
    const source = new AudioSource({ rate })
    assert.equal(await source.mark(), 'played')
    source.write(tone(600, 500))
    const waiting = source.mark()
    source.clear()
    assert.equal(await waiting, 'cleared')
    assert.equal(await source.mark(), 'cleared')
    source.end()
    await once(source, 'finish')
  })

  test('keeps what was written with its mark, and lets go of both in destroy()', async () => {
    const source = new AudioSource({ rate, queue: 100 })
    source.write(tone(600, 500))
    source.write(tone(600, 500))
    const mark = source.mark()
    source.end()
    const late = source.mark()
    source.destroy()
    await once(source, 'close')
    assert.deepEqual(await Promise.all([mark, late]), ['cleared', 'cleared'])
  })

  test('holds no process', async () => {
    const script = `
      import { AudioSource } from 'offhook'
      const source = new AudioSource({ rate: 8000 })
      source.write(Buffer.alloc(16000))
      source.mark().then(console.log)`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, timeout: 10_000 })
  })
})

describe('an AudioSource in a call', () => {
  test('plays what was written before, and settles its marks', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const [source, ear] = [new AudioSource({ rate }), new AudioSink({ rate })]
    source.write(tone(600, 1000))
    const mark = source.mark()
    const session = await alice.call('echo', { mediaStream: source, audioElement: ear })
    await session.answered
    await hears(ear, 600)
    assert.equal(await mark, 'played')
    await session.end()
  })

  test('drops what waits when the call ends, so that the next one hears only what is written for it', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const [source, ear] = [new AudioSource({ rate, queue: 100 }), new AudioSink({ rate })]
    const first = await alice.call('echo', { mediaStream: source })
    await first.answered
    source.write(tone(600, 20_000))
    source.write(tone(600, 1000))
    const mark = source.mark()
    await first.end()
    assert.equal(await mark, 'cleared')

    source.write(tone(1000, 3000))
    const warnings = []
    alice.on('sessionStarted', (session) => session.on('warning', (warning) => warnings.push(warning)))
    const second = await alice.call('echo', { mediaStream: source, audioElement: ear })
    await second.answered
    await hears(ear, 1000)
    assert.deepEqual(warnings, [])
    await second.end()
  })

  test('is let go by setInput(), and can be taken again at once', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const [source, ear] = [new AudioSource({ rate, queue: 100 }), new AudioSink({ rate })]
    const session = await alice.call('echo', { mediaStream: source, audioElement: ear })
    session.on('warning', ({ message }) => assert.fail(message))
    await session.answered
    source.write(tone(600, 20_000))
    const mark = source.mark()
    await session.setInput('none')
    assert.equal(await mark, 'cleared')
    source.write(tone(1000, 3000))
    await session.setInput(source)
    await hears(ear, 1000)
    const ended = next(session, 'terminated')
    await session.end()
    await ended
  })
})

describe('a bot that wants to know what was heard', () => {
  /** A call to the echo, with a source of 8 kHz, and an ear that hears what comes back. */
  async function echoed(t) {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const [source, ear] = [new AudioSource({ rate, queue: 100 }), new AudioSink({ rate })]
    const session = await alice.call('echo', { mediaStream: source, audioElement: ear })
    await session.answered
    return { session, source, ear }
  }

  test('learns how much was sent, and how much heard', async (t) => {
    const { session, source } = await echoed(t)
    assert.equal(source.position.sent, 0)
    source.write(tone(600, 1000))
    assert.ok(source.queued > 900 && source.queued <= 1000, `${source.queued} ms wait`)
    const half = source.mark('half')
    source.write(tone(600, 1000))
    assert.deepEqual(await half, { name: 'half', outcome: 'played', position: 8000 })
    const { sent, heard, delay } = source.position
    assert.ok(sent >= 7680 && sent < 16_000, `${sent} samples sent`)
    // ICE knows the round trip of a call that has just begun.
    assert.ok(delay >= 40 && delay < 500, `${delay} ms`)
    assert.ok(heard <= sent && heard > 0, `${heard} heard of ${sent}`)
    assert.equal(await source.mark(), 'played')
    await eventually(() => source.position.heard === 16_000)
    assert.equal(source.position.sent, 16_000)
    assert.equal(source.queued, 0)
    await session.end()
    assert.equal(source.position.sent, 16_000)
  })

  test('pauses what it says, and goes on with it', async (t) => {
    const { session, source, ear } = await echoed(t)
    source.write(tone(600, 4000))
    await hears(ear, 600)
    source.pause()
    drain(ear)
    await quiet(ear)
    const { queued, position } = source
    assert.ok(queued > 0)
    await new Promise((passed) => setTimeout(passed, 300))
    assert.deepEqual([source.queued, source.position.sent], [queued, position.sent])
    source.resume()
    await hears(ear, 600)
    assert.equal(await source.mark(), 'played')
    await eventually(() => source.position.sent === 32_000)
    await session.end()
  })

  for (const [how, input] of [
    ['alone', (source) => source],
    ['in a mix', (source) => ({ mix: [source, { tone: 900 }] })],
  ]) {
    test(`stands still ${how} while the other side holds the call, and is heard from there on`, async (t) => {
      const { outgoing, incoming, calleeEar } = await talking(t)
      const source = new AudioSource({ rate })
      t.after(() => source.destroy())
      await outgoing.setInput(input(source))
      source.write(tone(600, 4000))
      const mark = source.mark('end')
      await hears(calleeEar, 600)
      const held = next(outgoing, 'hold')
      await Promise.all([incoming.hold(), held])
      // What was captured when the hold came may still be counted.
      await new Promise((passed) => setTimeout(passed, 100))
      const { queued, position } = source
      assert.ok(queued > 0 && position.sent < 32_000, `${queued} ms wait`)
      await new Promise((passed) => setTimeout(passed, 500))
      assert.deepEqual([source.queued, source.position.sent], [queued, position.sent])
      await incoming.resume()
      assert.deepEqual(await mark, { name: 'end', outcome: 'played', position: 32_000 })
      await outgoing.end()
    })
  }

  test('falls silent, and learns what it has said', async (t) => {
    const { session, source, ear } = await echoed(t)
    const marks = []
    source.on('mark', (mark) => marks.push(mark))
    source.write(tone(600, 10_000))
    source.mark('said')
    await hears(ear, 600)
    const { played, dropped } = source.clear()
    assert.equal(Math.round(played + dropped), 10_000)
    assert.ok(played >= 200 && played < 9000, `${played} ms were played`)
    drain(ear)
    await quiet(ear)
    assert.deepEqual(marks, [{ name: 'said', outcome: 'cleared', position: Math.round((played * rate) / 1000) }])
    source.write(tone(600, 100))
    assert.equal(await source.mark(), 'played')
    assert.deepEqual(source.clear(), { played: 100, dropped: 0 })
    await session.end()
  })
})
