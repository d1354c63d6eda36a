import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { entries, groups, headOf, place, root, siteOf } from '../pages.mjs'
import { site } from '../place.mjs'

const { version, description } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

const guide = Object.entries(groups).map(([text, sources]) => ({
  text,
  items: sources.map((source) => ({ text: source === 'README.md' ? 'A first call' : headOf(source).title, link: linkTo(source) })),
}))
const api = fileURLToPath(new URL('../.pages/api', import.meta.url))
const reference = Object.keys(entries).map((name) => ({ text: name, link: `/api/${name}/`, items: kindsOf(name), collapsed: name !== 'offhook' }))

/** What a module has, by its kind, as TypeDoc has laid it. */
function kindsOf(module) {
  const kinds = ['classes', 'functions', 'interfaces', 'type-aliases', 'variables'].filter((kind) => existsSync(join(api, module, kind)))
  return kinds.map((kind) => ({ text: titleOf(kind), collapsed: kind !== 'classes', items: symbolsOf(module, kind) }))
}

function symbolsOf(module, kind) {
  const names = readdirSync(join(api, module, kind)).map((file) => file.replace(/\.md$/, '')).sort()
  return names.map((text) => ({ text, link: `/api/${module}/${kind}/${text}` }))
}

function titleOf(kind) {
  return `${kind[0].toUpperCase()}${kind.slice(1)}`.replace('-', ' ')
}

function linkTo(source) {
  return `/${siteOf(source).replace(/(^|\/)index$/, '$1')}`
}

/** As GitHub makes them, whose links the pages have. */
function slugify(heading) {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

// What changed says everything once more.
function searched(text, env, markdown) {
  return env.relativePath === 'changelog.md' ? '' : markdown.render(text, env)
}

export default defineConfig({
  title: 'offhook',
  description,
  lang: 'en',
  base: new URL(site).pathname,
  srcDir: '.pages',
  srcExclude: ['public/**'],
  outDir: 'dist',
  cleanUrls: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${new URL(site).pathname}icon.svg` }]],
  sitemap: { hostname: site },
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: 'local', options: { _render: searched } },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/start', activeMatch: '^/(?!api/)' },
      { text: 'Reference', link: '/api/', activeMatch: '^/api/' },
      { text: version, link: '/changelog' },
    ],
    sidebar: { '/api/': reference, '/': [...guide, { text: 'Reference', items: Object.keys(entries).map((name) => ({ text: name, link: `/api/${name}/` })) }] },
    socialLinks: [{ icon: 'github', link: place }],
    footer: { message: 'MIT or Apache-2.0, at your option.' },
  },
})
