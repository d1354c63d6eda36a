// What a user gets: the packages as npm packs them, installed where there is neither Rust nor a compiler.
// The addon is this checkout's, in the development profile as for all tests; `npm run release:check` does it with a release.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addonPath } from '../../scripts/build.mjs'
import { manifest, targets } from '../../scripts/platforms.mjs'
import { EmptyFolder, packLibrary, packPlatform } from '../../scripts/tarballs.mjs'
import { currentPlatform } from '../../dist/native.js'
import { registryOf } from './registry.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const platform = currentPlatform()

describe('the packages', () => {
  let tarballs, library, addon
  const folders = []

  before(async () => {
    tarballs = mkdtempSync(join(tmpdir(), 'offhook-tarballs-'))
    library = await packLibrary(tarballs)
    addon = await packPlatform(platform, addonPath(root), tarballs)
  })

  after(() => {
    for (const folder of folders) folder.remove()
    rmSync(tarballs, { recursive: true })
  })

  const emptyFolder = () => {
    const folder = new EmptyFolder()
    folders.push(folder)
    return folder
  }

  describe('installed from tarballs, with Node and npm alone on the PATH', () => {
    let folder

    before(async () => {
      folder = emptyFolder()
      await folder.install([library, addon])
    })

    test('have no compiler at hand', () => {
      assert.deepEqual(readdirSync(folder.env.PATH).sort(), ['node', 'npm', 'sh'])
    })

    test('make the call of examples/first-call.mjs', async () => {
      cpSync(join(root, 'examples', 'first-call.mjs'), join(folder.path, 'first-call.mjs'))
      assert.match(await folder.node(['first-call.mjs']), /heard a second of .* echo\nended: success/)
    })

    test('make calls from CommonJS', async () => {
      cpSync(join(root, '__test__', 'package', 'smoke.cjs'), join(folder.path, 'smoke.cjs'))
      assert.match(await folder.node(['smoke.cjs']), /called in the main thread and in a worker/)
    })

    test('have types for both module systems', async () => {
      const types = join(root, '__test__', 'types')
      for (const name of ['module.mts', 'script.cts', 'tsconfig.json']) cpSync(join(types, name), join(folder.path, name))
      const modules = join(folder.path, 'node_modules')
      cpSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'), { recursive: true })
      cpSync(join(root, 'node_modules', 'undici-types'), join(modules, 'undici-types'), { recursive: true })
      await folder.node([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', '.'])
    })
  })

  test('come from a registry as the library and, of its eight platforms, this one', async (t) => {
    const { optionalDependencies } = JSON.parse(packed(library, 'package/package.json'))
    assert.deepEqual(Object.keys(optionalDependencies), Object.keys(targets).map((name) => `@offhook/${name}`))
    const registry = await registryOf(t, [
      { manifest: JSON.parse(packed(library, 'package/package.json')), tarball: library },
      ...Object.keys(targets).map((name) => ({ manifest: manifest(name), ...(name === platform && { tarball: addon }) })),
    ])
    const folder = emptyFolder()
    await folder.install(['offhook'], { registry: registry.url })
    assert.deepEqual(registry.fetched.sort(), [`@offhook/${platform}`, 'offhook'])
    const script = "new (require('offhook').Softphone)({ uri: 'sip:a@b' }).destroy().then(() => console.log('destroyed'))"
    assert.match(await folder.node(['--eval', script]), /destroyed/)
  })

  test('hold what is used and nothing of how it was made', () => {
    const files = packed(library).split('\n').filter(Boolean).map((name) => name.replace('package/', ''))
    const published = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).files
    const expected = published.filter((name) => !name.includes('*')).map((name) => name.replace(/^\//, ''))
    const facades = readdirSync(join(root, 'compat')).map((name) => `compat/${name}`)
    const present = [...expected, ...facades, 'README.md', 'package.json'].filter((name) => existsSync(join(root, name)))
    const rest = files.filter((name) => !/^dist\/([\w-]+\/)*[\w-]+\.js$/.test(name))
    assert.deepEqual(rest.sort(), present.sort())
    assert.deepEqual(
      packed(addon).split('\n').filter(Boolean).sort(),
      ['package/LICENSE-APACHE', 'package/LICENSE-MIT', 'package/THIRD-PARTY-LICENSES', 'package/offhook.node', 'package/package.json'],
    )
  })

  test('carry the licences of what is linked into the addon', () => {
    const text = packed(addon, 'package/THIRD-PARTY-LICENSES')
    assert.match(text, new RegExp(`for ${platform} contains`))
    assert.match(text, /opusic-sys [\d.]+: opus\n-+\n\nCopyright 2001-\d+ Xiph\.Org/)
  })

  function packed(tarball, file) {
    const args = file ? ['-xzOf', tarball, file] : ['-tzf', tarball]
    return execFileSync('tar', args, { encoding: 'utf8', maxBuffer: 10_000_000 })
  }
})
