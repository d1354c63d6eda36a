import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as passed } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AudioSink } from 'offhook'
import { pbxOf, talking } from './pbx.mjs'
import { connect, eventually, next, voice } from './phones.mjs'
import { hears } from './sound.mjs'
import { levelsOf, millisecondsOf, wavOf } from './wav.mjs'

const run = promisify(execFile)

/** A folder that is gone after the test. */
function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-recording-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

/** Waits until so much of a file is on the disk, for machines that are busy. */
async function holds(file, milliseconds) {
  await eventually(() => existsSync(file) && readFileSync(file).length > 44 && wavOf(file).milliseconds >= milliseconds, 30_000)
}

describe('a recording', () => {
  test('has both legs, each in its channel, mixed or alone, beside the ears of the call', async (t) => {
    const [path, { outgoing, hear }] = [folderOf(t), await talking(t)]
    const recordings = await Promise.all(
      ['stereo', 'mix', 'local', 'remote'].map((legs) => outgoing.record(path(`${legs}.wav`), { legs, rate: 16000 })),
    )
    await hear()
    await holds(path('stereo.wav'), 2000)
    const results = await Promise.all(recordings.map((recording) => recording.stop()))
    for (const [index, result] of results.entries()) {
      const { legs, rate, milliseconds } = wavOf(result.file)
      assert.equal(rate, 16000)
      assert.ok(Math.abs(result.duration - milliseconds) <= 1, `${result.duration} and ${milliseconds} ms`)
      assert.deepEqual([result.paused, result.lost], [[], 0])
      const heard = legs.map((leg) => [600, 1000].filter((hz) => millisecondsOf(leg, rate, hz) > milliseconds / 2))
      assert.deepEqual(heard, [[[600], [1000]], [[600, 1000]], [[600]], [[1000]]][index], recordings[index].legs)
    }
    assert.deepEqual(await recordings[0].stop(), results[0], 'again')
    await assert.rejects(recordings[0].pause(), { code: 'ERR_RECORDING_ENDED' })
  })

  test('is silent and marked where it was paused', async (t) => {
    const [path, { outgoing }] = [folderOf(t), await talking(t)]
    const file = path('call.wav')
    const recording = await outgoing.record(file)
    await holds(file, 1000)
    await recording.pause()
    assert.equal(recording.paused, true)
    await passed(1000)
    await recording.resume()
    assert.equal(recording.paused, false)
    await passed(1000)
    const { paused, duration } = await recording.stop()
    assert.equal(paused.length, 1)
    const [{ from, to }] = paused
    assert.ok(from >= 900 && to - from >= 850 && duration - to >= 850, JSON.stringify({ from, to, duration }))
    const { rate, legs, behind } = wavOf(file)
    for (const leg of legs) {
      const part = leg.subarray(Math.ceil((from * rate) / 1000), Math.floor((to * rate) / 1000))
      assert.ok(part.every((sample) => sample === 0), 'something is heard in the pause')
    }
    assert.match(behind, /^cue /)
    assert.match(behind, /paused\0/)
    assert.match(behind, /resumed\0/)
    assert.equal(millisecondsOf(legs[1].subarray(((to + 200) * rate) / 1000), rate, 1000) > 500, true, 'and it goes on')
  })

  test('goes on through mute, hold and other devices, and has what the other side hears', async (t) => {
    const [path, { outgoing, hear }] = [folderOf(t), await talking(t)]
    const file = path('call.wav')
    const recording = await outgoing.record(file, { rate: 8000 })
    await hear()
    const place = async () => {
      await passed(700)
      return wavOf(file).milliseconds
    }
    await outgoing.mute()
    const muted = await place()
    await passed(1000)
    await outgoing.unmute()
    await outgoing.hold({ music: { tone: 1500 } })
    await passed(1500)
    await outgoing.resume()
    await outgoing.setOutput(new AudioSink({ rate: 8000 }))
    await outgoing.setInput({ tone: 2000 })
    await passed(1500)
    const { duration } = await recording.stop()
    const { rate, legs: [local, remote] } = wavOf(file)
    assert.ok(millisecondsOf(local, rate, 1500) > 500, 'the music')
    assert.ok(millisecondsOf(local, rate, 2000) > 500, 'the other input')
    const silent = local.subarray((muted * rate) / 1000, ((muted + 300) * rate) / 1000)
    assert.ok(silent.every((sample) => sample === 0), 'what the other side does not hear')
    const far = levelsOf(remote, rate, 1000)
    assert.ok(far.slice(-8).every((level) => level > -40), `the other side to the end: ${far}`)
    assert.ok(duration > 4000)
  })

  test('goes on with whom a transfer leads to, at another codec', async (t) => {
    const path = folderOf(t)
    const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const [alice, bob, carol] = await Promise.all([open('alice'), open('bob'), open('carol', { codecs: ['PCMU'] })])
    const { outgoing, incoming, callerEar } = await connect(alice, bob, 'bob')
    const file = path('call.wav')
    const recording = await outgoing.record(file)
    await holds(file, 1000)
    const theirs = voice(1800)
    carol.on('pendingSession', ({ id }) => carol.acceptPendingSession(id, theirs.audio))
    const asked = next(outgoing, 'transferRequested')
    const transferred = incoming.transfer('carol')
    await asked
    const ended = next(alice, 'sessionEnded')
    const successor = await outgoing.acceptTransfer({ mediaStream: { tone: 700 }, audioElement: callerEar })
    await Promise.all([transferred, ended])
    assert.equal(outgoing.state, 'ended')
    const hasAll = () => {
      const { rate, legs: [local, remote] } = wavOf(file)
      return [[local, 600], [remote, 1000], [local, 700], [remote, 1800]].every(([leg, hz]) => millisecondsOf(leg, rate, hz) >= 500)
    }
    await eventually(hasAll, 30_000)
    assert.equal(successor.codec, 'PCMU')
    const over = next(alice, 'sessionEnded')
    await successor.end()
    await over
    await recording.stop()
    assert.ok(hasAll(), 'and has it at the end')
  })

  test('ends with its call, and is whole when the phone is destroyed', async (t) => {
    const [path, { alice, outgoing, incoming }] = [folderOf(t), await talking(t)]
    const [first, second] = [await outgoing.record(path('ended.wav')), await incoming.record(path('destroyed.wav'))]
    await holds(path('ended.wav'), 600)
    await alice.destroy()
    const { duration, file } = await first.stop()
    assert.ok(duration >= 600 && Math.abs(wavOf(file).milliseconds - duration) <= 1)
    await eventually(() => incoming.state === 'ended')
    assert.ok((await second.stop()).duration > 500)
    await assert.rejects(incoming.record(path('late.wav')), { code: 'ERR_SESSION_ENDED' })
    assert.equal(existsSync(path('late.wav')), false)
  })

  test('of a conference has this machine on the left and all members on the right', async (t) => {
    const path = folderOf(t)
    const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((name) => open(name)))
    const [one, other] = [await connect(alice, bob, 'bob', { tones: [600, 1000] }), await connect(alice, carol, 'carol', { tones: [600, 1400] })]
    const conference = await alice.conference([one.outgoing, other.outgoing], { input: { tone: 440 }, output: 'none' })
    const file = path('conference.wav')
    const recording = await conference.record(file, { rate: 16000 })
    await hears(one.calleeEar, 440, 10_000).catch(() => {})
    await holds(file, 3000)
    await recording.stop()
    const { rate, legs: [local, remote] } = wavOf(file)
    assert.ok(millisecondsOf(local, rate, 440) > 1000)
    for (const hz of [1000, 1400]) assert.ok(millisecondsOf(remote, rate, hz) > 1000, `${hz} Hz`)
    assert.equal(millisecondsOf(remote, rate, 440), 0)
    await conference.end()
    await assert.rejects(conference.record(path('late.wav')), { code: 'ERR_CONFERENCE_ENDED' })
  })
})

