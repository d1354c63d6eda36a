// The table of features in the README claims nothing that no test shows.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(new URL('.', import.meta.url)))
const [, table] = /<!-- features:begin -->([^]*)<!-- features:end -->/.exec(readFileSync(join(root, 'README.md'), 'utf8'))
const [header, , ...rows] = table.split('\n').filter((line) => line.startsWith('|'))

describe('the table of features', () => {
  test('has rows', () => assert.ok(rows.length >= 30, `${rows.length} rows`))

  for (const row of rows) {
    const [, first, ours] = row.split('|').map((cell) => cell.trim())
    test(`names the tests of "${first.split(':')[0]}", which are there`, () => {
      assert.equal(row.split('|').length, header.split('|').length)
      assert.match(ours, /^[✓◐]$/)
      const links = [...first.matchAll(/\]\(([^ ]+) "([^"]+)"\)/g)]
      assert.ok(links.length > 0, 'a link')
      for (const [, path, name] of links) {
        assert.ok(existsSync(join(root, path)), path)
        assert.ok(isTest(path, name), `${path} has no test "${name}"`)
      }
    })
  }
})

function isTest(path, name) {
  const text = readFileSync(join(root, path), 'utf8').replaceAll("\\'", "'")
  if (path.endsWith('.rs')) return new RegExp(`#\\[test\\]\\s+fn ${name}\\(`).test(text)
  const kinds = ['test', 'describe'].flatMap((kind) => ["'", '`'].map((quote) => `${kind}(${quote}${name}${quote}`))
  return kinds.some((start) => text.includes(start))
}
