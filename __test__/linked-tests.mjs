// Tables in Markdown whose cells name the tests that show what they say: [text](path "name of the test").
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(new URL('.', import.meta.url)))

/** The rows of the table between the comments `<!-- name:begin -->` and `<!-- name:end -->` of a page, head first, as cells. */
export function tableOf(page, name) {
  const [, table] = new RegExp(`<!-- ${name}:begin -->([^]*)<!-- ${name}:end -->`).exec(readFileSync(join(root, page), 'utf8'))
  const [header, , ...rows] = table.split('\n').filter((line) => line.startsWith('|')).map(cells)
  return { header, rows }
}

/** The tests that a cell of a page links to; a fault in one is told by what `missing` says of it. */
export function testsOf(page, cell) {
  return [...cell.matchAll(/\]\(([^ ]+) "([^"]+)"\)/g)].map(([, link, name]) => {
    const path = posix.join(dirname(page), link)
    return { path, name, missing: missing(path, name) }
  })
}

const cells = (line) => line.split('|').slice(1, -1).map((cell) => cell.trim())

function missing(path, name) {
  if (!existsSync(join(root, path))) return `there is no ${path}`
  return isTest(path, name) ? undefined : `${path} has no test "${name}"`
}

function isTest(path, name) {
  const text = readFileSync(join(root, path), 'utf8').replaceAll("\\'", "'")
  if (path.endsWith('.rs')) return new RegExp(`#\\[(tokio::)?test\\]\\s+(async )?fn ${name}\\(`).test(text)
  const kinds = ['test', 'describe'].flatMap((kind) => ["'", '`'].map((quote) => `${kind}(${quote}${name}${quote}`))
  return kinds.some((start) => text.includes(start))
}
