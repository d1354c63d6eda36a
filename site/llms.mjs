// What language models read: https://llmstxt.org. One file that names the pages, and one that holds them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { groups, headOf, pageOf, root, siteOf } from './pages.mjs'

const { description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The entries of the package that are no façade, their declarations, and what these say. */
const entries = {
  'offhook': { from: 'index.d.ts', about: "the declarations, which say each option's unit, default and errors" },
  'offhook/testing': { from: 'testing.d.ts', about: 'the same of the embedded PBX' },
  'offhook/bridge': { from: 'bridge/index.d.ts', about: 'a phone that pages drive, where the phone is' },
  'offhook/bridge/client': { from: 'bridge/client.d.ts', about: 'the phone in a page' },
  'offhook/bridge/headset': { from: 'bridge/headset.d.ts', about: 'buttons and lights of a headset' },
  'offhook/bridge/subscriptions': { from: 'bridge/subscriptions.d.ts', about: 'subscriptions of a page' },
  'offhook/bridge/video': { from: 'bridge/video.d.ts', about: 'pictures over the port of a phone' },
  'offhook/renderer': { from: 'renderer/index.d.ts', about: 'cameras, screens and pictures of a page' },
  'offhook/renderer/host': { from: 'renderer/host.d.ts', about: 'their other half, where the phone is' },
}

/** The list of pages, each with a line that says what it is about; `base` is where the site is. */
export function llmsText(base) {
  const sections = Object.entries(groups).map(([name, sources]) => `## ${name}\n\n${sources.map((source) => line(source, base)).join('\n')}`)
  const types = Object.entries(entries).map(([entry, { about }]) => `- [Types of ${entry}](${base}${fileOf(entry)}): ${about}`)
  const whole = `## Optional\n\n- [All of it](${base}llms-full.txt): these pages in one file\n${types.join('\n')}`
  return `# offhook\n\n> ${description}\n\nInstall it by \`npm install offhook\`; Node.js 20 or later.\n\n${[...sections, whole].join('\n\n')}\n`
}

/** All pages, one after the other. */
export function llmsFullText() {
  const skipped = ['docs/features.md', 'CHANGELOG.md']
  const sources = Object.values(groups).flat().filter((source) => !skipped.includes(source))
  return `${sources.map((source) => pageOf(source).trim()).join('\n\n')}\n`
}

/** The declarations, as they are. */
export function declarations() {
  return Object.entries(entries).map(([entry, { from }]) => ({ name: fileOf(entry), text: readFileSync(join(root, from), 'utf8') }))
}

function fileOf(entry) {
  return `${entry.replaceAll('/', '-')}.d.ts.txt`
}

function line(source, base) {
  const { title, about, headings } = headOf(source)
  const parts = headings.length > 1 && source !== 'CHANGELOG.md' ? `(${headings.join('; ')})` : ''
  return `- [${title}](${base}${siteOf(source)}.md): ${[about, parts].filter(Boolean).join(' ')}`
}
