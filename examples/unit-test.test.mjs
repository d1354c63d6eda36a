// How an application tests its own telephony, without a server.
//   node --test node_modules/offhook/examples/unit-test.test.mjs
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'

test('a caller who presses 1 is heard', async (t) => {
  const pbx = await Pbx.start({ users: [{ name: 'support', password: 'secret' }] })
  const phone = new Softphone({ ...pbx.account('support'), audio: 'none', logLevel: 'error' })
  t.after(async () => {
    await phone.destroy()
    await pbx.close()
  })
  await phone.initialize()

  const answered = phone.once('pendingSession').then(([{ id }]) => phone.answer(id))
  await pbx.originate({ to: 'support', with: 'menu', headers: { 'X-Customer': '42' } })
  const session = await answered
  assert.deepEqual(session.headers['x-customer'], ['42'])
  await session.answered

  const pressed = pbx.once('dtmf')
  await session.sendDtmf('1')
  const [{ tone }] = await pressed
  assert.equal(tone, '1')
})
