// SECURITY.md promises nothing that no test shows.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tableOf, testsOf } from './linked-tests.mjs'

for (const name of ['credential', 'certificate', 'proxy', 'dns', 'preflight', 'microphone', 'processing', 'clear', 'address', 'pictures', 'asserted', 'figures', 'call', 'files', 'journal', 'listen', 'state']) {
  const { header, rows } = tableOf('SECURITY.md', name)

  describe(`who may make us do what: ${header[0].toLowerCase()}`, () => {
    test('has rows', () => assert.ok(rows.length > 0))

    for (const row of rows) {
      const [first, ...promises] = row
      test(`names the tests of "${first}" in every cell, which are there`, () => {
        assert.equal(row.length, header.length)
        for (const cell of promises) {
          const tests = testsOf('SECURITY.md', cell)
          assert.ok(tests.length > 0, `a link in "${cell}"`)
          for (const { missing } of tests) assert.equal(missing, undefined)
        }
      })
    }
  })
}
