// Builds one platform's addon for publishing and packs its package as a tarball in the current folder.
//   node scripts/release.mjs <platform> [--glibc 2.28]
// On Linux it builds with cargo-zigbuild, which links against an old glibc, or musl, wherever it runs.
import { spawnSync } from 'node:child_process'
import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cargoEnvironment } from './build.mjs'
import { targets } from './platforms.mjs'

const MOST_BYTES = 10_000_000

const root = fileURLToPath(new URL('..', import.meta.url))
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { glibc: { type: 'string', default: '2.28' } },
})
const [platform] = positionals
const target = targets[platform]
if (!target) fail(`Usage: node scripts/release.mjs <${Object.keys(targets).join(' | ')}> [--glibc 2.28]`)

const addon = join(root, 'npm', platform, 'offhook.node')
run('rustup', ['target', 'add', target])
run('cargo', cargoArguments(), { RUSTFLAGS: target.endsWith('musl') ? '-C target-feature=-crt-static' : '' })
copyFileSync(join(targetFolder(), target, 'release', libraryName()), addon)
checkSize()
if (target.endsWith('linux-gnu')) checkGlibc()
run('npm', ['pack', join(root, 'npm', platform)])

function cargoArguments() {
  const common = ['--package', 'offhook', '--release']
  if (!target.includes('linux')) return ['build', ...common, '--target', target]
  return ['zigbuild', ...common, '--target', target.endsWith('gnu') ? `${target}.${values.glibc}` : target]
}

function libraryName() {
  if (target.includes('windows')) return 'offhook.dll'
  return target.includes('apple') ? 'liboffhook.dylib' : 'liboffhook.so'
}

function targetFolder() {
  const { stdout } = spawnSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], {
    cwd: root,
    env: cargoEnvironment(),
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  })
  return JSON.parse(stdout).target_directory
}

function checkSize() {
  const { size } = statSync(addon)
  console.log(`${addon}: ${(size / 1e6).toFixed(1)} MB`)
  if (size > MOST_BYTES) fail(`The addon is larger than ${MOST_BYTES / 1e6} MB`)
}

function checkGlibc() {
  const { stdout, error } = spawnSync('objdump', ['-T', addon], { encoding: 'utf8', maxBuffer: 100_000_000 })
  if (error) fail(`objdump is needed to check the addon: ${error.message}`)
  const versions = [...stdout.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => major * 1000 + Number(minor))
  const newest = Math.max(...versions)
  const [major, minor] = values.glibc.split('.').map(Number)
  console.log(`It needs glibc ${Math.floor(newest / 1000)}.${newest % 1000}`)
  if (newest > major * 1000 + minor) fail(`The addon needs a newer glibc than ${values.glibc}`)
}

function run(command, args, environment = {}) {
  console.log(`> ${command} ${args.join(' ')}`)
  const env = { ...cargoEnvironment(), ...environment }
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env, shell: process.platform === 'win32' })
  if (status !== 0) fail(`${command} failed: ${error?.message ?? status}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
