import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioSink } from 'offhook'
import { connect, next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { hears } from '../sound.mjs'

const keys = '0123456789*#ABCD'

async function talking(t, options) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice', options), open('bob', options)])
  const call = await connect(alice, bob, 'bob')
  if (!call.outgoing.connected) await next(call.outgoing, 'change:connected')
  return call
}

function pressed(session, count) {
  const heard = []
  session.on('dtmf', (key) => heard.push(key))
  const all = async () => {
    const signal = AbortSignal.timeout(10_000)
    while (heard.length < count) await session.once('dtmf', { signal })
    return heard
  }
  return { heard, all: all() }
}

for (const codec of ['opus', 'G722', 'PCMU']) {
  test(`digits in the sound are heard once each, by ${codec}, and the voice goes on`, async (t) => {
    const { outgoing, incoming, calleeEar } = await talking(t, { dtmf: { inband: true }, codecs: [codec] })
    const { all } = pressed(incoming, keys.length)
    await hears(calleeEar, 600)
    await outgoing.sendDtmf(keys, { via: 'inband' })
    const heard = await all
    assert.equal(heard.map(({ tone }) => tone).join(''), keys)
    assert.ok(heard.every(({ method }) => method === 'inband'))
    const ear = new AudioSink({ rate: 16000 })
    await incoming.setOutput(ear)
    await hears(ear, 600)
  })
}

test('where events were agreed to the sound does not count, and events do', async (t) => {
  const { outgoing, incoming } = await talking(t, {})
  const { all, heard } = pressed(incoming, 1)
  await outgoing.sendDtmf('12', { via: 'inband' })
  await outgoing.sendDtmf('3')
  await all
  assert.deepEqual(
    heard.map(({ tone, method }) => `${tone} ${method}`),
    ['3 rfc4733'],
  )
})

test('an option that says nothing is refused', async (t) => {
  const { make } = await pbxOf(t)
  assert.throws(() => make('alice', { dtmf: { inband: 'yes' } }), /'dtmf.inband' must be 'auto' or a boolean/)
})
