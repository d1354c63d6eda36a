import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'

async function talking(t) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  return connect(alice, bob, 'bob')
}

test('an INFO arrives on the other side, in both directions', async (t) => {
  const { outgoing, incoming } = await talking(t)
  for (const [from, to] of [
    [outgoing, incoming],
    [incoming, outgoing],
  ]) {
    const arrived = next(to, 'info')
    await from.sendInfo({ contentType: 'application/json', body: '{"grüße":[1]}' })
    assert.deepEqual(await arrived, [{ contentType: 'application/json', body: '{"grüße":[1]}' }])
  }
})

test('digits go by INFO where that is asked for, and among the media where not', async (t) => {
  const { outgoing, incoming } = await talking(t)
  if (!outgoing.connected) await next(outgoing, 'change:connected')
  const digits = []
  const all = new Promise((resolve) => incoming.on('dtmf', (digit) => digits.push(digit) === 5 && resolve()))
  await outgoing.sendDtmf('1#a', { via: 'info', duration: 120 })
  await outgoing.sendDtmf('42')
  await Promise.race([all, next(incoming, 'terminated')])
  assert.deepEqual(
    digits.map(({ tone, method }) => `${tone} ${method}`),
    ['1 info', '# info', 'A info', '4 rfc4733', '2 rfc4733'],
  )
  assert.equal(digits[0].duration, 120)
})

test('an INFO that comes too late is refused with the end of the call', async (t) => {
  const { outgoing } = await talking(t)
  await outgoing.end()
  await assert.rejects(outgoing.sendInfo({ contentType: 'text/plain', body: 'x' }), { code: 'ERR_SESSION_ENDED' })
  await assert.rejects(outgoing.sendInfo({ contentType: 'no type' }), { code: 'ERR_SESSION_ENDED' })
})
