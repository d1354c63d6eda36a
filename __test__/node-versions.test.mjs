import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../scripts/processes.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const smoke = join(root, '__test__', 'package', 'smoke.cjs')

const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** Installs a Node from npm's packages of it, once, and resolves with its path. */
async function installed(major) {
  const folder = join(root, 'node_modules', '.cache', 'offhook', `node-${major}`)
  const binary = join(folder, 'node_modules', `node-${platform}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `node-${platform}@${major}`]
  await run('Installing Node', 'npm', args, { cwd: folder, shell: process.platform === 'win32', quiet: true })
  return binary
}

/** The binary, or undefined where npm doesn't give it, which is a failure in CI. */
async function obtained(major, t) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  try {
    return await installed(major)
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip(`npm gives no Node ${major} for ${platform}: ${error.message.trim().split('\n').at(-1)}`)
    return undefined
  }
}

describe('sound and digits in a call, then the end of the process', () => {
  for (const major of [20, 22, 24, 26]) {
    test(`work in Node ${major}, in the main thread and in a worker`, async (t) => {
      const binary = await obtained(major, t)
      if (binary === undefined) return
      const output = await run('Running', binary, [smoke], { cwd: root, quiet: true, timeout: 60_000 })
      assert.match(output, new RegExp(`^Node v${major}\\..*: called in the main thread and in a worker$`, 'm'))
    })
  }
})
