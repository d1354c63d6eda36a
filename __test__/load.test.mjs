// How full the process is with calls' sound; how that is measured and what follows is tested in virtual time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pbxOf, voice } from './pbx.mjs'

test('load is a share that calls make larger, and that is 0 again after the last', async (context) => {
  const { pbx, open } = await pbxOf(context)
  const phone = await open('alice')
  assert.equal(phone.load, 0)
  const { ear, audio } = voice(400)
  const session = await phone.call('echo', audio)
  await session.answered
  // A session is set up, and its time is reserved before it is measured.
  assert.ok(phone.load > 0 && phone.load < 1, `${phone.load}`)
  assert.ok(pbx.load > 0 && pbx.load < 1, `${pbx.load}`)
  await session.end()
  ear.destroy()
  while (phone.load > 0) await new Promise((resolve) => setTimeout(resolve, 10))
})
