// Builds the documentation site into site/dist: the pages of the repository, the reference from the types, and llms.txt.
//   npm run site                        site/dist is what a web server shows
//   SITE_URL=https://…/ npm run site    for another place than GitHub Pages
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installNpmPackages } from '../scripts/bootstrap.mjs'
import { declarations, llmsFullText, llmsText } from './llms.mjs'
import { documents, groups, pageOf, root, siteOf } from './pages.mjs'
import { site } from './place.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const pages = join(folder, '.pages')

await installNpmPackages(folder)
writePages()
const { writeReference } = await import('./reference.mjs')
await writeReference(join(pages, 'api'))
const { build } = await import('vitepress')
await build(folder)
const { deadLinks } = await import('./dead-links.mjs')
const dead = deadLinks(join(folder, 'dist'), new URL(site).pathname)
for (const link of dead) console.error(link)
if (dead.length > 0) process.exitCode = 1
else console.log(`site/dist is for ${site}`)

function writePages() {
  const sources = Object.values(groups).flat()
  const left = documents().filter((source) => !sources.includes(source))
  if (left.length > 0) throw new Error(`site/pages.mjs has no place for ${left.join(', ')}`)
  rmSync(pages, { recursive: true, force: true })
  for (const source of sources) write(`${siteOf(source)}.md`, pageOf(source))
  cpSync(join(folder, 'home.md'), join(pages, 'index.md'))
  mkdirSync(join(pages, 'public'))
  cpSync(join(folder, 'icon.svg'), join(pages, 'public', 'icon.svg'))
  // Beside each page its Markdown.
  for (const source of sources) write(`public/${siteOf(source)}.md`, pageOf(source))
  write('public/llms.txt', llmsText(site))
  write('public/llms-full.txt', llmsFullText())
  for (const { name, text } of declarations()) write(`public/${name}`, text)
}

function write(name, text) {
  const path = join(pages, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
