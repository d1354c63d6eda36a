import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSource } from 'offhook'
import { rings } from './guarantees/calls.mjs'
import { hears } from './sound.mjs'
import { next, pbxOf, voice } from './pbx.mjs'

describe('phone.answer', () => {
  test('gives each of twenty calls at once its own session and its own sound', { timeout: 60_000 }, async (t) => {
    const { open } = await pbxOf(t)
    const [bot, caller] = await Promise.all([open('alice'), open('bob')])
    const events = []
    bot.on('sessionStarted', ({ id }) => events.push(id))
    const answered = new Map()
    bot.on('pendingSession', async ({ id, headers }) => {
      // Written before the call is connected: it waits for its own session.
      const mouth = new AudioSource({ rate: 8000, queue: 2000 })
      const session = await bot.answer(id, { mediaStream: mouth, audioElement: 'none' })
      assert.ok(events.includes(session.id), 'it settles after its sessionStarted')
      answered.set(headers['x-number'][0], { id, session, mouth })
    })
    const ears = []
    const calls = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const { ear } = voice(500)
        ears[number] = ear
        const headers = { 'X-Number': String(number) }
        const call = await caller.call('alice', { headers, mediaStream: 'none', audioElement: ear })
        await call.answered
        return call
      }),
    )
    for (const [number, call] of calls.entries()) {
      const { id, session } = answered.get(String(number))
      assert.equal(session.id, id)
      assert.deepEqual(session.headers['x-number'], [String(number)])
      assert.equal(call.state, 'active')
    }
    // Only who is spoken to hears it, and the end of one call is no other's.
    const { session: first } = answered.get('0')
    const { mouth } = answered.get('19')
    await Promise.all([next(first, 'terminated'), calls[0].end()])
    const tone = Int16Array.from({ length: 8000 }, (_, sample) => 8000 * Math.sin((2 * Math.PI * 700 * sample) / 8000))
    mouth.write(tone)
    mouth.write(tone)
    await hears(ears[19], 700, 10_000)
    await assert.rejects(hears(ears[7], 700, 500))
    for (const { mouth } of answered.values()) mouth.destroy()
  })

  test('and acceptPendingSession are one, in either order, also for a call that answers itself', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    const started = []
    alice.on('sessionStarted', (session) => started.push(session))
    rings(pbx)
    const [{ id }] = await next(alice, 'pendingSession')
    alice.acceptPendingSession(id)
    const [first, second] = await Promise.all([alice.answer(id), alice.answer(id)])
    assert.equal(first, second)
    await first.answered
    assert.equal(await alice.answer(id), first, 'also when it is connected')
    assert.deepEqual(started, [first])
    await first.end()
    await assert.rejects(alice.answer(id), { code: 'ERR_SESSION_ENDED' })
  })

  test('with wrong options refuses no call that is answered well beside it', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice')
    const wrong = { headers: { 'Bad Name': 'x' } }
    rings(pbx)
    const [{ id }] = await next(alice, 'pendingSession')
    const both = [alice.answer(id, wrong), alice.answer(id)]
    const [refused, taken] = await Promise.allSettled(both)
    assert.match(refused.reason.message, /headers\.Bad Name/)
    await taken.value.answered
    assert.equal(taken.value.state, 'active')
    await assert.rejects(alice.answer(id, wrong), { code: 'ERR_INVALID_ARGUMENT' })
    assert.equal(taken.value.state, 'active')
  })

  test('leaves nobody ringing whose answer was aborted, at whatever moment', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice')
    const moments = {
      before: (giveUp) => giveUp.abort(),
      'in the same tick': (giveUp) => queueMicrotask(() => giveUp.abort()),
      'when it starts': (giveUp) => alice.once('sessionStarted').then(() => giveUp.abort()),
    }
    for (const [moment, abort] of Object.entries(moments)) {
      const giveUp = new AbortController()
      rings(pbx)
      const [{ id }] = await next(alice, 'pendingSession')
      const gone = next(pbx, 'ended')
      abort(giveUp)
      await assert.rejects(alice.answer(id, { signal: giveUp.signal }), { code: 'ERR_ABORTED' }, moment)
      await gone
      while (alice.sessions.length > 0) await next(alice, 'sessionEnded')
      while (alice.pendingSessions.length > 0) await next(alice, 'cancelPendingSession')
    }
  })

  test('rejects where the caller gave up, another listener refused, nobody calls, or the phone is destroyed', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const call = await bob.call('alice')
    const [{ id }] = await next(alice, 'pendingSession')
    await Promise.all([next(alice, 'cancelPendingSession'), call.end()])
    await assert.rejects(alice.answer(id), { code: 'ERR_SESSION_CANCELLED' })

    const refusing = next(alice, 'pendingSession').then(([pending]) => {
      alice.rejectPendingSession(pending.id)
      return assert.rejects(alice.answer(pending.id), { code: 'ERR_SESSION_CANCELLED' })
    })
    rings(pbx)
    await refusing
    await assert.rejects(alice.answer('00000000-0000-4000-8000-000000000000'), { code: 'ERR_SESSION_NOT_FOUND' })
    await assert.rejects(alice.answer('nonsense'), { code: 'ERR_SESSION_NOT_FOUND' })

    rings(pbx)
    const [last] = await next(alice, 'pendingSession')
    const destroyed = alice.destroy()
    await assert.rejects(alice.answer(last.id), (error) => /^ERR_(DESTROYED|SESSION_CANCELLED)$/.test(error.code))
    await destroyed
  })
})

describe('session.codec', () => {
  test('is known to both sides when `answered` resolves, also where sound came before', async (t) => {
    const { pbx, open } = await pbxOf(t, { extensions: { early: { type: 'tone', frequency: 440, answerAfter: 300, earlyMedia: true } } })
    const [alice, bob] = await Promise.all([open('alice'), open('bob', { codecs: ['PCMA'] })])
    for (let round = 0; round < 5; round++) {
      const [[{ id }], call] = await Promise.all([next(alice, 'pendingSession'), bob.call('alice')])
      const codecs = Promise.all([
        call.answered.then(() => [call.codec, call.state]),
        alice.answer(id).then(async (session) => {
          await session.answered
          return [session.codec, session.state]
        }),
      ])
      assert.deepEqual(await codecs, [['PCMA', 'active'], ['PCMA', 'active']])
      await call.end()
    }
    const call = await alice.call(`sip:early@${pbx.domain}`)
    await call.answered
    assert.equal(call.codec, 'opus')
    await call.end()
  })
})
