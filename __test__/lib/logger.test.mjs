import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { makePhone } from './fake.mjs'
import { uncaughtBy } from '../phones.mjs'

const levels = ['debug', 'info', 'warn', 'error']

/** What a logger was told, as [method, ...arguments]. */
function noting(more = {}) {
  const lines = []
  const logger = { ...more }
  for (const level of levels) logger[level] = (...line) => void lines.push([level, ...line])
  return { logger, lines }
}

function say(logger, line = {}) {
  const { engine } = makePhone({ logger, logLevel: 'trace' })
  engine.say({ type: 'trace', level: 'warn', message: 'odd', details: { a: 1 }, ...line })
}

describe('a logger', () => {
  test('needs no more than debug, info, warn and error', () => {
    const { logger, lines } = noting()
    for (const level of ['trace', 'debug', 'log', 'info', 'warn', 'error']) say(logger, { level, details: null })
    assert.deepEqual(lines, ['debug', 'debug', 'info', 'info', 'warn', 'error'].map((level) => [level, '[offhook] odd']))
  })

  test('in the manner of console and winston is given the message first', () => {
    // winston's log() wants a level, and is left alone.
    const { logger, lines } = noting({ child() {}, log: () => assert.fail('called') })
    say(logger)
    say(logger, { level: 'log' })
    assert.deepEqual(lines, [['warn', '[offhook] odd', { a: 1 }], ['info', '[offhook] odd', { a: 1 }]])
  })

  test('in the manner of pino and bunyan is given the fields first', () => {
    const { logger, lines } = noting({ child() {}, fatal() {} })
    say(logger)
    say(logger, { details: 'text' })
    say(logger, { details: null })
    assert.deepEqual(lines, [['warn', { a: 1 }, '[offhook] odd'], ['warn', { details: 'text' }, '[offhook] odd'], ['warn', '[offhook] odd']])
  })

  test('that throws or rejects is told of once, and harms nothing', async () => {
    const warnings = []
    const listen = (warning) => warnings.push(warning.message)
    process.on('warning', listen)
    const { logger } = noting()
    logger.warn = () => {
      throw new Error('disk full')
    }
    const { logger: rejecting } = noting()
    rejecting.warn = async () => {
      throw new Error('gone')
    }
    const errors = await uncaughtBy(async () => {
      for (const each of [logger, logger, rejecting, rejecting]) say(each)
      await turn()
    })
    await turn()
    process.off('warning', listen)
    assert.deepEqual(errors, [])
    assert.deepEqual(warnings, ['The logger failed: disk full', 'The logger failed: gone'])
  })
})
