// Each Node that is supported, and the other runtimes that have Node-API: from npm's packages of them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../scripts/processes.mjs'
import { obtained } from './package/obtained.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const smoke = join(root, '__test__', 'package', 'smoke.cjs')
const example = join(root, 'examples', 'first-call.mjs')

const windows = process.platform === 'win32'
const platform = `${windows ? 'win' : process.platform}-${process.arch}`

async function nodeOf(major, t) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const modules = await obtained(t, `node-${platform}@${major}`)
  return modules && join(modules, `node-${platform}`, 'bin', windows ? 'node.exe' : 'node')
}

describe('sound and digits in a call, then the end of the process', () => {
  for (const major of [20, 22, 24, 26]) {
    test(`work in Node ${major}, in the main thread and in a worker`, async (t) => {
      const binary = await nodeOf(major, t)
      if (binary === undefined) return
      const output = await run('Running', binary, [smoke], { cwd: root, quiet: true, timeout: 60_000 })
      assert.match(output, new RegExp(`^Node v${major}\\..*: called in the main thread and in a worker$`, 'm'))
    })
  }

  for (const [name, version, args] of [
    ['bun', '1.4.5', []],
    ['deno', '2.9.6', ['run', '--allow-all']],
  ]) {
    test(`work in ${name}, in the main thread and in a worker, and as a module`, async (t) => {
      const modules = await obtained(t, `${name}@${version}`)
      if (modules === undefined) return
      const runs = (script) => run('Running', join(modules, '.bin', name), [...args, script], { cwd: root, shell: windows, quiet: true, timeout: 60_000 })
      assert.match(await runs(smoke), /: called in the main thread and in a worker$/m)
      assert.match(await runs(example), /heard a second of .* echo\nended: success/)
    })
  }
})
