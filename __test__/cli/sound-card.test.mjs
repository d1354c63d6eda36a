// A machine with a microphone and a speaker: a virtual sound card.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { VirtualCard, virtualCardMissing } from '../devices/virtual-card.mjs'
import { next, pbxOf, voice } from '../pbx.mjs'
import { beeps } from '../sound.mjs'
import { accountEnv, offhook } from './cli.mjs'

describe('with a sound card', { timeout: 120_000, skip: virtualCardMissing() }, () => {
  let card
  before(async () => {
    card = await VirtualCard.start()
    card.speak(440)
  })
  after(() => card?.stop())

  test('offhook call speaks by the microphone and is heard at the speaker', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const { ear, audio } = voice(1000)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, audio))
    const started = next(bob, 'sessionStarted', 20_000)
    const running = offhook(t, ['call', 'bob', '--json'], { env: { ...card.env, ...accountEnv(pbx, 'alice') } })
    await started
    await beeps(ear, 440, 30_000)
    await beeps(card.listen(), 1000, 30_000)
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.ok(!running.events.some(({ code }) => code === 'no-device'))
  })

  test('offhook devices marks the default ones, and offhook doctor opens them', async (t) => {
    const { pbx } = await pbxOf(t)
    const listed = offhook(t, ['devices'], { env: card.env })
    assert.equal(await listed.ended, 0)
    assert.match(listed.stdout, /^Microphones\n[^]*^ +\* .*\n[^]*^Speakers\n[^]*^ +\* /m)
    const doctor = offhook(t, ['doctor', '--json'], { env: { ...card.env, ...accountEnv(pbx, 'alice') } })
    assert.equal(await doctor.ended, 0, doctor.stdout)
    for (const name of ['microphone', 'speaker']) assert.equal((await doctor.event('check', (check) => check.name === name)).code, `${name}-ok`)
  })

  test('a device is chosen by a part of its name, and one that does not open is told with what helps', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['call', 'echo', '--duration', '1', '--input', 'heads', '--output', 'none'], { env: { ...card.env, ...accountEnv(pbx, 'alice') } })
    assert.equal(await running.ended, 0)
    assert.match(running.stderr, /^Input device: .*\n  .*choose another/)
    const wrong = offhook(t, ['call', 'echo', '--input', 'hedset'], { env: { ...card.env, ...accountEnv(pbx, 'alice') } })
    assert.equal(await wrong.ended, 2)
    assert.match(wrong.stderr, /there is no microphone "hedset"\. Did you mean "Headset"\?/)
  })
})
