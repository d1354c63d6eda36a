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

  test('has eight causes at most, and may be its own cause', () => {
    const made = (cause, message = 'no') => new SoftphoneError(message, { code: 'ERR_X', type: 'generic', cause })
    const circles = [made(undefined, 'one'), made(new TypeError('two'), 'one'), made(made(undefined, 'two'), 'one')]
    circles[0].cause = circles[0]
    circles[1].cause.cause = circles[1]
    circles[2].cause.cause = circles[2].cause
    for (const error of circles) {
      assert.match(JSON.stringify(error), /\[Circular\] SoftphoneError: (one|two)/)
      assert.equal(sent(error).message, 'one')
      // Its plain form could be made by anybody.
      const { message, code, type } = error
      const plain = { message, code, type }
      plain.cause = plain
      assert.equal(SoftphoneError.from(structuredClone(plain)).message, 'one')
    }
    for (const wrap of [made, (cause) => new Error('no', { cause })]) {
      let deep = 'the first'
      for (let count = 0; count < 100_000; count++) deep = wrap(deep)
      const causes = []
      for (let error = sent(made(deep)); error !== undefined; error = error.cause) causes.push(error)
      assert.equal(causes.length, 10)
      assert.match(causes.at(-1), /^(SoftphoneError|Error): no$/)
    }
    let plain = { message: 'the first' }
    for (let count = 0; count < 100_000; count++) plain = { message: 'no', cause: plain }
    assert.equal(SoftphoneError.from(plain).message, 'no')
  })

  test('can be handed on whatever its cause is made of', () => {
    const because = (cause) => sent(new SoftphoneError('no', { code: 'ERR_X', type: 'generic', cause })).cause
    const odd = new Error('odd')
    Object.defineProperty(odd, 'message', { value: () => {} })
    assert.equal(because(odd).name, 'Error')
    const hostile = { [Symbol.for('nodejs.util.inspect.custom')]: () => { throw new Error('on purpose') } }
    assert.equal(because(hostile), 'a cause that can not be read')
    assert.equal(because(Symbol('sign')), 'Symbol(sign)')
    assert.ok(because('x'.repeat(1_000_000)).length < 10_000)
    assert.equal(because(new Error('outer', { cause: new RangeError('inner') })).cause.name, 'RangeError')
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
