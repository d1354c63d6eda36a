import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as esm from 'offhook'
import { targets } from '../../scripts/platforms.mjs'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the package', () => {
  test('is one for both module systems', async () => {
    for (const [entry, module] of [
      ['offhook', esm],
      ['offhook/testing', await import('offhook/testing')],
      ['offhook/renderer/host', await import('offhook/renderer/host')],
      ['offhook/compat/purecloud', await import('offhook/compat/purecloud')],
      ['offhook/compat/exotel', await import('offhook/compat/exotel')],
      ['offhook/compat/whistle', await import('offhook/compat/whistle')],
      ['offhook/compat/xivo', await import('offhook/compat/xivo')],
    ]) {
      const cjs = require(entry)
      assert.deepEqual(Object.keys(module).sort(), Object.keys(cjs).sort())
      for (const name of Object.keys(cjs)) assert.equal(module[name], cjs[name])
    }
  })

  test('has an entry for pages, as small modules that need neither Node nor a bundler', async () => {
    assert.deepEqual(Object.keys(await import('offhook/renderer')).sort(), Object.keys(require('offhook/renderer')).sort())
    const loaded = modulesOf(fileURLToPath(import.meta.resolve('offhook/renderer')))
    assert.ok(loaded.size > 5)
    const octets = [...loaded].reduce((sum, path) => sum + statSync(path).size, 0)
    assert.ok(octets < 48 * 1024, `${octets} octets`)
  })

  test('loads without the addon, and says what is wrong when a phone is made', () => {
    const script = `
      const { Softphone } = require('offhook')
      try { new Softphone({ uri: 'sip:a@b' }) } catch (error) { console.log(JSON.stringify([error.code, error.type, error.message])) }
    `
    const env = { ...process.env, OFFHOOK_NATIVE_PATH: '/nowhere/offhook.node' }
    const output = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' })
    const [code, type, message] = JSON.parse(output)
    assert.equal(code, 'ERR_NATIVE_ADDON')
    assert.equal(type, 'not_supported')
    assert.match(message, /^Cannot load the native part of offhook\. Install @offhook\//)
    assert.match(message, /\/nowhere\/offhook\.node: Cannot find module/)
  })

  for (const [what, script] of [
    ['declarations', 'scripts/types.mjs'],
    ['platform packages', 'scripts/platforms.mjs'],
  ]) {
    test(`has ${what} that are up to date`, () => {
      const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { cwd: root, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    })
  }

  test('has a Rust target for each platform of the loader', () => {
    const { platforms } = require('../../dist/native.js')
    assert.deepEqual(Object.keys(targets), [...platforms])
  })
})

/** The files that a page loads with this one: every import is a relative path to a file. */
function modulesOf(path, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const [, from] of readFileSync(path, 'utf8').matchAll(/^(?:import|export) .*?from '([^']+)'/gm)) {
    assert.match(from, /^\.\.?\/[\w./-]+\.mjs$/, path)
    modulesOf(join(path, '..', from), found)
  }
  return found
}
