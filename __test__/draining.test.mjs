// What a process of a fleet does, with the embedded PBX; what is decided there is tested in virtual time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metrics } from 'offhook'
import { eventually } from './phones.mjs'
import { pbxOf } from './pbx.mjs'

/** The number of a sample; undefined if there is none. */
function sample(page, name) {
  const line = page.split('\n').find((line) => line.startsWith(`${name} `))
  return line && Number(line.slice(name.length))
}

test('a phone drains: its call goes on, the next is refused in either direction, and the end of the last is told', async (t) => {
  const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob'] })
  const [alice, bob] = [await open('alice'), await open('bob', { autoAnswer: { policy: 'always', whenBusy: 'answer' } })]
  assert.equal(bob.health().status, 'ready')
  const call = await alice.call('bob')
  await call.answered
  let left
  const drained = bob.drain().then((count) => (left = count))
  assert.equal(await bob.drain({ timeout: 0 }), 1)
  assert.equal(bob.health().status, 'draining')
  assert.equal(bob.health().calls, 1)
  const refused = await alice.call('bob')
  await assert.rejects(refused.answered, (error) => error.sip?.code === 503)
  await assert.rejects(bob.call('alice'), { code: 'ERR_DRAINING', type: 'call' })
  assert.equal(left, undefined)
  await call.end()
  await drained
  assert.equal(left, 0)

  assert.ok(!bob.metrics().includes('alice'))
  const own = (name, labels = '') => sample(bob.metrics(), `${name}{phone="${pbx.account('bob').uri}"${labels}}`)
  assert.equal(own('offhook_calls_total', ',direction="incoming"'), 1)
  assert.equal(own('offhook_calls_refused_total', ',code="503"'), 1)
  assert.equal(own('offhook_calls_ended_total', ',condition="success"'), 1)
  assert.equal(own('offhook_call_mos_count'), own('offhook_call_loss_ratio_count'))
})

test('the figures of the process are those of all its phones, also of those that were destroyed', async (t) => {
  const before = sample(metrics(), 'offhook_calls_total{direction="outgoing"}')
  const { open } = await pbxOf(t)
  const phone = await open('alice')
  const session = await phone.call('echo')
  await session.answered
  assert.equal(sample(metrics(), 'offhook_phones{state="ready"}') >= 1, true)
  await eventually(() => sample(metrics(), 'offhook_media_ticks_total') > 0)
  await session.end()
  await phone.destroy()
  assert.equal(sample(metrics(), 'offhook_calls_total{direction="outgoing"}'), before + 1)
  assert.equal(phone.health().status, 'closed')
})
