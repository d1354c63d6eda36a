// The table of features claims nothing that no test shows.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tableOf, testsOf } from './linked-tests.mjs'

const page = 'docs/features.md'
const { header, rows } = tableOf(page, 'features')

describe('the table of features', () => {
  test('has rows', () => assert.ok(rows.length >= 30, `${rows.length} rows`))

  for (const row of rows) {
    const [first, ours] = row
    test(`names the tests of "${first.split(':')[0]}", which are there`, () => {
      assert.equal(row.length, header.length)
      assert.match(ours, /^[✓◐]$/)
      const tests = testsOf(page, first)
      assert.ok(tests.length > 0, 'a link')
      for (const { missing } of tests) assert.equal(missing, undefined)
    })
  }
})

describe('the points of a meeting with pictures', () => {
  const { rows } = tableOf(page, 'meeting')
  test('are as many as its document has', () => assert.equal(rows.length, 15))

  for (const [what, tests] of rows) {
    test(`names the tests of "${what}", which are there`, () => {
      const linked = testsOf(page, tests)
      assert.ok(linked.length > 0, 'a link')
      for (const { missing } of linked) assert.equal(missing, undefined)
    })
  }
})
