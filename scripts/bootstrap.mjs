// Installs and builds what is missing. Imports nothing that npm installs.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon, buildLibrary } from './build.mjs'
import { installPackages } from './debian.mjs'
import { expectedError, run } from './processes.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))

const OLDEST_NODE = 20

/**
 * Makes this checkout ready: npm packages, system packages for `packages` ('build', 'demo', 'test' or 'release'), the
 * library, and the addon unless `addon` is false.
 * Resolves with the system packages that are missing and could not be installed.
 */
export async function bootstrap({ packages = 'build', release = false, addon = true } = {}) {
  checkNode()
  const missing = await installPackages(packages)
  await installNpmPackages(root)
  await buildLibrary(root)
  if (addon) await buildAddon(root, { release })
  return missing
}

function checkNode() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < OLDEST_NODE) throw expectedError(`Node.js ${OLDEST_NODE} or newer is needed; this is ${process.version}.`)
}

/** Installs what the lock of a folder names, once. */
export async function installNpmPackages(folder) {
  const stamp = join(folder, 'node_modules', '.offhook-lock')
  const lock = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  await run('Installing npm packages', 'npm', args, { cwd: folder, shell: process.platform === 'win32' })
  writeFileSync(stamp, lock)
}
