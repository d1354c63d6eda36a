import { place } from './pages.mjs'

const [owner, name] = new URL(place).pathname.slice(1).split('/')

/** Where the site is, with a slash at the end: GitHub Pages of the repository. */
export const site = (process.env.SITE_URL ?? `https://${owner}.github.io/${name}/`).replace(/\/?$/, '/')
