// The public documentation is plain English: "if" for a condition, "where" for a place; and the changelog says each thing once.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const inFolders = ['bridge', 'compat', 'renderer'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
const declarations = ['index.d.ts', 'testing.d.ts', ...inFolders.filter((name) => name.endsWith('.d.ts'))]
/** What a place follows, or begins with a capital. */
const place = /\b(?:Changes|Knows|and|is|to|in|session,|needs) where\b/

for (const name of declarations) {
  test(`${name} says "if", and "the caller"`, () => {
    const lines = readFileSync(join(root, name), 'utf8').split('\n')
    const odd = lines.filter((line) => /\bwho calls\b/.test(line) || (/\bwhere\b/.test(line) && !place.test(line)))
    assert.deepEqual(odd, [])
  })
}

// The lines of a changelog are merged by union, which keeps a line that was changed on one side twice.
test('CHANGELOG.md says each thing once', () => {
  const bullets = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split('\n').filter((line) => line.startsWith('- '))
  assert.ok(bullets.length > 50)
  const starts = bullets.map((line) => line.slice(0, 60))
  assert.deepEqual(starts.filter((start, index) => starts.indexOf(start) !== index), [])
})