test('a recording is Opus in Ogg by the name of its file, whole at any time', async (t) => {
  const [path, { outgoing, hear }] = [folderOf(t), await talking(t)]
  const file = path('call.OGG')
  const recording = await outgoing.record(file)
  assert.equal(recording.format, 'ogg-opus')
  await hear()
  await eventually(() => existsSync(file) && readFileSync(file).toString('latin1').split('OggS').length > 6, 20_000)
  await recording.pause()
  await recording.resume()
  const { duration, paused } = await recording.stop()
  assert.equal(paused.length, 1)
  const pages = pagesOf(readFileSync(file))
  const head = pages[0].body
  assert.equal(head.toString('latin1', 0, 8), 'OpusHead')
  assert.equal(head[9], 2, 'two channels')
  assert.equal(pages[0].begins, true)
  assert.deepEqual(pages.map(({ ends }) => ends), [...pages.slice(1).map(() => false), true])
  assert.deepEqual(pages.map(({ number }) => number), pages.map((_, index) => index))
  const played = (Number(pages.at(-1).position) - head.readUInt16LE(10)) / 48
  assert.ok(Math.abs(played - duration) <= 1, `${played} and ${duration} ms`)
  assert.match(pages[1].body.toString('latin1'), /CHAPTER001NAME=paused/)
})

