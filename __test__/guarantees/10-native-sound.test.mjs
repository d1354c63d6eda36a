import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { next, pbxOf, voice } from '../pbx.mjs'
import { block } from './calls.mjs'

const BLOCKED = 2500
/** A sample that waited for the thread would leave a hole of the whole time; a busy machine may leave one of some frames. */
const LONGEST_HOLE = 500

describe('10. no audio sample waits for the JavaScript thread', () => {
  test('blocking it leaves no hole in what goes from WAV file to WAV file, both ways', async (t) => {
    const folder = temporaryFolder(t)
    const file = (name) => join(folder, name)
    writeFileSync(file('low.wav'), tone(600))
    writeFileSync(file('high.wav'), tone(1000))
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    bob.on('pendingSession', ({ id }) =>
      bob.acceptPendingSession(id, { mediaStream: { wav: file('high.wav'), loop: true }, audioElement: { wav: file('bob.wav') } }),
    )
    const session = await alice.call('bob', {
      mediaStream: { wav: file('low.wav'), loop: true },
      audioElement: { wav: file('alice.wav') },
    })
    await session.answered
    await next(session, 'stats')
    block(BLOCKED)
    const [stats] = await next(session, 'stats')
    assert.equal(stats.packetsLost, 0)
    const ended = next(bob, 'sessionEnded')
    await session.end()
    await ended
    await Promise.all([alice.destroy(), bob.destroy()])
    for (const name of ['alice.wav', 'bob.wav']) {
      const { sound, hole } = heard(readFileSync(file(name)))
      assert.ok(sound > BLOCKED, `${name} has ${sound} ms of sound`)
      assert.ok(hole < LONGEST_HOLE, `${name} is silent for ${hole} ms`)
    }
  })

  test('blocking it leaves no hole in what a tone sends, though the other ear is read by JavaScript', async (t) => {
    const wav = join(temporaryFolder(t), 'heard.wav')
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoAnswer: 'always' })])
    const { ear, audio } = voice(600)
    const session = await alice.call('bob', audio)
    await session.answered
    const [theirs] = bob.sessions
    await theirs.setOutput({ wav })
    await next(session, 'stats')
    block(BLOCKED)
    const [stats] = await next(session, 'stats')
    assert.equal(stats.packetsLost, 0)
    ear.destroy()
    await session.end()
    await Promise.all([alice.destroy(), bob.destroy()])
    const { sound, hole } = heard(readFileSync(wav))
    assert.ok(sound > BLOCKED, `${sound} ms of sound`)
    assert.ok(hole < LONGEST_HOLE, `silent for ${hole} ms`)
  })
})

function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** One second of a sine tone at 16 kHz, as a WAV file. */
function tone(frequency, rate = 16000) {
  const samples = Int16Array.from({ length: rate }, (_, index) => 6000 * Math.sin((2 * Math.PI * frequency * index) / rate))
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer)])
}

/** Milliseconds between the first and the last sound of a 16-bit mono WAV file, and of the longest silence between them. */
function heard(wav) {
  const rate = wav.readUInt32LE(24)
  const data = wav.subarray(wav.indexOf('data') + 8)
  const samples = new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + (data.length & ~1)))
  let first
  let last
  let longest = 0
  samples.forEach((sample, index) => {
    if (Math.abs(sample) < 300) return
    first ??= index
    if (last !== undefined) longest = Math.max(longest, index - last)
    last = index
  })
  return { sound: ((last - first) / rate) * 1000, hole: (longest / rate) * 1000 }
}
