import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AudioSink, AudioSource } from 'offhook'
import { hears, next, pbxOf } from './pbx.mjs'

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