/** The pages of an Ogg file (RFC 3533 §6); throws where one is not whole. */
function pagesOf(bytes) {
  const pages = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) !== 'OggS') throw new Error(`no page at ${at}`)
    const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26])
    const [from, size] = [at + 27 + segments.length, segments.reduce((sum, length) => sum + length, 0)]
    if (from + size > bytes.length) throw new Error('the last page is not whole')
    const flags = bytes[at + 5]
    pages.push({ begins: (flags & 2) > 0, ends: (flags & 4) > 0, position: bytes.readBigInt64LE(at + 6), number: bytes.readUInt32LE(at + 18), body: bytes.subarray(from, from + size) })
    at = from + size
  }
  return pages
}

describe('what can end a recording', () => {
  test('is no kill -9: the file plays to its last second', async (t) => {
    const file = folderOf(t)('killed.wav')
    const child = spawn(process.execPath, [fileURLToPath(new URL('recording-process.mjs', import.meta.url)), file], { stdio: 'ignore' })
    t.after(() => child.kill('SIGKILL'))
    await holds(file, 2000)
    const [before, at] = [wavOf(file).milliseconds, performance.now()]
    await passed(2000)
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const written = wavOf(file)
    const missing = before + performance.now() - at - written.milliseconds
    assert.ok(missing < 1500, `${missing} ms are missing`)
    const last = written.legs.map((leg, index) => levelsOf(leg, written.rate, [600, 1000][index]).slice(-5))
    assert.ok(last.flat().every((level) => level > -40), `both legs to the end: ${JSON.stringify(last)}`)
  })

  test('a full disk is a warning, and the call goes on', { skip: process.platform !== 'linux' && 'there is no /dev/full' }, async (t) => {
    const { outgoing, hear } = await talking(t)
    const warned = next(outgoing, 'warning', 20_000)
    const recording = await outgoing.record('/dev/full')
    const [{ code, message }] = await warned
    assert.equal(code, 'recording-failed')
    assert.match(message, /^\/dev\/full: /)
    assert.equal((await recording.stop()).duration, 0)
    await hear()
  })

  test('a disk that fills leaves what was written whole', { skip: process.getuid?.() !== 0 && 'only root may mount' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-disk-'))
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]).then(() => true, () => false)
    t.after(async () => {
      if (mounted) await run('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    })
    if (!mounted) return t.skip('this machine mounts nothing')
    const { outgoing, hear } = await talking(t)
    const warned = next(outgoing, 'warning', 20_000)
    const recording = await outgoing.record(join(folder, 'call.wav'))
    const [{ code }] = await warned
    assert.equal(code, 'recording-failed')
    const { duration, file } = await recording.stop()
    const { milliseconds, legs, rate } = wavOf(file)
    assert.ok(duration > 1000 && Math.abs(milliseconds - duration) <= 1, `${duration} and ${milliseconds} ms`)
    assert.ok(millisecondsOf(legs[1], rate, 1000) > 500)
    await hear()
  })
})

describe('a Writable', () => {
  test('gets a WAV stream, and its end', async (t) => {
    const [path, { outgoing }] = [folderOf(t), await talking(t)]
    const file = path('stream.wav')
    const recording = await outgoing.record(createWriteStream(file), { legs: 'remote', rate: 8000 })
    assert.equal(recording.file, undefined)
    await passed(2000)
    const { duration, lost } = await recording.stop()
    const { rate, legs: [remote], milliseconds } = wavOf(file)
    assert.equal(lost, 0)
    assert.ok(duration >= 1900 && Math.abs(milliseconds - duration) <= 1, `${duration} and ${milliseconds} ms`)
    assert.ok(millisecondsOf(remote, rate, 1000) > 1000)
  })

  test('that takes nothing is given up when the phone is destroyed', async (t) => {
    const { alice, outgoing } = await talking(t)
    const recording = await outgoing.record(new Writable({ highWaterMark: 1, write: () => {} }))
    await passed(500)
    const stopped = assert.rejects(recording.stop(), { code: 'ERR_DESTROYED' })
    await passed(500)
    await alice.destroy()
    await stopped
  })

  test('that takes nothing, or never ends, is given up with a warning, and is whole for the rest of the world', async (t) => {
    const { outgoing, hear } = await talking(t)
    const stalled = [
      () => new Writable({ highWaterMark: 1, write: () => {} }),
      () => new Writable({ write: (_chunk, _encoding, done) => done(), final: () => {} }),
    ]
    await Promise.all(stalled.map(async (writable) => {
      const recording = await outgoing.record(writable())
      await passed(700)
      const warned = next(outgoing, 'warning', 30_000)
      const { duration } = await recording.stop()
      const [{ code, message }] = await warned
      assert.equal(code, 'recording-failed')
      assert.match(message, /the Writable of a recording: it took nothing for 10 s and is given up/)
      assert.ok(duration >= 500)
    }))
    const cleared = next(outgoing, 'warningCleared', 10_000)
    await (await outgoing.record(new PassThrough().resume())).stop()
    assert.equal((await cleared)[0].code, 'recording-failed')
    await hear()
  })

  test('whose last octets take a while is waited for', async (t) => {
    const { outgoing } = await talking(t)
    const order = []
    const slow = new Writable({
      write: (_chunk, _encoding, done) => setTimeout(done, 300),
      final: (done) => setTimeout(() => (order.push('final'), done()), 1500),
    })
    const recording = await outgoing.record(slow, { rate: 8000 })
    await passed(1200)
    assert.equal((await recording.stop()).lost, 0)
    assert.deepEqual(order, ['final'])
  })

  test('that fails, or that somebody else closes, ends the recording and nothing else', async (t) => {
    const { outgoing, hear } = await talking(t)
    for (const [writable, said] of [
      [new Writable({ write: (_chunk, _encoding, done) => done(new Error('the bucket is gone')) }), /the bucket is gone/],
      [new PassThrough(), /was closed/],
    ]) {
      const warned = next(outgoing, 'warning', 20_000)
      const recording = await outgoing.record(writable)
      if (writable instanceof PassThrough) writable.destroy()
      const [{ code, message }] = await warned
      assert.equal(code, 'recording-failed')
      assert.match(message, said)
      const cleared = next(outgoing, 'warningCleared', 20_000)
      await recording.stop()
      assert.equal((await cleared)[0].code, 'recording-failed')
    }
    await hear()
  })
})

test('what can not be recorded to is told by name, with what to do', async (t) => {
  const [path, { outgoing }] = [folderOf(t), await talking(t)]
  writeFileSync(path('file'), '')
  const ended = new PassThrough()
  ended.end()
  for (const [file, options, code, text] of [
    [path('no/folder/call.wav'), {}, 'ERR_RECORDING_FAILED', /no\/folder\/call\.wav: .*create it first/],
    [path(''), {}, 'ERR_RECORDING_FAILED', /it is a folder: name a file in it/],
    ['', {}, 'ERR_INVALID_OPTION', /'file' must be the path of a file, or a Writable/],
    [undefined, {}, 'ERR_INVALID_OPTION', /'file' must be the path of a file, or a Writable/],
    [{ wav: 'x.wav' }, {}, 'ERR_INVALID_OPTION', /'file' must be/],
    [ended, {}, 'ERR_INVALID_OPTION', /one that has ended/],
    [path('a.wav'), { format: 'mp3' }, 'ERR_INVALID_OPTION', /'format' must be/],
    [path('a.wav'), { legs: 'both' }, 'ERR_INVALID_OPTION', /'legs' must be/],
    [path('a.wav'), { rate: 44100 }, 'ERR_INVALID_OPTION', /'rate' must be/],
    [path('a.wav'), { stereo: true }, 'ERR_INVALID_OPTION', /stereo/],
  ]) {
    await assert.rejects(outgoing.record(file, options), (error) => error.code === code && text.test(error.message), `${String(file)} ${JSON.stringify(options)}`)
  }
  const first = await outgoing.record(path('twice.wav'))
  await assert.rejects(outgoing.record(path('twice.wav')), { code: 'ERR_RECORDING_FAILED', message: /name another file/ })
  await first.stop()
  await (await outgoing.record(path('twice.wav'))).stop()
})
