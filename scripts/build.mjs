import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { delimiter, join, posix } from 'node:path'
import { createInterface } from 'node:readline'
import { ended, expectedError, run } from './processes.mjs'
import { Progress } from './progress.mjs'

/** Compiles lib/ to dist/ where something in it is newer. */
export async function buildLibrary(root, { quiet = false } = {}) {
  const built = newest(join(root, 'dist'))
  const sources = Math.max(newest(join(root, 'lib')), modified(join(root, 'tsconfig.json')))
  if (built > sources) return
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run('Compiling lib/', process.execPath, [tsc, '--project', root], { quiet })
  // What runs in pages knows the DOM, and nothing of Node.
  await run('Compiling lib/renderer/', process.execPath, [tsc, '--project', join(root, 'lib', 'renderer')], { quiet })
  for (const entry of ['renderer/index', 'bridge/client', 'bridge/headset', 'bridge/subscriptions', 'bridge/video']) await writeModules(root, entry)
}

/** A page without a bundler loads ES modules only, whose names it does not guess: writes an entry, and what it imports. */
async function writeModules(root, entry) {
  const { default: ts } = await import('typescript')
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, removeComments: true }
  const modules = new Set([entry])
  for (const module of modules) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'lib', `${module}.ts`), 'utf8'), { compilerOptions })
    const text = outputText.replace(/ from '(\.{1,2}\/[\w/-]+)'/g, (_, from) => {
      modules.add(posix.join(posix.dirname(module), from))
      return ` from '${from}.mjs'`
    })
    writeFileSync(join(root, 'dist', `${module}.mjs`), text)
  }
}

/**
 * Builds the addon with cargo and puts it where the loader looks first, npm/<platform>/offhook.node:
 * in the development profile, which the tests share, unless `release`.
 */
export async function buildAddon(root, { release = false } = {}) {
  const destination = addonPath(root)
  const profile = release ? 'release' : 'dev'
  if (upToDate(root, destination, profile)) return destination
  const library = await cargoBuild(root, release ? ['--release'] : [])
  mkdirSync(join(destination, '..'), { recursive: true })
  // By renaming: a process that has the old file loaded keeps it.
  const fresh = `${destination}.${process.pid}`
  copyFileSync(library, fresh)
  renameSync(fresh, destination)
  writeFileSync(`${destination}.profile`, profile)
  return destination
}

/** Where the loader looks for this platform's addon. */
export function addonPath(root) {
  const { currentPlatform } = createRequire(import.meta.url)(join(root, 'dist', 'native.js'))
  return join(root, 'npm', currentPlatform(), 'offhook.node')
}

/** The environment for cargo: rustup's folder is often missing from the PATH of a non-login shell. */
export function cargoEnvironment() {
  return { ...process.env, PATH: [process.env.PATH, join(homedir(), '.cargo', 'bin')].join(delimiter) }
}

function upToDate(root, addon, profile) {
  if (!existsSync(addon) || !existsSync(`${addon}.profile`)) return false
  if (readFileSync(`${addon}.profile`, 'utf8') !== profile) return false
  const sources = ['src', 'crates', '.cargo'].map((folder) => newest(join(root, folder)))
  const files = ['Cargo.toml', 'Cargo.lock', 'build.rs'].map((file) => modified(join(root, file)))
  return modified(addon) > Math.max(...sources, ...files)
}

async function cargoBuild(root, profile) {
  const progress = new Progress('Building the native addon')
  const args = ['build', '--package', 'offhook', '--message-format', 'json-render-diagnostics', ...profile]
  const child = spawn('cargo', args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cargoEnvironment(), CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '100' },
  })
  let library
  createInterface({ input: child.stdout }).on('line', (line) => (library = artifact(line) ?? library))
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    log += chunk
    progress.show(cargoProgress(chunk))
  })
  const status = await ended(child)
  progress.done(status === 0)
  if (status === 0 && library) return library
  if (status === 'it is not installed') throw expectedError('Rust is needed to build the addon: see https://rustup.rs')
  throw expectedError(`${withoutProgress(log)}\nThe addon could not be built: ${status}`)
}

function artifact(line) {
  if (!line.startsWith('{')) return undefined
  const message = JSON.parse(line)
  if (message.reason !== 'compiler-artifact' || message.target?.name !== 'offhook') return undefined
  return message.filenames.find((file) => /\.(so|dylib|dll)$/.test(file))
}

// cargo: `    Building [====>    ] 123/345: sip, phone`
function cargoProgress(chunk) {
  const [, count, crates] = /(\d+\/\d+)(: [^\r\n\x1b]*)?/.exec(chunk.split('\r').at(-1)) ?? []
  return count ? `${count}${crates ?? ''}` : undefined
}

function withoutProgress(log) {
  return log.replace(/^.*\r(?!\n)/gm, '').slice(-20_000)
}

function newest(path) {
  if (!existsSync(path)) return 0
  const entries = readdirSync(path, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  return Math.max(0, ...files.map((entry) => modified(join(entry.parentPath ?? entry.path, entry.name))))
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}
