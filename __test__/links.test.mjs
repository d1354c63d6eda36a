// Links of the README and the pages: on npm relative ones lead to the repository, in the package to what it holds.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pages = readdirSync(join(root, 'docs'), { recursive: true }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))

function linksOf(page) {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '')
  const links = [...text.matchAll(/\]\(<?([^\s)>]+)>?(?: "[^"]*")?\)/g)].map(([, link]) => link)
  return links.filter((link) => !/^[a-z]+:/.test(link)).map((link) => link.split('#'))
}

function anchorsOf(page) {
  const headings = readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, heading]) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

/** Whether npm packs it. */
function isPacked(path) {
  const always = ['README.md', 'package.json']
  const patterns = manifest.files.map((pattern) => pattern.replace(/^\//, ''))
  return always.includes(path) || patterns.some((pattern) => (pattern.includes('*') ? path.startsWith(pattern.slice(0, pattern.indexOf('*'))) : path === pattern))
}

describe('links', () => {
  test('lead to the repository from npm, whose place the manifest names', () => {
    const { repository, homepage, bugs } = manifest
    assert.match(repository.url, /^git\+https:\/\/[^/]+\/[^/]+\/[^/]+\.git$/)
    const place = repository.url.replace(/^git\+|\.git$/g, '')
    assert.deepEqual([homepage, bugs], [`${place}#readme`, `${place}/issues`])
  })

  for (const page of ['README.md', 'SECURITY.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...pages]) {
    test(`of ${page} are not dead`, () => {
      for (const [path, anchor] of linksOf(page)) {
        const target = path === '' ? page : relative(root, join(root, dirname(page), path))
        assert.ok(existsSync(join(root, target)), `${target} is there`)
        if (anchor !== undefined && target.endsWith('.md')) assert.ok(anchorsOf(target).includes(anchor), `${target} has #${anchor}`)
        // The pages are read in the package too.
        if (page.startsWith('docs')) assert.ok(isPacked(target), `${target} is in the package`)
      }
    })
  }
})
