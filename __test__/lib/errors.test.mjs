import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { busy, ids, makePhone, started } from './fake.mjs'
import { EndReason, SoftphoneError } from 'offhook'

/** What comes out at the other end of a MessagePort or of Electron's IPC. */
const sent = (error) => SoftphoneError.from(structuredClone(error.toJSON()))

describe('an error on its way to another thread', () => {
  test('keeps its code, type, status, stack and the end of its call', async () => {
    const { phone, engine } = makePhone()
    engine.say(started({ direction: 'outgoing', state: 'starting' }))
    const [session] = phone.sessions
    engine.say({ type: 'terminated', id: ids.one, reason: busy })
    const error = await session.answered.catch((error) => error)
    assert.equal(structuredClone(error).code, undefined, 'else toJSON() were not needed')
    for (const received of [sent(error), SoftphoneError.from(JSON.parse(JSON.stringify(error)))]) {
      assert.ok(received instanceof SoftphoneError)
      const { name, message, code, type, sip, stack } = error
      assert.deepEqual({ name: received.name, message: received.message, code: received.code }, { name, message, code })
      assert.deepEqual({ type: received.type, sip: received.sip, stack: received.stack }, { type, sip, stack })
      assert.ok(received.cause instanceof EndReason)
      assert.equal(`${received.cause}`, 'busy')
    }
  })

  test('keeps what caused it, and causes that can not be cloned become text', () => {
    const because = (cause) => sent(new SoftphoneError('no', { code: 'ERR_X', type: 'generic', cause })).cause
    const inner = because(new SoftphoneError('inner', { code: 'ERR_Y', type: 'media', cause: new TypeError('deep') }))
    assert.deepEqual([inner.code, inner.type, inner.cause.name, inner.cause.message], ['ERR_Y', 'media', 'TypeError', 'deep'])
    assert.match(because(() => 'x'), /=>/)
    assert.match(because({ run() {} }), /run/)
    assert.equal(because('text'), 'text')
    assert.equal(because(undefined), undefined)
  })

  test('is itself where it is one already, and has a code in any case', () => {
    const error = new SoftphoneError('no', { code: 'ERR_X', type: 'call' })
    for (const nothing of [null, undefined, 'text']) {
      const { code, message } = SoftphoneError.from(nothing)
      assert.deepEqual([code, message], ['ERR_UNKNOWN', String(nothing)])
    }
    assert.equal(SoftphoneError.from(error), error)
    const bare = SoftphoneError.from(structuredClone(error))
    assert.deepEqual([bare.message, bare.code, bare.type], ['no', 'ERR_UNKNOWN', 'generic'])
  })
})
