// Which sources and sinks are kept from being collected, and for how long: the engine's ends are stood for by what says whether a session has one.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fake } from './fake.mjs'
import { AudioSink, AudioSource, VideoSink, VideoSource } from 'offhook'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const { hold } = createRequire(import.meta.url)('../../dist/held.js')
const pass = () => new Promise((resolve) => setImmediate(resolve))

/** Whether it can still be reached; a WeakRef that was just looked at is kept for the rest of its turn. */
async function isThere(weak) {
  for (let times = 0; times < 3; times++) {
    await pass()
    collect()
  }
  return weak.deref() !== undefined
}

describe('a source or sink that nobody holds', () => {
  const kinds = { AudioSource, AudioSink, VideoSource, VideoSink }
  for (const [name, Kind] of Object.entries(kinds)) {
    test(`is collected if it is a ${name} that no call was given`, async () => {
      const made = () => new WeakRef(new Kind())
      assert.equal(await isThere(made()), false)
    })
  }

  test('is told nothing once it is collected', async () => {
    const weak = (() => new WeakRef(new AudioSource()))()
    assert.equal(await isThere(weak), false)
    fake.sources.at(-1).onEvent('drain', 0, 0)
  })

  test('is kept while a session has its end, for 10 s after that, and for an hour if none has had it', async (t) => {
    const clock = { now: performance.now() }
    t.mock.method(performance, 'now', () => clock.now)
    const later = (seconds) => {
      clock.now += seconds * 1000
      const other = { engaged: false, wasEngaged: false, expect() {} }
      hold({}, other)
    }
    const ends = { had: { engaged: true, wasEngaged: true, expect() {} }, never: { engaged: false, wasEngaged: false, expect() {} } }
    const named = (end) => {
      const whole = {}
      hold(whole, end)
      return new WeakRef(whole)
    }
    const [had, never] = [named(ends.had), named(ends.never)]
    later(3000)
    assert.deepEqual([await isThere(had), await isThere(never)], [true, true])
    ends.had.engaged = false
    later(1)
    later(9)
    assert.deepEqual([await isThere(had), await isThere(never)], [true, true])
    later(2)
    assert.deepEqual([await isThere(had), await isThere(never)], [false, true])
    later(600)
    assert.equal(await isThere(never), false)
  })
})
