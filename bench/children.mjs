import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { root } from '../scripts/bootstrap.mjs'
import { cargoEnvironment } from '../scripts/build.mjs'
import { ended, expectedError, run } from '../scripts/processes.mjs'

/** Runs a side of a benchmark in a process of its own; resolves with the lines of JSON that it printed. */
export async function side(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const results = []
  createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && results.push(JSON.parse(line)))
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => (log += chunk))
  const deadline = setTimeout(() => child.kill('SIGKILL'), 180_000)
  const status = await ended(child)
  clearTimeout(deadline)
  if (status === 0 && results.length > 0) return results
  throw expectedError(`${log.slice(-5000)}\n"${command} ${args.join(' ')}" failed: ${status}`)
}

/** Runs a script of bench/sides. */
export function script(name, ...args) {
  return side(process.execPath, [join(root, 'bench', 'sides', name), ...args])
}

/** Runs a side with a job and resolves with its one result. */
export async function job(name, what) {
  const [result] = await script(`${name}.mjs`, JSON.stringify(what))
  return result
}

/** Builds the Rust side and resolves with how to run it. */
export async function rustSide(quick) {
  const folder = join(root, 'bench', 'rust')
  const profile = quick ? 'quick' : 'release'
  const args = ['build', '--profile', profile, '--message-format', 'json-render-diagnostics']
  const env = cargoEnvironment()
  const output = await run('Building the Rust side of the bench', 'cargo', args, { cwd: folder, env, describe: () => '' })
  const artifacts = output.split('\n').filter((line) => line.startsWith('{"reason":"compiler-artifact"'))
  const executable = artifacts.map((line) => JSON.parse(line).executable).find(Boolean)
  if (executable === undefined) throw expectedError('The Rust side of the bench was not built')
  return (...rest) => side(executable, rest.map(String))
}
