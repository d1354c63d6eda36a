// Makes the packages that npm gets, and installs them as a user would.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layCreate } from './create.mjs'
import { manifest } from './platforms.mjs'
import { run } from './processes.mjs'
import { thirdParty } from './third-party.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const windows = process.platform === 'win32'

/** Packs this checkout's library into a folder; resolves with the tarball. */
export function packLibrary(into) {
  return pack(root, into)
}

/** Packs what `npm create offhook` runs into a folder; resolves with the tarball. */
export async function packCreate(into) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-pack-'))
  try {
    layCreate(folder)
    return await pack(folder, into)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Packs a platform's addon, with our licences and those of what it contains, into a folder; resolves with the tarball. */
export async function packPlatform(platform, addon, into) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-pack-'))
  try {
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(platform), null, 2)}\n`)
    for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(join(root, name), join(folder, name))
    writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), thirdParty(platform))
    copyFileSync(addon, join(folder, 'offhook.node'))
    return await pack(folder, into)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function pack(folder, into) {
  mkdirSync(into, { recursive: true })
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', into]
  const output = await run('Packing', 'npm', args, { cwd: folder, shell: windows, quiet: true })
  const [{ filename }] = JSON.parse(output.slice(output.indexOf('[\n')))
  return join(into, filename)
}

/** An empty folder outside the checkout, with an environment that has Node and npm, and nothing that could compile. */
export class EmptyFolder {
  path = mkdtempSync(join(tmpdir(), 'offhook-install-'))

  constructor() {
    writeFileSync(join(this.path, 'package.json'), '{ "private": true }\n')
    this.env = windows ? process.env : { PATH: this.#onlyNode(), HOME: this.path, TMPDIR: tmpdir(), LANG: 'C.UTF-8' }
  }

  /** Installs packages without running scripts of theirs; without a registry nothing but these tarballs can be had. */
  install(packages, { registry, below } = {}) {
    const from = registry ? ['--registry', registry] : ['--offline']
    return this.npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...from, ...packages], { below })
  }

  /** Runs npm here, or in a folder below; resolves with what it printed. */
  npm(args, { below = '.' } = {}) {
    return run('Running npm', 'npm', args, { cwd: join(this.path, below), env: this.env, shell: windows, quiet: true })
  }

  /** Runs a script of this folder; resolves with what it printed. */
  node(args) {
    const node = windows ? process.execPath : join(this.path, 'bin', 'node')
    return run('Running', node, args, { cwd: this.path, env: this.env, quiet: true, timeout: 60_000 })
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true })
  }

  #onlyNode() {
    const bin = join(this.path, 'bin')
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    for (const command of ['npm', 'sh']) {
      const path = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim()
      symlinkSync(path, join(bin, command))
    }
    return bin
  }
}
