import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subscription } from 'offhook'
import { next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'

test('a message arrives, and one to nobody is refused', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const arrived = next(bob, 'message')
  await alice.sendMessage('bob', 'Grüße 👋', { headers: { 'X-Thread': '7' } })
  const [message] = await arrived
  assert.deepEqual([message.address, message.contentType, message.body], ['alice', 'text/plain', 'Grüße 👋'])
  assert.deepEqual(message.headers['x-thread'], ['7'])
  assert.equal(structuredClone(message).body, message.body)
  const refused = await alice.sendMessage('nobody', 'x').catch((error) => error)
  assert.deepEqual([refused.code, refused.sip?.code], ['ERR_REQUEST_REFUSED', 404])
  await assert.rejects(alice.sendMessage('bob', 7), { code: 'ERR_INVALID_ARGUMENT' })
  await assert.rejects(alice.sendMessage('bob', 'x', { contentType: 'x' }), { code: 'ERR_INVALID_ARGUMENT' })
})

test('OPTIONS tell what another phone can do', async (t) => {
  const { open } = await pbxOf(t)
  const [alice] = await Promise.all([open('alice'), open('bob')])
  const { allow, supported, userAgent } = await alice.sendOptions('bob')
  for (const method of ['INVITE', 'REFER', 'MESSAGE', 'INFO']) assert.ok(allow.includes(method), method)
  assert.ok(supported.includes('replaces'))
  assert.match(userAgent, /^offhook/)
})

test('a subscription that the other side does not know is refused', async (t) => {
  const { open } = await pbxOf(t)
  const [alice] = await Promise.all([open('alice'), open('bob')])
  const refused = await alice.subscribe('bob', 'dialog').catch((error) => error)
  assert.equal(refused.code, 'ERR_REQUEST_REFUSED')
  assert.ok([405, 481, 489].includes(refused.sip.code), String(refused.sip.code))
  assert.equal(typeof Subscription, 'function')
})
