import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { Pbx } from 'offhook/testing'

const fails = (code) => (error) => error instanceof SoftphoneError && error.code === code

describe('the embedded PBX', () => {
  test('says which option is wrong with the error of a phone', async () => {
    await assert.rejects(Pbx.start({ domain: 'a b' }), fails('ERR_INVALID_OPTION'))
  })

  test('says what is wrong with a command', async (t) => {
    const pbx = await Pbx.start()
    t.after(() => pbx.close())
    await assert.rejects(pbx.addFault({}), fails('ERR_INVALID_ARGUMENT'))
  })

  test('says that it is closed', async () => {
    const pbx = await Pbx.start()
    await pbx.close()
    await assert.rejects(pbx.clearFaults(), fails('ERR_DESTROYED'))
    await pbx.close()
  })
})
