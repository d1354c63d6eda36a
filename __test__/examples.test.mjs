import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { started } from './examples/started.mjs'
import { hears, pbxOf, voice } from './pbx.mjs'
import { hearsAll } from './sound.mjs'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../examples', import.meta.url))
const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs'))

describe('the examples', () => {
  test('are each under forty lines', () => {
    for (const name of examples) {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').length
      assert.ok(lines < 40, `${name} has ${lines} lines`)
    }
  })

  // The others need an account of yours.
  for (const [name, output] of [
    ['first-call.mjs', /heard a second of .* echo\nended: success/],
    ['click-to-call.mjs', /autoAnswer: true[^]*alice talks to bob/],
  ]) {
    test(`${name} runs`, async () => {
      const { stdout } = await run(process.execPath, [join(folder, name)], { timeout: 30_000 })
      assert.match(stdout, output)
    })
  }

  test('conference.mjs joins who calls and who is named', { timeout: 30_000 }, async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob'] })
    const { says, interrupt } = started(t, pbx.account('alice'), 'conference.mjs', 'tone')
    await says(/^tone is here: tone$/)
    const bob = await open('bob')
    const { ear, audio } = voice(600)
    const session = await bob.call('alice', audio)
    await says(/^bob is here: tone, bob$/)
    await hears(ear, 440)
    await session.end()
    await says(/^bob has left: tone$/)
    await interrupt()
  })

  test('paging.mjs speaks to everybody, and nobody hears anybody else', { timeout: 30_000 }, async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const paged = async (name, frequency) => {
      const { ear, audio } = voice(frequency)
      const phone = await open(name, { autoAnswer: 'headers', audio: { input: audio.mediaStream, output: ear } })
      return { phone, ear }
    }
    const [bob, carol] = [await paged('bob', 600), await paged('carol', 1000)]
    const wav = join(mkdtempSync(join(tmpdir(), 'offhook-paging-')), 'announcement.wav')
    t.after(() => rmSync(dirname(wav), { recursive: true }))
    writeFileSync(wav, toneWav(440))
    const { says, interrupt } = started(t, pbx.account('alice'), 'paging.mjs', wav, 'bob', 'carol')
    await says(/^(bob|carol) listens$/)
    await says(/^(bob|carol) listens$/)
    await hearsAll(bob.ear, [440], [1000])
    await hearsAll(carol.ear, [440], [600])
    await interrupt()
  })

  test('unit-test.test.mjs passes', async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    await run(process.execPath, ['--test', join(folder, 'unit-test.test.mjs')], { timeout: 30_000, env })
  })
})

/** One second of a tone, 16 kHz, mono. */
function toneWav(frequency) {
  const rate = 16_000
  const sound = Int16Array.from({ length: rate }, (_, index) => 8000 * Math.sin((2 * Math.PI * frequency * index) / rate))
  const header = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1')
  header.writeUInt32LE(36 + sound.byteLength, 4)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(2 * rate, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.writeUInt32LE(sound.byteLength, 40)
  return Buffer.concat([header, Buffer.from(sound.buffer)])
}
