// What the test command says of failures, and what it runs a second time.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { failuresOfNode, failuresOfRust } from '../../scripts/failures.mjs'

describe('failures', () => {
  test('of Node are named with their reason, and their files run once more', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-failures-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const failing = (name) => `import { describe, test } from 'node:test'
      describe('${name}', () => {
        test('passes', () => {})
        test('fails', () => { throw new Error('because of ${name}') })
      })`
    const runOf = (...names) => {
      for (const name of names) writeFileSync(join(folder, `${name}.test.mjs`), name === 'good' ? '' : failing(name))
      const { NODE_TEST_CONTEXT: _context, ...env } = process.env
      const args = ['--test', '--test-reporter=spec', ...names.map((name) => `${name}.test.mjs`)]
      return spawnSync(process.execPath, args, { cwd: folder, env: { ...env, NO_COLOR: '1' }, encoding: 'utf8' }).stdout
    }
    const { told, again } = failuresOfNode(runOf('bad', 'good', 'worse'), (files) => files)
    assert.deepEqual(again, [['bad.test.mjs', 'worse.test.mjs']])
    for (const name of ['bad', 'worse']) assert.ok(told.some((line) => line.includes(`because of ${name}`)), told.join('\n'))
    assert.equal(failuresOfNode(runOf('a', 'b', 'c', 'd', 'e'), (files) => files).again, undefined)
    assert.equal(failuresOfNode('', (files) => files).again, undefined)
  })

  test('of Rust are named, and their targets run once more', () => {
    const output = (failed) => `test video::plays ... ok
${Array.from({ length: failed }, (_, number) => `test video::test${number} ... FAILED`).join('\n')}
thread 'video::test0' panicked at crates/runtime/src/video/tests.rs:1:1:
error: 2 targets failed:
    \`-p runtime --lib\`
    \`-p runtime --test it\`
`
    const { told, again } = failuresOfRust(output(2))
    assert.deepEqual(again, [
      ['cargo', 'test', '-p', 'runtime', '--lib'],
      ['cargo', 'test', '-p', 'runtime', '--test', 'it'],
    ])
    assert.ok(told.includes('test video::test1 ... FAILED'))
    assert.equal(failuresOfRust(output(5)).again, undefined)
    assert.equal(failuresOfRust('error: could not compile `runtime`').again, undefined)
  })
})
