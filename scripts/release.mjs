// Builds one platform's addon for publishing, checks it, and packs its package.
//   node scripts/release.mjs [<platform>] [--glibc 2.28] [--into target/tarballs]
//   node scripts/release.mjs --check   also packs the library and create-offhook, and makes calls from the tarballs
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, root } from './bootstrap.mjs'
import { cargoEnvironment } from './build.mjs'
import { targets } from './platforms.mjs'
import { packCreate, packLibrary, packPlatform } from './tarballs.mjs'
import { tryTarballs } from './try-tarballs.mjs'
import { zigEnvironment } from './zig.mjs'

/** Some 13.8 MB on Linux, with room for what comes beside it. 1.3 MB are models of deep concealment, 1.3 MB tables for unwinding. The aim is 11. */
const MOST_BYTES = 14_000_000

/** What every glibc system has; libasound is not of them. */
const GLIBC_LIBRARIES = /^(?:ld-linux-[\w-]+\.so\.\d|lib(?:c|m|dl|rt|pthread|gcc_s|util)\.so\.\d)$/

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    glibc: { type: 'string', default: '2.28' },
    into: { type: 'string', default: join(root, 'target', 'tarballs') },
  },
})
await bootstrap({ packages: 'release', addon: false })
const platform = positionals[0] ?? currentPlatform()
const target = targets[platform]
if (!target) fail(`No such platform: ${platform}; there are ${Object.keys(targets).join(', ')}`)

const into = resolve(values.into)
const addon = await build()
checkSize()
if (target.endsWith('linux-gnu')) checkGlibc()
const tarball = await packPlatform(platform, addon, into)
console.log(`${tarball}: ${megabytes(tarball)}`)
if (values.check) console.log(await tryTarballs([tarball, await packLibrary(into), await packCreate(into)]))

async function build() {
  const { target_directory: folder } = JSON.parse(
    output('cargo', ['metadata', '--no-deps', '--format-version', '1'], cargoEnvironment()),
  )
  const common = ['--package', 'offhook', '--release', '--target']
  if (target.includes('linux')) {
    const env = await zigEnvironment(root)
    addTarget(env)
    if (target.endsWith('musl')) env.RUSTFLAGS = '-C target-feature=-crt-static'
    run('cargo', ['zigbuild', ...common, target.endsWith('gnu') ? `${target}.${values.glibc}` : target], env)
  } else {
    addTarget(cargoEnvironment())
    run('cargo', ['build', ...common, target], cargoEnvironment())
  }
  return join(folder, target, 'release', libraryName())
}

function addTarget(env) {
  const sysroot = output('rustc', ['--print', 'sysroot'], env).trim()
  if (!existsSync(join(sysroot, 'lib', 'rustlib', target))) run('rustup', ['target', 'add', target], env)
}

function libraryName() {
  if (target.includes('windows')) return 'offhook.dll'
  return target.includes('apple') ? 'liboffhook.dylib' : 'liboffhook.so'
}

function checkSize() {
  console.log(`${addon}: ${megabytes(addon)}`)
  if (statSync(addon).size > MOST_BYTES) fail(`The addon is larger than ${MOST_BYTES / 1e6} MB`)
}

function checkGlibc() {
  const headers = output('objdump', ['--private-headers', addon], process.env)
  const needed = [...headers.matchAll(/^\s+NEEDED\s+(\S+)/gm)].map(([, name]) => name)
  console.log(`It needs ${needed.join(', ')}`)
  const others = needed.filter((name) => !GLIBC_LIBRARIES.test(name))
  if (needed.length === 0 || others.length > 0) fail(`The addon needs what not every system has: ${others.join(', ')}`)
  const versions = [...headers.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)])
  const [major, minor] = versions.reduce((most, version) => (isNewer(version, most) ? version : most))
  console.log(`It needs glibc ${major}.${minor}`)
  if (isNewer([major, minor], values.glibc.split('.').map(Number))) fail(`That is newer than ${values.glibc}`)
}

function isNewer([major, minor], [otherMajor, otherMinor]) {
  return major > otherMajor || (major === otherMajor && minor > otherMinor)
}

function currentPlatform() {
  return createRequire(import.meta.url)(join(root, 'dist', 'native.js')).currentPlatform()
}

function megabytes(file) {
  return `${(statSync(file).size / 1e6).toFixed(1)} MB`
}

function output(command, args, env) {
  const { status, stdout, error } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 100_000_000 })
  if (status !== 0) fail(`${command} failed: ${error?.message ?? status}`)
  return stdout
}

function run(command, args, env) {
  console.log(`> ${command} ${args.join(' ')}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env, shell: process.platform === 'win32' })
  if (status !== 0) fail(`${command} failed: ${error?.message ?? status}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
