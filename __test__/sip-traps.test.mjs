// A comment that says "Trap 7" is explained in docs/sip-traps.md.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')
const page = read('docs/sip-traps.md')
const traps = [...page.matchAll(/^\*\*(\d+)\. [^]*?(?=\n\n|\n$)/gm)].map(([text, number]) => ({ number: Number(number), text }))

test('the traps of SIP that comments name are on their page', () => {
  const sources = readdirSync(join(root, 'crates'), { recursive: true }).filter((path) => path.endsWith('.rs'))
  const numbers = sources.flatMap((path) => {
    const named = [...read(join('crates', path)).matchAll(/\b[Tt]raps? (\d+(?:(?:, | and )\d+)*)/g)]
    return named.flatMap(([, list]) => list.match(/\d+/g).map((number) => ({ number: Number(number), path })))
  })
  assert.ok(numbers.length > 50, `${numbers.length} are named`)
  for (const { number, path } of numbers) assert.ok(traps.some((trap) => trap.number === number), `trap ${number} of ${path}`)
})

test('each trap is counted and has its source', () => {
  assert.deepEqual(traps.map(({ number }) => number), traps.map((_, index) => index + 1))
  const unsourced = traps.filter(({ text }) => !/§|RFC \d/.test(text)).map(({ number }) => number)
  assert.deepEqual(unsourced, [])
})
