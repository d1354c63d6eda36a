import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** Installs a Node from npm's packages of it, once, and resolves with its path. */
async function installed(major) {
  const folder = join(root, 'node_modules', '.cache', 'offhook', `node-${major}`)
  const binary = join(folder, 'node_modules', `node-${platform}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `node-${platform}@${major}`]
  await run('npm', args, { cwd: folder, shell: process.platform === 'win32' })
  return binary
}

describe('a call', () => {
  for (const major of [20, 22, 24, 26]) {
    test(`works in Node ${major}`, async () => {
      const binary = process.versions.node.startsWith(`${major}.`) ? process.execPath : await installed(major)
      const { stdout: version } = await run(binary, ['--version'])
      assert.match(version, new RegExp(`^v${major}\\.`))
      const { stdout } = await run(binary, [join(root, 'examples', 'first-call.mjs')], { timeout: 30_000 })
      assert.match(stdout, /heard a second of .* echo/)
    })
  }
})
