// What a meeting with pictures needs is held by tests that are there.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tableOf, testsOf } from '../linked-tests.mjs'

const page = '__test__/compat/meeting.md'
const { rows } = tableOf(page, 'meeting')

describe('the table of the meeting', () => {
  test('has a row for each thing that a meeting needs', () => assert.ok(rows.length >= 16, `${rows.length} rows`))

  for (const [what, tests] of rows) {
    test(`names the tests of "${what}", which are there`, () => {
      const linked = testsOf(page, tests)
      assert.ok(linked.length > 0, 'a link')
      assert.deepEqual(linked.flatMap(({ missing }) => missing ?? []), [])
    })
  }
})
