// What people are told about how a call sounds.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bothBeep, next, pbxOf } from './pbx.mjs'
import { connect } from './phones.mjs'

describe('a warning', () => {
  test('tells loss with its cause and what helps, once, and its end', { timeout: 120_000 }, async (t) => {
    const { pbx, open } = await pbxOf(t, { mediaRelay: true, seed: 7 })
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await bothBeep(call)
    const [told, cleared] = [[], []]
    call.outgoing.on('warning', (warning) => warning.code === 'loss' && told.push(warning))
    call.outgoing.on('warningCleared', ({ code }) => code === 'loss' && cleared.push(code))
    await pbx.addMediaFault({ loss: 0.4 })
    while (told.length === 0) await next(call.outgoing, 'warning', 60_000)
    const [warning] = told
    assert.match(warning.message, /^\d+ % of what /)
    assert.match(warning.cause, /^The network drops packets/)
    assert.match(warning.advice, /cable/)
    assert.deepEqual(structuredClone(warning), warning)
    await pbx.clearFaults()
    while (cleared.length === 0) await next(call.outgoing, 'warningCleared', 60_000)
    assert.equal(told.length, 1)
  })
})

describe('stats', () => {
  test('tell the delay from mouth to ear, which is more than half a round trip', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing } = await connect(alice, bob, 'bob')
    await next(outgoing, 'stats', 10_000)
    const [{ delayMs, rttMs, mos }] = await next(outgoing, 'stats', 10_000)
    assert.ok(delayMs > (rttMs ?? 0) / 2 + 20 && delayMs < 2000, `${delayMs} ms, round trip ${rttMs} ms`)
    assert.ok(mos > 1 && mos <= 4.5)
  })
})
