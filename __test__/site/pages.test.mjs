// The documentation site: what needs none of its packages. `npm run site` builds it.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { deadLinks } from '../../site/dead-links.mjs'
import { declarations, llmsFullText, llmsText } from '../../site/llms.mjs'
import { documents, entries, groups, headOf, pageOf, place, root, siteOf } from '../../site/pages.mjs'

const sources = Object.values(groups).flat()
const base = 'https://example.com/offhook/'

describe('the site', () => {
  test('has a place for each document, and one alone', () => {
    assert.ok(documents().length > 15)
    assert.deepEqual(documents().filter((source) => !sources.includes(source)), [])
    assert.equal(new Set(sources.map(siteOf)).size, sources.length)
  })

  test('has a reference for each entry of the package that is not of another system', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const names = Object.keys(exports).filter((name) => !/^\.\/(compat\/|package\.json$)/.test(name)).map((name) => name.replace('.', 'offhook'))
    assert.deepEqual(Object.keys(entries).sort(), names.sort())
    const { files } = JSON.parse(readFileSync(join(root, 'site', 'tsconfig.json'), 'utf8'))
    assert.deepEqual(files, Object.values(entries).map((file) => `../${file}`))
  })

  test('leads to pages of its own where there are some, and else to the repository', () => {
    assert.match(pageOf('docs/calls.md'), /\[`Softphone`\]\(\.\/start\.md#answer-a-call\)/)
    assert.match(pageOf('docs/migrate/README.md'), /\]\(\.\.\/sound\.md\)/)
    assert.match(pageOf('README.md'), /\]\(\.\/api\/index\.md\)/)
    assert.ok(pageOf('README.md').includes(`](${place}/tree/main/examples)`))
    assert.match(pageOf('docs/limits.md'), /\]\(\.\/security\.md#keep-state\)/)
    for (const source of sources) assert.doesNotMatch(pageOf(source).replaceAll(/^```[^]*?^```$/gm, ''), /\]\(\.\.\/(?:__test__|crates|lib)\//)
  })
})

describe('llms.txt', () => {
  const text = llmsText(base)

  test('has a title, what it is, and sections of links, as llmstxt.org says', () => {
    const lines = text.trimEnd().split('\n')
    assert.equal(lines[0], '# offhook')
    assert.match(lines[2], /^> .{20,}/)
    const rest = lines.slice(lines.indexOf('## Start'))
    for (const line of rest) assert.match(line, /^$|^## \w|^- \[[^\]]+\]\(https:\/\/example\.com\/offhook\/[\w./-]+\): \S/)
  })

  test('names each page, and what it names is there', () => {
    const links = [...text.matchAll(/\]\(https:\/\/example\.com\/offhook\/([^)]*)\)/g)].map(([, link]) => link)
    const made = [...sources.map((source) => `${siteOf(source)}.md`), 'llms-full.txt', ...declarations().map(({ name }) => name)]
    assert.deepEqual(links, made)
    for (const source of sources) assert.ok(text.includes(`[${headOf(source).title}]`), source)
  })

  test('has beside it all of it in one file', () => {
    const whole = llmsFullText()
    for (const title of ['# offhook', '# Calls', '# Errors', '# From the PureCloud WebRTC SDK']) assert.ok(whole.includes(`${title}\n`), title)
    assert.doesNotMatch(whole, /^# Changelog$/m)
  })
})

describe('a dead link', () => {
  test('is one to no file, to no heading, and out of the site', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-site-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const pages = {
      'index.html': '<a class="x" href="/offhook/calls#place-a-call">1</a><a href="/offhook/llms.txt">2</a><a href="https://example.com/x">3</a><a href="#top">4</a><h2 id="top"></h2>',
      'calls.html': '<h2 id="place-a-call"></h2><a href="./sub/">1</a><a href="#nothing">2</a><a href="./gone">3</a><a href="/elsewhere">4</a>',
      'sub/index.html': '<a href="../calls#nowhere">1</a><img src="../picture.png"><a href="../index.html">2</a>',
      'llms.txt': '',
    }
    for (const [name, text] of Object.entries(pages)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    assert.deepEqual(deadLinks(folder, '/offhook/').sort(), [
      'calls.html: dead link #nothing',
      'calls.html: dead link ./gone',
      'calls.html: dead link /elsewhere',
      'sub/index.html: dead link ../calls#nowhere',
      'sub/index.html: dead link ../picture.png',
    ])
  })
})

test('the site has packages of its own, with a lock', () => {
  assert.ok(existsSync(join(root, 'site', 'package-lock.json')))
})
