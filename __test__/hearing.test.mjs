// What the other side's sound means: speech, the network's tones, an answering machine.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AudioSource } from 'offhook'
import { next, pbxOf } from './pbx.mjs'
import { eventually } from './phones.mjs'

const rate = 16_000
const wav = readFileSync(fileURLToPath(new URL('../examples/speech.wav', import.meta.url)))
const speech = wav.subarray(44, 44 + wav.readUInt32LE(40))
const silence = (milliseconds) => Buffer.alloc((milliseconds * rate * 2) / 1000)

/** Milliseconds of some tones at once. */
function tone(frequencies, milliseconds) {
  const length = (rate * milliseconds) / 1000
  const at = (index) => frequencies.reduce((sum, hz) => sum + 4000 * Math.sin((2 * Math.PI * hz * index) / rate), 0)
  return Buffer.from(Int16Array.from({ length }, (_, index) => at(index)).buffer)
}

/** A call to bob, who speaks through `mouth` once he is heard. */
async function calling(t, options) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const mouth = new AudioSource({ rate, queue: 60_000 })
  const [[{ id }], session] = await Promise.all([next(bob, 'pendingSession'), alice.call('bob', options)])
  return { alice, bob, id, session, mouth }
}

/** The events of these names with what they say, as they come. */
function told(session, ...names) {
  const events = []
  for (const name of names) session.on(name, (event) => events.push([name, event]))
  return events
}

describe('speech', () => {
  test('begins and ends, with its level and duration, and a pause within a turn ends none', { timeout: 60_000 }, async (t) => {
    const { bob, id, session, mouth } = await calling(t, { voiceActivity: { endOfTurn: 900 } })
    const events = told(session, 'speechStarted', 'speechEnded')
    await bob.answer(id, { mediaStream: mouth })
    mouth.write(Buffer.concat([silence(500), speech.subarray(0, rate * 2 * 2), silence(400), speech.subarray(0, rate * 2), silence(3000)]))
    await eventually(() => events.length >= 2, 20_000)
    assert.deepEqual(events.map(([name]) => name), ['speechStarted', 'speechEnded'])
    const [[, started], [, ended]] = events
    assert.ok(started.level > 0.001 && started.level < 0.7, `level ${started.level}`)
    assert.ok(ended.level > 0.001 && ended.level < 0.7, `level ${ended.level}`)
    assert.ok(ended.duration > 2000 && ended.duration < 3600, `${ended.duration} ms`)
    await session.end()
  })

  test('is found in calls that came in, too, and options that are wrong are named', { timeout: 60_000 }, async (t) => {
    const { alice, bob, id, session } = await calling(t)
    for (const endOfTurn of [99, 10_001, 500.5, '500']) {
      const expected = { code: 'ERR_INVALID_OPTION', message: /'voiceActivity.endOfTurn' must be .*100.*10000/ }
      await assert.rejects(alice.call('bob', { voiceActivity: { endOfTurn } }), expected)
    }
    await assert.rejects(alice.call('bob', { voiceActivity: { endOfSpeech: 500 } }), /voiceActivity.endOfSpeech/)
    const callee = await bob.answer(id, { voiceActivity: { endOfTurn: 300 } })
    const started = next(callee, 'speechStarted', 20_000)
    await session.setInput({ wav: fileURLToPath(new URL('../examples/speech.wav', import.meta.url)) })
    await started
    await session.end()
  })
})

