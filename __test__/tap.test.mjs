import assert from 'node:assert/strict'
import { test } from 'node:test'
import { talking } from './pbx.mjs'
import { eventually, next } from './phones.mjs'
import { hears, hearsAll, quiet } from './sound.mjs'

test('each side, or both, are heard beside the ears of the call', async (t) => {
  const { outgoing, hear } = await talking(t)
  const [local, remote, both] = [outgoing.tap('local', { rate: 16000 }), outgoing.tap('remote'), outgoing.tap('both', { rate: 8000 })]
  assert.deepEqual([local.rate, remote.rate, both.rate], [16000, 48000, 8000])
  await Promise.all([hears(local, 600, 20_000), hears(remote, 1000, 20_000), hearsAll(both, [600, 1000]), hear()])
  await outgoing.mute()
  await quiet(local, 20_000)
  await outgoing.unmute()
  await hears(local, 600, 20_000)
})

test('a tap ends with its call, and one that is destroyed before harms nobody', async (t) => {
  const { alice, outgoing, hear } = await talking(t)
  const [early, late, unread] = ['remote', 'remote', 'both'].map((which) => outgoing.tap(which, { queue: 100 }))
  await hears(early, 1000, 20_000)
  early.destroy()
  await hear()
  await eventually(() => unread.dropped > 0, 20_000)
  const ended = next(alice, 'sessionEnded')
  await outgoing.end()
  await ended
  let frames = 0
  for await (const frame of late) frames += frame.length > 0
  assert.ok(frames > 0 && frames < 20, `${frames} frames waited`)
  assert.throws(() => outgoing.tap('remote'), { code: 'ERR_SESSION_ENDED' })
})

test('a tap of something else is told by name', async (t) => {
  const { outgoing } = await talking(t)
  assert.throws(() => outgoing.tap('stereo'), { code: 'ERR_INVALID_ARGUMENT', message: /"tapped".*'both'/ })
  assert.throws(() => outgoing.tap('both', { rate: 44100 }), { code: 'ERR_INVALID_OPTION', message: /rate/ })
})
