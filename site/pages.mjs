// What of the repository's Markdown is a page of the site, and where its links lead there.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** The pages in reading order, by the heading under which they stand. */
export const groups = {
  Start: ['README.md', 'docs/calls.md', 'docs/sound.md', 'docs/video.md', 'docs/testing.md', 'docs/cli.md'],
  'In production': [
    'docs/auto-answer.md',
    'docs/networks.md',
    'docs/trunks.md',
    'docs/interop.md',
    'docs/reliability.md',
    'docs/fleet.md',
    'docs/preflight.md',
    'docs/quality.md',
    'docs/errors.md',
    'docs/electron.md',
    'docs/bundlers.md',
    'docs/limits.md',
  ],
  'From another SDK': [
    'docs/migrate/README.md',
    'docs/migrate/purecloud.md',
    'docs/migrate/exotel.md',
    'docs/migrate/whistle.md',
    'docs/migrate/xivo.md',
    'docs/migrate/bandwidth.md',
  ],
  Background: ['docs/features.md', 'docs/sip-traps.md', 'SECURITY.md', 'CHANGELOG.md'],
}

/** The declarations of each entry, of which the reference is made, by the name that is imported. */
export const entries = {
  offhook: 'index.d.ts',
  'offhook/testing': 'testing.d.ts',
  'offhook/bridge': 'bridge/index.d.ts',
  'offhook/bridge/client': 'bridge/client.d.ts',
  'offhook/bridge/headset': 'bridge/headset.d.ts',
  'offhook/bridge/subscriptions': 'bridge/subscriptions.d.ts',
  'offhook/bridge/video': 'bridge/video.d.ts',
  'offhook/renderer': 'renderer/index.d.ts',
  'offhook/renderer/host': 'renderer/host.d.ts',
}

const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
export const place = repository.url.replace(/^git\+|\.git$/g, '')

/** The Markdown that there is for users; each must be in a group. */
export function documents() {
  const docs = readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name.replaceAll('\\', '/')}`)
  return ['README.md', ...docs.filter((name) => name.endsWith('.md'))]
}

/** Where a document is on the site, without the ending. */
export function siteOf(source) {
  if (source === 'README.md') return 'start'
  return source.replace(/^docs\//, '').replace(/README\.md$/, 'index.md').replace(/\.md$/, '').toLowerCase()
}

/** A page with its links as the site has them; a link that leads nowhere throws. */
export function pageOf(source) {
  const text = readFileSync(join(root, source), 'utf8')
  const parts = text.split(/(^```[^]*?^```$)/m)
  return parts.map((part) => (part.startsWith('```') ? part : withLinks(part, source))).join('')
}

/** The title of a page, what it says first, and its headings. */
export function headOf(source) {
  const text = readFileSync(join(root, source), 'utf8').replaceAll(/^```[^]*?^```$/gm, '').replace(/^<!--.*-->\n/, '')
  const [, title, rest] = /^# (.*)\n([^]*)$/.exec(text)
  const paragraph = rest.split(/\n\n+/).map((each) => each.trim()).find((each) => /^[\p{L}`]/u.test(each)) ?? ''
  const plain = paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('\n', ' ')
  const headings = [...rest.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  return { title, about: plain.split(/(?<=[.:]) /)[0].replace(/:$/, '.'), headings }
}

function withLinks(text, source) {
  return text.replaceAll(/\]\(<?([^\s)>]+)>?((?: "[^"]*")?)\)/g, (_, link, title) => `](${linkOf(link, source)}${title})`)
}

function linkOf(link, source) {
  const blob = new RegExp(`^${place}/(?:blob|tree)/main/`)
  if (/^[a-z]+:/.test(link) && !blob.test(link)) return link
  const [path, anchor] = link.replace(blob, '/').split('#')
  if (path === '') return link
  const target = path.startsWith('/') ? path.slice(1) : posix.join(dirname(source), path)
  if (!existsSync(join(root, target))) throw new Error(`${source} links to ${link}, and there is no ${target}`)
  return `${toTarget(target, source)}${anchor === undefined ? '' : `#${anchor}`}`
}

function toTarget(target, source) {
  const from = dirname(siteOf(source))
  const relative = (to) => posix.relative(from, to).replace(/^(?!\.)/, './')
  if (Object.values(groups).flat().includes(target)) return relative(`${siteOf(target)}.md`)
  if (Object.values(entries).includes(target)) return relative('api/index.md')
  const kind = statSync(join(root, target)).isDirectory() ? 'tree' : 'blob'
  return `${place}/${kind}/main/${target}`
}
