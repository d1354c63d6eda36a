// Writes npm/<platform>/package.json for every platform of the loader's table.
//   node scripts/platforms.mjs           writes them
//   node scripts/platforms.mjs --check   fails when a committed one differs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The Rust target of each platform's package. */
export const targets = {
  'darwin-arm64': 'aarch64-apple-darwin',
  'darwin-x64': 'x86_64-apple-darwin',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'win32-arm64-msvc': 'aarch64-pc-windows-msvc',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
}

/** The manifest of a platform's package. */
export function manifest(platform) {
  const { version, homepage, bugs, repository, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [os, cpu, abi] = platform.split('-')
  const libc = { gnu: 'glibc', musl: 'musl' }[abi]
  return {
    name: `@offhook/${platform}`,
    version,
    description: `The native part of offhook for ${platform} (${targets[platform]})`,
    homepage,
    bugs,
    repository,
    license,
    main: 'offhook.node',
    files: ['offhook.node', 'LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-LICENSES'],
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    engines,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { platforms } = createRequire(import.meta.url)(join(root, 'dist', 'native.js'))
  const check = process.argv.includes('--check')
  for (const platform of platforms) {
    const folder = join(root, 'npm', platform)
    const file = join(folder, 'package.json')
    const text = `${JSON.stringify(manifest(platform), null, 2)}\n`
    if (check && readFileSync(file, 'utf8') !== text) {
      console.error(`${file} is not up to date: run "node scripts/platforms.mjs" and commit it`)
      process.exitCode = 1
    }
    if (check) continue
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, text)
  }
}
