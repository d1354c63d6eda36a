import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioSink } from 'offhook'
import { next, voice } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { beeps, drain, hears } from '../sound.mjs'

const rate = 16000
const earOf = () => new AudioSink({ rate })

/** What was fed before is not meant; nothing is fed to it any more, not even silence. */
async function silent(ear) {
  drain(ear)
  await assert.rejects(beeps(ear, 1000, 500))
}

async function rung(t, options) {
  const { open } = await pbxOf(t)
  const ring = earOf()
  const audio = { input: 'none', output: 'none', ring }
  const [alice, bob] = await Promise.all([open('alice'), open('bob', { audio, ...options })])
  return { alice, bob, ring }
}

test('a call that waits rings at its own output, and not a moment longer', async (t) => {
  const { alice, bob, ring } = await rung(t, { tones: 'us' })
  const pending = next(bob, 'pendingSession')
  const outgoing = await alice.call('bob')
  await pending
  await beeps(ring, 1000)
  const cancelled = next(bob, 'cancelPendingSession')
  await outgoing.end()
  await cancelled
  await silent(ring)
})

test('the bell moves to another output while it rings, and stops when the call is taken', async (t) => {
  const { alice, bob, ring } = await rung(t, { tones: true })
  const pending = next(bob, 'pendingSession')
  await alice.call('bob')
  const [{ id }] = await pending
  await beeps(ring, 800)
  const other = earOf()
  await bob.setAudioDevice({ ring: other })
  await beeps(other, 800)
  bob.acceptPendingSession(id)
  await next(bob, 'sessionStarted')
  await silent(other)
})

test('a phone that was not asked to rings and beeps nowhere', async (t) => {
  const { alice, bob, ring } = await rung(t, {})
  const pending = next(bob, 'pendingSession')
  await alice.call('bob')
  await pending
  await silent(ring)
})

test('ringback is heard while the callee rings, and makes way for its voice', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice', { tones: { country: 'fr', ring: false } }), open('bob')])
  const [mine, theirs] = [voice(600), voice(1000)]
  const pending = next(bob, 'pendingSession')
  await alice.call('bob', mine.audio)
  const [{ id }] = await pending
  await hears(mine.ear, 440)
  bob.acceptPendingSession(id, theirs.audio)
  await hears(mine.ear, 1000)
  drain(mine.ear)
  await hears(mine.ear, 1000)
})

test('ringback makes way for early media', async (t) => {
  const { open } = await pbxOf(t, { extensions: { early: { type: 'tone', frequency: 1000, answerAfter: 60_000, earlyMedia: true } } })
  const alice = await open('alice', { tones: 'de' })
  const ear = earOf()
  const session = await alice.call('early', { mediaStream: 'none', audioElement: ear })
  await hears(ear, 1000)
  await hears(ear, 1000)
  await session.end()
})

test('during a call another one is a soft tone in it and rings nowhere', async (t) => {
  const { alice, bob, ring } = await rung(t, { tones: { country: 'gb' } })
  const ear = earOf()
  const session = await bob.call('menu', { mediaStream: 'none', audioElement: ear })
  await session.answered
  const pending = next(bob, 'pendingSession')
  const second = await alice.call('bob')
  await pending
  await beeps(ear, 400)
  await silent(ring)
  await second.end()
})

test('a country without tones is refused', async (t) => {
  const { make } = await pbxOf(t)
  assert.throws(() => make('alice', { tones: 'xx' }), { code: 'ERR_INVALID_OPTION' })
  assert.throws(() => make('alice', { tones: { ring: { tone: 440 } } }), { code: 'ERR_INVALID_OPTION' })
})
