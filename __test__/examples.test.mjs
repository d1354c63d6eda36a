import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../examples', import.meta.url))
const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs'))

describe('the examples', () => {
  test('are each under forty lines', () => {
    for (const name of examples) {
      const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').length
      assert.ok(lines < 40, `${name} has ${lines} lines`)
    }
  })

  // The others need an account of yours.
  for (const [name, output] of [
    ['first-call.mjs', /heard a second of .* echo\nended: success/],
    ['click-to-call.mjs', /autoAnswer: true[^]*alice talks to bob/],
  ]) {
    test(`${name} runs`, async () => {
      const { stdout } = await run(process.execPath, [join(folder, name)], { timeout: 30_000 })
      assert.match(stdout, output)
    })
  }

  test('unit-test.test.mjs passes', async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    await run(process.execPath, ['--test', join(folder, 'unit-test.test.mjs')], { timeout: 30_000, env })
  })
})
