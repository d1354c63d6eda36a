import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { silent } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'

describe('6. error without a listener never throws', () => {
  test('what fails in a method that gives no promise goes to the logger', async (t) => {
    const { open } = await pbxOf(t)
    const lines = []
    let logged
    const first = new Promise((resolve) => (logged = resolve))
    const error = (message, details) => {
      lines.push([message, details.code])
      logged()
    }
    const alice = await open('alice', { logger: { ...silent, error }, logLevel: 'error' })
    const uncaught = []
    const note = (reason) => uncaught.push(reason)
    process.on('unhandledRejection', note).on('uncaughtExceptionMonitor', note)
    alice.acceptPendingSession('nobody')
    await first
    await turn()
    process.off('unhandledRejection', note).off('uncaughtExceptionMonitor', note)
    assert.deepEqual(uncaught, [])
    assert.equal(lines[0][1], 'ERR_SESSION_NOT_FOUND')
  })
})
