// cargo-zigbuild links against an old glibc, or musl, wherever it runs. It and zig come from PyPI, into a folder of target/.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cargoEnvironment } from './build.mjs'
import { expectedError, run } from './processes.mjs'

const PACKAGES = ['cargo-zigbuild==0.24.0', 'ziglang==0.17.1']

/** Installs both, once, and resolves with the environment in which `cargo zigbuild` finds them. */
export async function zigEnvironment(root) {
  const folder = join(root, 'target', ['zig', ...PACKAGES].join('-').replaceAll('==', '-'))
  if (!existsSync(folder)) await install(folder)
  const env = cargoEnvironment()
  return {
    ...env,
    PATH: [join(folder, 'bin'), env.PATH].join(delimiter),
    PYTHONPATH: folder,
  }
}

// By renaming: what is there is whole.
async function install(folder) {
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  const args = ['-m', 'pip', 'install', '--no-cache-dir', '--disable-pip-version-check', '--target', fresh, ...PACKAGES]
  try {
    await run(`Installing ${PACKAGES.join(', ')}`, 'python3', args)
    renameSync(fresh, folder)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw expectedError(`${error.message}\nA release build for Linux needs Python 3 with pip.`)
  }
}
