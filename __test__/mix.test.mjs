import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AudioSink, AudioSource } from 'offhook'
import { talking } from './pbx.mjs'
import { next } from './phones.mjs'
import { drain, hears, hearsAll } from './sound.mjs'
import { millisecondsOf, wavOf } from './wav.mjs'

/** A file with a tone at half of full scale, which is gone after the test, as its folder is. */
function toneFile(t, hz) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-mix-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [rate, file] = [16000, join(folder, 'office.wav')]
  const bytes = Buffer.alloc(44 + rate * 2)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8)
  for (const [value, at] of [[16, 16], [rate, 24], [rate * 2, 28], [rate * 2, 40]]) bytes.writeUInt32LE(value, at)
  for (const [value, at] of [[1, 20], [1, 22], [2, 32], [16, 34]]) bytes.writeUInt16LE(value, at)
  bytes.write('data', 36)
  for (let index = 0; index < rate; index++) bytes.writeInt16LE(Math.round(16384 * Math.sin((2 * Math.PI * hz * index) / rate)), 44 + index * 2)
  writeFileSync(file, bytes)
  return { folder, file }
}

test('all of a mix are heard, each at its level', async (t) => {
  const { file } = toneFile(t, 1500)
  const { outgoing, calleeEar } = await talking(t)
  const mouth = new AudioSource({ rate: 8000, queue: 60_000 })
  mouth.write(Int16Array.from({ length: 8000 * 30 }, (_, index) => 8000 * Math.sin((2 * Math.PI * 2000 * index) / 8000)))
  await outgoing.setInput({ mix: [mouth, { wav: file, loop: true, level: -20 }, { tone: 700, level: -12 }] })
  drain(calleeEar)
  const heard = await hearsAll(calleeEar, [2000, 1500, 700], [600])
  // Half of full scale is -6 dB, 20 below that -26; a codec's band may take some.
  assert.ok(Math.abs(heard.get(1500) + 26 + 3) < 6, `${heard.get(1500)} dBFS`)
  assert.ok(heard.get(700) - heard.get(1500) > 8)
  await outgoing.setInput({ tone: 600 })
  await hears(calleeEar, 600, 20_000)
})

test('an output may be several at once', async (t) => {
  const { folder } = toneFile(t, 1500)
  const { alice, outgoing } = await talking(t)
  const [one, other, file] = [new AudioSink({ rate: 8000 }), new AudioSink({ rate: 16000 }), join(folder, 'call.wav')]
  await outgoing.setOutput([one, { wav: file }, other, 'none'])
  await Promise.all([hears(one, 1000, 20_000), hears(other, 1000, 20_000)])
  const ended = next(alice, 'sessionEnded')
  await outgoing.end()
  await ended
  await alice.destroy()
  const { legs: [leg], rate } = wavOf(file)
  assert.ok(millisecondsOf(leg, rate, 1000) >= 100)
})

test('what can not be mixed is told by name, with what to do, and the call goes on with what it had', async (t) => {
  const { file } = toneFile(t, 1500)
  const { alice, bob, outgoing, incoming, hear } = await talking(t)
  const [source, sink] = [new AudioSource(), new AudioSink()]
  const itself = { mix: [] }
  itself.mix.push(itself)
  for (const [input, text] of [
    [{ mix: [] }, /'input.mix' must be an array of one to 16/],
    [{ mix: 'default' }, /'input.mix' must be an array/],
    [{ mix: new Array(2) }, /'input.mix\[0\]' must be/],
    [{ mix: [source, { mix: [{ tone: 500 }] }] }, /'input.mix\[1\]' must be an input that is no mix itself/],
    [itself, /'input.mix\[0\]' must be an input that is no mix itself/],
    [{ mix: [source, source] }, /'input.mix\[1\]' must be there once/],
    [{ mix: [{ wav: file, level: 7 }] }, /'input.mix\[0\].level' must be/],
    [{ mix: [{ wav: file, volume: -20 }] }, /volume/],
    [{ mix: [source], level: -3 }, /level/],
    [{ mix: [7] }, /'input.mix\[0\]' must be/],
  ]) {
    await assert.rejects(outgoing.setInput(input), { code: 'ERR_INVALID_OPTION', message: text })
  }
  for (const [output, text] of [
    [[], /'output' must be an array of one to 16/],
    [[sink, sink], /'output\[1\]' must be there once/],
    [[sink, [sink]], /'output\[1\]' must be/],
    [[sink, { wav: '' }], /'output\[1\].wav' must be/],
  ]) {
    await assert.rejects(outgoing.setOutput(output), { code: 'ERR_INVALID_OPTION', message: text })
  }
  for (const [input, text] of [
    [{ mix: [source, { wav: `${file}.no` }] }, /office\.wav\.no/],
    [{ mix: [source, outgoing] }, /its far end would hear itself/],
  ]) {
    await assert.rejects(outgoing.setInput(input), { code: 'ERR_NO_DEVICE', message: text })
  }
  await hear()
  const ended = Promise.all([next(alice, 'sessionEnded'), next(bob, 'sessionEnded')])
  await incoming.end()
  await ended
  const later = await alice.call('bob')
  await assert.rejects(later.setInput(outgoing), { code: 'ERR_INVALID_OPTION', message: /'input' must be a session that goes on, but is one that has ended/ })
  await assert.rejects(later.setInput({ mix: [source, outgoing] }), { message: /'input.mix\[1\]' must be a session that goes on/ })
  await later.end()
})
