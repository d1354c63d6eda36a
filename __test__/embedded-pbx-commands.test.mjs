import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { Pbx } from 'offhook/testing'
import { pbxOf } from './pbx.mjs'

const fails = (code) => (error) => error instanceof SoftphoneError && error.code === code

describe('the embedded PBX', () => {
  test('says which option is wrong with the error of a phone', async () => {
    await assert.rejects(Pbx.start({ domain: 'a b' }), fails('ERR_INVALID_OPTION'))
  })

  test('says what is wrong with a command', async (t) => {
    const pbx = await Pbx.start()
    t.after(() => pbx.close())
    await assert.rejects(pbx.addFault({}), fails('ERR_INVALID_OPTION'))
    await assert.rejects(pbx.originate({ to: 'nobody', with: 'echo' }), fails('ERR_INVALID_ARGUMENT'))
  })

  test('takes the token of a user who was added while it ran', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice'] })
    await pbx.addUser({ name: 'bot', token: 'a-token' })
    const bot = await open('bot')
    assert.equal(bot.registered, true)
  })

  test('says that it is closed', async () => {
    const pbx = await Pbx.start()
    await pbx.close()
    await assert.rejects(pbx.clearFaults(), fails('ERR_DESTROYED'))
    await pbx.close()
  })
})
