// Links of every page: in the checkout, on npm, where those of the README lead to the repository, and in the package.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { entries } from '../site/pages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const place = manifest.repository.url.replace(/^git\+|\.git$/g, '')
const foreign = ['node_modules', '.pages', 'target', 'dist', 'npm', '.git']
const pages = pagesIn('')

function pagesIn(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !foreign.includes(name))
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? pagesIn(path) : path.endsWith('.md') ? [path] : []
  })
}

/** Where the links of a page lead within the repository. */
function targetsOf(page) {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '')
  const links = [...text.matchAll(/\]\(<?([^\s)>]+)>?(?: "[^"]*")?\)/g)].map(([, link]) => link)
  return links.flatMap((link) => {
    const [, ours] = link.startsWith(`${place}/`) ? /^\/(?:blob|tree)\/main\/(.*)$/.exec(link.slice(place.length)) ?? [] : []
    if (ours === undefined && /^[a-z]+:/.test(link)) return []
    const [path, anchor] = (ours ?? link).split('#')
    const target = ours !== undefined ? path : path === '' ? page : relative(root, join(root, dirname(page), path))
    return [{ target, anchor, absolute: ours !== undefined }]
  })
}

function anchorsOf(page) {
  const headings = readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, heading]) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

/** Whether npm packs it. */
function isPacked(path) {
  const always = ['README.md', 'package.json']
  const patterns = manifest.files.map((pattern) => pattern.replace(/^\//, ''))
  if (patterns.includes(`!/${path}`)) return false
  return always.includes(path) || patterns.some((pattern) => (pattern.includes('*') ? `${path}/`.startsWith(pattern.slice(0, pattern.indexOf('*'))) : path === pattern))
}

describe('links', () => {
  test('lead to the repository from npm, whose place the manifest names', () => {
    assert.match(manifest.repository.url, /^git\+https:\/\/[^/]+\/[^/]+\/[^/]+\.git$/)
    assert.deepEqual([manifest.homepage, manifest.bugs], [`${place}#readme`, `${place}/issues`])
  })

  test('are not in the types, whose pages are elsewhere on the site', () => {
    for (const name of Object.values(entries)) {
      const relative = readFileSync(join(root, name), 'utf8').match(/\]\((?!https?:)[^)\s]+\)/g)
      assert.deepEqual(relative, null, `${name} names pages in plain words`)
    }
  })

  for (const page of pages) {
    test(`of ${page} are not dead`, () => {
      for (const { target, anchor, absolute } of targetsOf(page)) {
        assert.ok(existsSync(join(root, target)), `${target} is there`)
        if (anchor !== undefined && target.endsWith('.md')) assert.ok(anchorsOf(target).includes(anchor), `${target} has #${anchor}`)
        // What is not in the package is linked where it is.
        if (isPacked(page) && !absolute) assert.ok(isPacked(target), `${target} is in the package, or linked as ${place}/blob/main/${target}`)
      }
    })
  }
})