describe('tones of the network', () => {
  for (const [country, kind, beat, frequencies] of [
    ['America', 'busy', 500, [480, 620]],
    ['Germany', 'busy', 480, [425]],
    ['Germany', 'congestion', 240, [425]],
  ]) {
    test(`${kind} of ${country} is heard in early media`, { timeout: 60_000 }, async (t) => {
      const { bob, id, session, mouth } = await calling(t)
      const events = told(session, 'toneHeard', 'answeredBy')
      const callee = next(bob, 'sessionStarted')
      bob.acceptPendingSession(id, { mediaStream: mouth, autoConnectSession: false })
      const [incoming] = await callee
      await incoming.sendEarlyMedia()
      for (let beats = 0; beats < 6; beats++) mouth.write(Buffer.concat([tone(frequencies, beat), silence(beat)]))
      await eventually(() => events.length > 0, 20_000)
      await mouth.mark()
      assert.equal(events.length, 1, 'it is told once')
      const [[name, event]] = events
      assert.deepEqual([name, event.tone], ['toneHeard', kind])
      assert.equal(event.frequencies.length, frequencies.length)
      for (const [index, hz] of frequencies.entries()) assert.ok(Math.abs(event.frequencies[index] - hz) <= 5, `${event.frequencies}`)
      await incoming.reject()
      await assert.rejects(session.answered)
    })
  }

  test('special information before an announcement is heard in early media', { timeout: 60_000 }, async (t) => {
    const { bob, id, session, mouth } = await calling(t)
    const heard = next(session, 'toneHeard', 20_000)
    const callee = next(bob, 'sessionStarted')
    bob.acceptPendingSession(id, { mediaStream: mouth, autoConnectSession: false })
    const [incoming] = await callee
    await incoming.sendEarlyMedia()
    mouth.write(Buffer.concat([silence(300), ...[950, 1400, 1800].map((hz) => tone([hz], 330)), silence(500), speech]))
    const [{ tone: kind, frequencies }] = await heard
    assert.equal(kind, 'specialInformation')
    assert.ok([950, 1400, 1800].every((hz, index) => Math.abs(frequencies[index] - hz) < 15), `${frequencies}`)
    await incoming.reject()
    await assert.rejects(session.answered)
  })
})

describe('who has answered', () => {
  /** What is told of somebody who says this, and how long after the answer. */
  async function answered(t, sound) {
    const { bob, id, session, mouth } = await calling(t)
    const told = session.once('answeredBy', { signal: AbortSignal.timeout(20_000) })
    const beep = session.once('toneHeard', { signal: AbortSignal.timeout(30_000) })
    beep.catch(() => {})
    mouth.write(sound)
    await Promise.all([session.answered, bob.answer(id, { mediaStream: mouth })])
    const since = performance.now()
    const [event] = await told
    return { ...event, after: performance.now() - since, beep, session }
  }

  test('a person says a word and waits', { timeout: 60_000 }, async (t) => {
    const { answerer, confidence, session } = await answered(t, Buffer.concat([silence(600), speech.subarray(0, rate * 2 * 0.7), silence(5000)]))
    assert.equal(answerer, 'human')
    assert.ok(confidence > 0.8 && confidence <= 1, `${confidence}`)
    await session.end()
  })

  test('a machine says sentences, and then beeps', { timeout: 60_000 }, async (t) => {
    const sound = Buffer.concat([silence(300), speech, silence(300), tone([1000], 400), silence(3000)])
    const { answerer, confidence, after, beep, session } = await answered(t, sound)
    assert.equal(answerer, 'machine')
    assert.ok(confidence > 0.6 && confidence <= 1, `${confidence}`)
    // A busy machine comes late with everything.
    assert.ok(after < 6000, `after ${after} ms`)
    const [{ tone: kind, frequencies }] = await beep
    assert.equal(kind, 'beep')
    assert.ok(Math.abs(frequencies[0] - 1000) < 15, `${frequencies}`)
    await session.end()
  })

  test('is no question of a call that came in', { timeout: 60_000 }, async (t) => {
    const { bob, id, session } = await calling(t)
    const callee = await bob.answer(id)
    const events = told(callee, 'answeredBy')
    await session.setInput({ tone: 440 })
    await new Promise((passed) => setTimeout(passed, 4000))
    assert.deepEqual(events, [])
    await session.end()
  })
})
