import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../scripts/processes.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const windows = process.platform === 'win32'

/**
 * The node_modules with these packages of npm's, installed once, outside of this checkout's own because they are large;
 * or undefined if npm does not give them, which is a failure in CI.
 */
export async function obtained(t, ...packages) {
  const folder = join(root, 'node_modules', '.cache', 'offhook', packages.join('+').replaceAll(/[@/]/g, '-'))
  const modules = join(folder, 'node_modules')
  const whole = join(folder, 'whole')
  if (existsSync(whole)) return modules
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages]
  try {
    await run(`Installing ${packages.join(', ')}`, 'npm', args, { cwd: folder, shell: windows, quiet: true })
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip(`npm does not give ${packages.join(', ')}: ${error.message.trim().split('\n').at(-1)}`)
    return undefined
  }
  writeFileSync(whole, '')
  return modules
}
