import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { hears } from '../sound.mjs'

// The ear of the interop tests, by itself.

function playing(frequency, level = 3000, rate = 8000) {
  const stream = Object.assign(new PassThrough({ objectMode: true }), { rate })
  for (let start = 0; start < rate; start += rate / 50) {
    const frame = Int16Array.from({ length: rate / 50 }, (_, index) => {
      return level * Math.sin((2 * Math.PI * frequency * (start + index)) / rate)
    })
    stream.write(Buffer.from(frame.buffer))
  }
  return stream
}

test('hears the tone that is played', async () => {
  const heard = await hears(playing(600), 600)
  assert.ok(heard.share > 0.95)
})

test('does not take another tone or silence for it', async () => {
  await assert.rejects(hears(playing(650), 600, 100), /expected 600 Hz/)
  await assert.rejects(hears(playing(600, 0), 600, 100), /expected 600 Hz/)
})

test('waits for sound that comes later', async () => {
  const stream = Object.assign(new PassThrough({ objectMode: true }), { rate: 8000 })
  setImmediate(() => playing(600).pipe(stream))
  await hears(stream, 600)
})
