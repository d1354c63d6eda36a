// What of examples/electron can be looked at without running it: its versions, its types, and how it is packaged.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installed } from './electron/stage.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples', 'electron')
const json = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

test('the example of Electron is tested with the versions that it names', () => {
  const { version, devDependencies } = json(root, 'package.json')
  const { dependencies, devDependencies: named } = json(example, 'package.json')
  assert.equal(dependencies.offhook, `^${version}`)
  const shared = Object.keys(named).filter((name) => name in devDependencies)
  assert.ok(shared.length >= 8, String(shared))
  for (const name of shared) assert.equal(named[name], devDependencies[name], name)
})

test("its types are right, also against Electron's own", { timeout: 180_000 }, async (t) => {
  const { folder, remove } = installed({ electron: join(root, 'node_modules', 'electron') })
  t.after(remove)
  await promisify(execFile)(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', folder], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout))
})

test('its packages keep the addon out of the archive, and all that is loaded in it', () => {
  const builder = json(example, 'electron-builder.json')
  const forge = createRequire(import.meta.url)(join(example, 'forge.config.cjs'))
  assert.deepEqual(builder.asarUnpack, ['**/node_modules/@offhook/**'])
  assert.equal(forge.packagerConfig.asar.unpack, '**/node_modules/@offhook/**')
  // What is made must not go into what is made next.
  assert.ok(!builder.files.some((pattern) => pattern.startsWith(builder.directories.output)))
  assert.ok(forge.packagerConfig.ignore.some((pattern) => pattern.test(`/${builder.directories.output}/x`)))
  for (const folder of ['main', 'phone', 'dist']) {
    assert.ok(builder.files.includes(`${folder}/**`))
    assert.ok(!forge.packagerConfig.ignore.some((pattern) => pattern.test(`/${folder}/main.js`)))
  }
  assert.deepEqual([builder.npmRebuild, forge.rebuildConfig.onlyModules], [false, []])
  assert.match(json(root, 'npm', 'linux-x64-gnu', 'package.json').name, /^@offhook\//)
})
