import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect } from './phones.mjs'
import { next, pbxOf, voice } from './pbx.mjs'
import { hears } from './sound.mjs'

describe('reason.summary', () => {
  test('says on both sides how the call was, and can be cloned', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { codecs: ['G722'] }), open('bob')])
    const { outgoing, incoming } = await connect(alice, bob, 'bob')
    await next(outgoing, 'stats', 10_000)
    await next(outgoing, 'stats', 10_000)
    const ends = Promise.all([next(alice, 'sessionEnded'), next(bob, 'sessionEnded'), next(incoming, 'terminated')])
    await outgoing.end()
    for (const [session, reason] of await ends) {
      const { summary } = structuredClone(reason)
      assert.equal(summary.codec, 'G722')
      assert.ok(Math.abs(summary.duration - session.duration) < 2000, `${summary.duration} and ${session.duration}`)
      const { least, mean } = summary.mos
      assert.ok(least >= 1 && least <= mean && mean <= 5, `${least} ${mean}`)
      assert.ok(summary.loss >= 0 && summary.loss <= 100)
      assert.ok(summary.jitter >= 0 && summary.jitter < 1000)
      assert.ok(summary.rtt === null || summary.rtt >= 0)
    }
  })

  test('tells of loss over the whole call', { timeout: 60_000 }, async (t) => {
    const { pbx, open } = await pbxOf(t, { mediaRelay: true, seed: 7 })
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing, callerEar } = await connect(alice, bob, 'bob')
    // Only what was sent can be lost: the keys are agreed first.
    await hears(callerEar, 1000, 15_000)
    await pbx.addMediaFault({ loss: 0.3 })
    for (let second = 0; second < 4; second++) await next(outgoing, 'stats', 10_000)
    const ended = next(alice, 'sessionEnded')
    await outgoing.end()
    const [, { summary }] = await ended
    assert.ok(summary.loss > 5 && summary.loss < 60, `${summary.loss} %`)
    assert.ok(summary.mos.least < summary.mos.mean)
  })

  test('is there of a call that was over at once, and not of one that had no media', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const { audio } = voice(600)
    const call = await alice.call('echo', audio)
    await call.answered
    if (call.connectionState !== 'connected') await next(call, 'change:connected')
    await new Promise((passed) => setTimeout(passed, 100))
    const ended = next(alice, 'sessionEnded')
    await call.end()
    const [, reason] = await ended
    assert.equal(reason.summary.codec, 'opus')
    const refused = next(alice, 'sessionEnded')
    await (await alice.call('busy')).answered.catch(() => {})
    assert.equal((await refused)[1].summary, undefined)
  })
})

describe('a session that has ended', () => {
  test('says so in every method by one code', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const call = await alice.call('echo')
    assert.ok((await call.getStats()) instanceof Map)
    await call.answered
    await call.end()
    const methods = [
      () => call.getStats(),
      () => call.mute(),
      () => call.unmute(),
      () => call.hold(),
      () => call.resume(),
      () => call.sendDtmf('1'),
      () => call.sendInfo({ contentType: 'text/plain', body: '' }),
      () => call.transfer('bob'),
      () => call.setInput('none'),
      () => call.setOutput('none'),
      () => call.setVolume(50),
      () => call.accept(),
      () => call.reject(),
      () => call.rejectTransfer(),
      () => call.acceptTransfer(),
      () => call.sendEarlyMedia(),
    ]
    for (const method of methods) await assert.rejects(method, { code: 'ERR_SESSION_ENDED' }, String(method))
    await call.end()
    await alice.destroy()
    for (const method of methods) await assert.rejects(method, { code: 'ERR_SESSION_ENDED' }, String(method))
  })
})
