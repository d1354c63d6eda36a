import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink } from 'offhook'
import { connect } from './phones.mjs'
import { drain, hears } from './sound.mjs'
import { next, pbxOf } from './pbx.mjs'

// What a machine without any sound tells as well as one that has some.
describe('an input or output that can not be opened', () => {
  test('fails the change to it by name, and the call sounds as before', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing, calleeEar } = await connect(alice, bob, 'bob')
    const cleared = []
    outgoing.on('warningCleared', ({ code }) => cleared.push(code))
    const refused = (message) => ({ code: 'ERR_NO_DEVICE', type: 'media', message })
    await assert.rejects(outgoing.setInput({ wav: '/no/such/file.wav' }), refused(/\/no\/such\/file\.wav/))
    await assert.rejects(outgoing.setOutput({ wav: '/no/such/folder/file.wav' }), refused(/\/no\/such\/folder/))
    await assert.rejects(outgoing.setInput('no-such-device'), refused(/^Input device: /))
    await assert.rejects(outgoing.setOutput('no-such-device'), refused(/^Output device: /))
    await assert.rejects(alice.setAudioDevice({ input: 'no-such-device' }), { code: 'ERR_NO_DEVICE' })
    await hears(calleeEar, 600, 10_000)
    // One failure may come before the one before it is cleared: then both are cleared at once.
    while (outgoing.warnings.length > 0) await next(outgoing, 'warningCleared')
    assert.ok(cleared.length > 0 && cleared.every((code) => code === 'no-device'), `${cleared}`)
    const taken = new AudioSink({ rate: 8000 })
    await outgoing.setOutput(taken)
    await hears(taken, 1000, 10_000)
    await outgoing.setOutput('none')
    await outgoing.end()
  })

  test('does not fail the one chosen right after it, and each choice tells what became of itself', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing } = await connect(alice, bob, 'bob')
    const [first, second] = Array.from({ length: 2 }, () => new AudioSink({ rate: 8000 }))
    const gone = { wav: '/no/such/folder/file.wav' }
    const outcomes = async (...outputs) => {
      const settled = await Promise.allSettled(outputs.map((output) => outgoing.setOutput(output)))
      return settled.map(({ status, reason }) => reason?.code ?? status)
    }
    const one = (outcome, ...possible) => assert.ok(possible.includes(outcome), outcome)
    const [failed, taken] = await outcomes(gone, first)
    one(failed, 'ERR_NO_DEVICE', 'ERR_ABORTED')
    assert.equal(taken, 'fulfilled')
    await hears(first, 1000, 10_000)
    const many = await outcomes(...Array.from({ length: 10 }, () => [first, gone, 'none', 'no-such-device']).flat(), second)
    assert.equal(many.at(-1), 'fulfilled')
    for (const outcome of many) one(outcome, 'fulfilled', 'ERR_NO_DEVICE', 'ERR_ABORTED')
    await hears(second, 1000, 10_000)
    const [, refused] = await outcomes('none', gone)
    assert.equal(refused, 'ERR_NO_DEVICE')
    await outgoing.end()
  })

  test('does not come back after the one chosen right after it for the phone, or in a conference', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice', { audio: 'none' })
    const room = await alice.conference([], { input: 'none', output: 'none' })
    const order = []
    const note = (name, promise) => promise.then(() => order.push(name), ({ code }) => order.push(`${name} ${code}`))
    await Promise.all([
      note('phone', alice.setAudioDevice({ output: 'no-such-device' })),
      note('phone again', alice.setAudioDevice({ output: 'none' })),
    ])
    await Promise.all([note('room', room.setInput('no-such-device')), note('room again', room.setInput('none'))])
    assert.deepEqual(order, ['phone ERR_NO_DEVICE', 'phone again', 'room ERR_NO_DEVICE', 'room again'])
    await room.end()
  })

  test('is a warning of a call that begins with it, until something else is chosen', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { audio: { input: { wav: '/no/such/file.wav' }, output: 'none' } }), open('bob')])
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    const warned = new Promise((resolve) => alice.on('sessionStarted', (session) => session.once('warning').then(resolve)))
    const call = await alice.call('bob')
    await call.answered
    assert.equal((await warned)[0].code, 'no-device')
    const cleared = next(call, 'warningCleared')
    await alice.setAudioDevice({ input: 'none' })
    assert.equal((await cleared)[0].code, 'no-device')
    await call.end()
  })
})
