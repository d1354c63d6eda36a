// What language models read: https://llmstxt.org. One file that names the pages, and one that holds them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { groups, headOf, pageOf, root, siteOf } from './pages.mjs'

const { description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The list of pages, each with a line that says what it is about; `base` is where the site is. */
export function llmsText(base) {
  const sections = Object.entries(groups).map(([name, sources]) => `## ${name}\n\n${sources.map((source) => line(source, base)).join('\n')}`)
  const whole = `## Optional\n\n- [All of it](${base}llms-full.txt): these pages in one file\n- [Types](${base}index.d.ts.txt): the declarations, which say each option's unit, default and errors\n- [Types of offhook/testing](${base}testing.d.ts.txt): the same of the embedded PBX`
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
  return ['index.d.ts', 'testing.d.ts'].map((name) => ({ name: `${name}.txt`, text: readFileSync(join(root, name), 'utf8') }))
}

function line(source, base) {
  const { title, about, headings } = headOf(source)
  const parts = headings.length > 1 && source !== 'CHANGELOG.md' ? `(${headings.join('; ')})` : ''
  return `- [${title}](${base}${siteOf(source)}.md): ${[about, parts].filter(Boolean).join(' ')}`
}
