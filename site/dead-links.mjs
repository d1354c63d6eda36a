import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'

/** The links within a built site that lead to no file or no heading; VitePress itself looks at no heading. */
export function deadLinks(folder, base) {
  const pages = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html')).map((name) => name.replaceAll('\\', '/'))
  const ids = new Map(pages.map((page) => [page, idsOf(readFileSync(join(folder, page), 'utf8'))]))
  return pages.flatMap((page) => {
    const links = [...readFileSync(join(folder, page), 'utf8').matchAll(/<(?:a|img|link|script)\b[^>]*? (?:href|src)="([^"]*)"/g)]
    return [...new Set(links.map(([, link]) => link))].filter((link) => isDead(link, page)).map((link) => `${page}: dead link ${link}`)
  })

  function isDead(link, page) {
    if (/^[a-z]+:|^\/\//.test(link)) return false
    const [path, anchor] = decodeURIComponent(link.replaceAll('&amp;', '&')).split('#')
    if (path.startsWith('/') && !path.startsWith(base)) return true
    const file = path === '' ? page : fileOf(path.startsWith('/') ? path.slice(base.length) : posix.join(posix.dirname(page), path))
    if (file === undefined) return true
    return Boolean(anchor) && file.endsWith('.html') && !ids.get(file).has(anchor)
  }

  function fileOf(path) {
    const names = path === '' || path.endsWith('/') ? [`${path}index.html`] : [path, `${path}.html`]
    return names.find((name) => existsSync(join(folder, name)) && statSync(join(folder, name)).isFile())
  }
}

function idsOf(html) {
  return new Set([...html.matchAll(/ (?:id|name)="([^"]*)"/g)].map(([, id]) => id.replaceAll('&amp;', '&')))
}
