import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioSink, Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { answerCalls } from './bot.mjs'

test('it says back what it hears', async (t) => {
  const pbx = await Pbx.start({ users: ['bot', 'customer'].map((name) => ({ name, password: 'secret' })) })
  const [bot, customer] = ['bot', 'customer'].map((name) => new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio: 'none' }))
  t.after(async () => {
    await Promise.all([bot.destroy(), customer.destroy()])
    await pbx.close()
  })
  answerCalls(bot, () => {})
  await Promise.all([bot.initialize(), customer.initialize()])

  const ear = new AudioSink({ rate: 8000 })
  const session = await customer.call('bot', { mediaStream: { tone: 440 }, audioElement: ear })
  await session.answered
  assert.ok(await heard(ear))
  await session.end()
})

async function heard(ear) {
  for await (const frame of ear) {
    const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
    if (samples.some((sample) => Math.abs(sample) > 1000)) return true
  }
  return false
}
