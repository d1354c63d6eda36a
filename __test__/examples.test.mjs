import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hears, pbxOf, voice } from './pbx.mjs'

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

  test('conference.mjs joins who calls and who is named', { timeout: 30_000 }, async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob'] })
    const { uri, password, servers } = pbx.account('alice')
    const env = { ...process.env, SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers }
    const child = spawn(process.execPath, [join(folder, 'conference.mjs'), 'tone'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    t.after(() => child.kill())
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const says = async (expected) => {
      for (let line = ''; !expected.test(line); ) {
        const { value, done } = await lines.next()
        assert.equal(done, false, `it ended without ${expected}`)
        line = value
      }
    }
    await says(/^tone is here: tone$/)
    const bob = await open('bob')
    const { ear, audio } = voice(600)
    const session = await bob.call('alice', audio)
    await says(/^bob is here: tone, bob$/)
    await hears(ear, 440)
    await session.end()
    await says(/^bob has left: tone$/)
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
  })

  test('unit-test.test.mjs passes', async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    await run(process.execPath, ['--test', join(folder, 'unit-test.test.mjs')], { timeout: 30_000, env })
  })
})
