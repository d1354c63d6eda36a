// docs/errors.md, and the type that it is made of, tell every code that there is, and none else.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorCodes, errorPage } from '../scripts/error-page.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')
const sources = (folder, end) => readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(end)).map((name) => join(folder, name))
const named = (text) => [...text.matchAll(/ERR_[A-Z_]*[A-Z]/g)].map(([code]) => code)
const sorted = (codes) => [...new Set(codes)].sort()

const told = sorted(errorCodes().flatMap(({ codes }) => named(codes)))
/** Without those of calls, which are as many as there are ends. */
const others = told.filter((code) => !code.startsWith('ERR_CALL_'))

describe('the codes of errors', () => {
  test('are on their page', () => assert.equal(read('docs/errors.md'), errorPage()))

  test('are those of the type', () => {
    const [, type] = /export type ErrorCode =([^]*)$/.exec(read('lib/error-code.ts'))
    assert.match(type, /`ERR_CALL_\$\{string\}`/)
    assert.deepEqual(sorted([...type.matchAll(/'(ERR_\w+)'/g)].map(([, code]) => code)), others)
  })

  test('are those of the code', () => {
    const rust = sources('crates/phone/src', '.rs').flatMap((path) => [...read(path).matchAll(/rename = "(ERR_\w+)"/g)].map(([, code]) => code))
    assert.ok(rust.length > 20, `${rust.length} of Rust`)
    const typescript = sources('lib', '.ts')
      .filter((path) => !path.endsWith('error-code.ts'))
      .flatMap((path) => [...read(path).matchAll(/'(ERR_\w+)'/g)].map(([, code]) => code))
    const used = sorted([...rust, ...typescript])
    assert.deepEqual(used.filter((code) => !code.startsWith('ERR_CALL_')), others)
  })

  test('on the pages and in the examples are among them', () => {
    const pages = ['README.md', 'SECURITY.md', ...sources('docs', '.md'), ...['.md', '.mjs', '.js', '.ts', '.tsx'].flatMap((end) => sources('examples', end))]
    const known = new Set([...told, ...ends()])
    const wrong = pages.flatMap((path) => named(read(path)).filter((code) => code !== 'ERR_CALL' && !known.has(code)).map((code) => `${code} in ${path}`))
    assert.deepEqual(wrong, [])
  })

  test('of calls are those of their ends', () => {
    const calls = told.filter((code) => code.startsWith('ERR_CALL_'))
    assert.deepEqual(calls.filter((code) => !ends().includes(code)), ['ERR_CALL_FAILED'])
  })
})

function ends() {
  const [, conditions] = /export type EndCondition =([^]*?)\n\n/.exec(read('lib/end-reason.ts'))
  return [...conditions.matchAll(/'([\w-]+)'/g)].map(([, end]) => `ERR_CALL_${end.replaceAll('-', '_').toUpperCase()}`)
}
