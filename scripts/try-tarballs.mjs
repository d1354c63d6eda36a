// Installs tarballs into an empty folder, as a user would who has neither Rust nor a compiler, and makes a call.
//   node scripts/try-tarballs.mjs <folder with *.tgz>
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tarballs = readdirSync(process.argv[2])
  .filter((name) => name.endsWith('.tgz'))
  .map((name) => resolve(process.argv[2], name))

const folder = mkdtempSync(join(tmpdir(), 'offhook-install-'))
try {
  const env = { ...process.env, PATH: onlyNode(folder) }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs], { cwd: folder, env, stdio: 'inherit' })
  cpSync(join(root, 'examples', 'first-call.mjs'), join(folder, 'first-call.mjs'))
  execFileSync('node', ['first-call.mjs'], { cwd: folder, env, stdio: 'inherit', timeout: 60_000 })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

// A PATH with node, npm and a shell, and nothing that could compile.
function onlyNode(parent) {
  const bin = join(parent, 'bin')
  mkdirSync(bin)
  for (const command of ['node', 'npm', 'sh', 'env', 'uname', 'sed', 'dirname', 'basename']) {
    const path = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim()
    symlinkSync(path, join(bin, command))
  }
  return bin
}
