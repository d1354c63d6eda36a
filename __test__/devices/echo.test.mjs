// A microphone that hears the loudspeaker beside it, on a virtual sound card.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AudioSink } from 'offhook'
import { pbxOf } from '../pbx.mjs'
import { VirtualCard, virtualCardMissing } from './virtual-card.mjs'

const missing = process.platform === 'linux' ? virtualCardMissing() : 'a virtual sound card is made on Linux only'
const speech = { wav: fileURLToPath(new URL('../../examples/speech.wav', import.meta.url)), loop: true }
const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

/** The level of the next seconds of speech in dBFS: of all that was heard in them. */
async function loudness(ear, seconds) {
  let sum = 0
  let count = 0
  for await (const chunk of ear.iterator({ destroyOnReturn: false })) {
    const samples = new Int16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2)
    for (const sample of samples) sum += (sample / 32_768) ** 2
    count += samples.length
    if (count >= seconds * ear.rate) break
  }
  return 10 * Math.log10(sum / count + 1e-10)
}

/** Whether something holds within so many attempts of `seconds` each: how soon depends on how busy the machine is. */
async function within(attempts, ear, holds) {
  let heard
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    heard = await loudness(ear, 3)
    if (holds(heard)) return heard
  }
  return assert.fail(`it stayed at ${heard} dBFS`)
}

describe('an echo', { skip: missing }, () => {
  let card

  // libasound, in this process, looks at the environment when it is first used.
  before(async () => {
    card = await VirtualCard.start()
    Object.assign(process.env, card.env)
    card.echo()
  })

  after(() => card.stop())

  test('of the loudspeaker does not come back to who talks, unless that is wanted, and then is gone again', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice', { audio: { input: 'default', output: 'default', ...off } })
    const bob = await open('bob')
    const ear = new AudioSink({ rate: 16_000 })
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: speech, audioElement: ear }))
    const session = await alice.call('bob')
    await session.answered
    const raw = await within(10, ear, (level) => level > -45)
    await session.setAudioProcessing({ echoCancellation: true })
    const cancelled = await within(10, ear, (level) => level < raw - 20)
    await session.setAudioProcessing({ echoCancellation: false })
    await within(10, ear, (level) => level > raw - 6)
    t.diagnostic(`${raw.toFixed(1)} dBFS raw, ${cancelled.toFixed(1)} dBFS cancelled`)
    await session.end()
  })

  test('is cancelled by default', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice', { audio: { input: 'default', output: 'default' } })
    const bob = await open('bob')
    const ear = new AudioSink({ rate: 16_000 })
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: speech, audioElement: ear }))
    const session = await alice.call('bob')
    await session.answered
    const quiet = await within(10, ear, (level) => level > -99 && level < -55)
    await alice.setAudioProcessing(off)
    await within(10, ear, (level) => level > quiet + 15)
    await session.end()
  })
})
