// What is kept of a call that was led in a terminal.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { accountEnv, offhook, offhookInTerminal } from './cli.mjs'

const toned = ['--input', 'tone:440', '--output', 'none']

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The loudest sample of each channel of a WAV file of 16 bits, and its length in milliseconds. */
function heard(file) {
  const wav = readFileSync(file)
  const [channels, rate] = [wav.readUInt16LE(22), wav.readUInt32LE(24)]
  const start = wav.indexOf('data', 12, 'latin1') + 8
  const end = Math.min(wav.length, start + wav.readUInt32LE(start - 4))
  const loudest = Array.from({ length: channels }, () => 0)
  for (let at = start; at + 2 <= end; at += 2) {
    const channel = ((at - start) / 2) % channels
    loudest[channel] = Math.max(loudest[channel], Math.abs(wav.readInt16LE(at)))
  }
  return { loudest, duration: ((end - start) / 2 / channels / rate) * 1000 }
}

describe('a report of a call', { timeout: 120_000, concurrency: 2 }, () => {
  test('is written at its end with --report, without its secrets', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.html')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--duration', '2', '--digits', '9372516', '--report', file], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0, running.stdout)
    assert.equal((await running.event('reported')).file, file)
    const page = readFileSync(file, 'utf8')
    assert.match(page, /<!doctype html>/i)
    assert.match(page, /INVITE/)
    assert.doesNotMatch(page, /alice-password|9372516/)
  })

  test('is written also after Ctrl-C, and of a call that nobody took', async (t) => {
    const { pbx } = await pbxOf(t)
    const folder = folderOf(t)
    const [one, other] = ['one.html', 'other.html'].map((name) => join(folder, name))
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--report', one], { env: accountEnv(pbx, 'alice') })
    await running.event('answered')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.match(readFileSync(one, 'utf8'), /BYE/)
    const refused = offhook(t, ['call', 'busy', '--json', ...toned, '--report', other], { env: accountEnv(pbx, 'alice') })
    assert.equal(await refused.ended, 5)
    assert.match(readFileSync(other, 'utf8'), /486/)
  })

  test('that can not be written any more is told, and ends no call', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const folder = join(folderOf(t), 'gone')
    mkdirSync(folder)
    const file = join(folder, 'call.html')
    const bob = await open('bob')
    const rings = next(bob, 'pendingSession', 20_000)
    const running = offhook(t, ['call', 'bob', '--json', ...toned, '--duration', '1', '--report', file], { env: accountEnv(pbx, 'alice') })
    const [{ id }] = await rings
    rmSync(folder, { recursive: true })
    bob.acceptPendingSession(id)
    assert.equal(await running.ended, 0)
    assert.equal((await running.event('error')).code, 'ERR_REPORT_FAILED')
    assert.ok((await running.event('error')).message.includes(file))
  })

  test('overwrites a file only with --force', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.html')
    writeFileSync(file, 'precious')
    const args = ['call', 'echo', '--json', ...toned, '--duration', '1', '--report', file]
    assert.equal(await offhook(t, args, { env: accountEnv(pbx, 'alice') }).ended, 2)
    assert.equal(readFileSync(file, 'utf8'), 'precious')
    assert.equal(await offhook(t, [...args, '--force'], { env: accountEnv(pbx, 'alice') }).ended, 0)
    assert.match(readFileSync(file, 'utf8'), /INVITE/)
  })

  test('of each of several calls has a file of its own', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const folder = folderOf(t)
    const bob = await open('bob')
    const running = offhook(t, ['listen', '--auto-answer', '--json', ...toned, '--report', join(folder, 'call.html')], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    for (const name of ['call.html', 'call-2.html']) {
      const session = await bob.call('alice')
      await session.answered
      const ended = next(bob, 'sessionEnded')
      await session.end()
      await ended
      await running.event('reported', ({ file }) => file === join(folder, name))
      assert.ok(existsSync(join(folder, name)))
    }
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })
})

describe('a recording of a call', { timeout: 120_000, concurrency: 2 }, () => {
  test('is both sides of it with --record', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.wav')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--duration', '3', '--record', file], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0, running.stdout)
    const { loudest, duration } = heard(file)
    assert.equal(loudest.length, 2)
    for (const level of loudest) assert.ok(level > 1000, String(loudest))
    const recorded = await running.event('recorded')
    assert.equal(recorded.file, file)
    assert.ok(Math.abs(recorded.duration - duration) < 50, `${recorded.duration} ${duration}`)
  })

  test('is Opus in Ogg if its name says so', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.ogg')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--duration', '2', '--record', file], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0, running.stdout)
    assert.equal(readFileSync(file).toString('latin1', 0, 4), 'OggS')
  })

  test('is whole after Ctrl-C', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.wav')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--record', file], { env: accountEnv(pbx, 'alice') })
    await running.event('stats')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    const { duration } = await running.event('recorded')
    assert.ok(Math.abs(heard(file).duration - duration) < 50)
  })

  test('is nothing, with a word about it, if the file can not be written any more; the call goes on', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const folder = join(folderOf(t), 'gone')
    mkdirSync(folder)
    const file = join(folder, 'call.wav')
    const bob = await open('bob')
    const rings = next(bob, 'pendingSession', 20_000)
    const running = offhook(t, ['call', 'bob', '--json', ...toned, '--duration', '2', '--record', file], { env: accountEnv(pbx, 'alice') })
    const [{ id }] = await rings
    rmSync(folder, { recursive: true })
    bob.acceptPendingSession(id)
    assert.equal(await running.ended, 0)
    const error = await running.event('error')
    assert.equal(error.code, 'ERR_RECORDING_FAILED')
    assert.ok(error.message.includes(file))
    await running.event('stats')
  })

  test('is begun and ended by r, each time in a file of its own', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const folder = folderOf(t)
    const file = join(folder, 'call.wav')
    const bob = await open('bob', { autoAnswer: 'always' })
    const started = next(bob, 'sessionStarted', 20_000)
    const alice = offhookInTerminal(t, ['call', 'bob', ...toned, '--record', file], { env: accountEnv(pbx, 'alice') })
    await started
    await alice.says(/recording into .*call\.wav/)
    await alice.says(/\x1b\[33mrecording/)
    alice.type('r')
    await alice.says(/recorded 0:\d\d into .*call\.wav/)
    alice.type('r')
    await alice.says(/recording into .*call-2\.wav/)
    alice.type('q')
    assert.equal(await alice.ended, 0)
    for (const name of ['call.wav', 'call-2.wav']) assert.equal(heard(join(folder, name)).loudest.length, 2)
    assert.ok(!existsSync(join(folder, 'call-3.wav')))
  })

  test('is what alice said and heard in the demo', async (t) => {
    const file = join(folderOf(t), 'demo.wav')
    const running = offhook(t, ['demo', '--duration', '3', '--output', 'none', '--record', file])
    assert.equal(await running.ended, 0, running.stdout + running.stderr)
    for (const level of heard(file).loudest) assert.ok(level > 1000)
  })
})
