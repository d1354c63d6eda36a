// Runs around `npm pack`: the published package names one optional package per platform, which a checkout must not
// (npm ci refuses names that the registry does not have yet).
//   node scripts/pack.mjs before | after
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildLibrary } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = join(root, 'package.json')

if (process.argv[2] === 'before') await buildLibrary(root, { quiet: true })
const { optionalDependencies: _, ...manifest } = JSON.parse(readFileSync(file, 'utf8'))
const published = process.argv[2] === 'before' ? { ...manifest, optionalDependencies: platformPackages() } : manifest
const text = `${JSON.stringify(published, null, 2)}\n`
if (text !== readFileSync(file, 'utf8')) replace(file, text)

function platformPackages() {
  const { platforms } = createRequire(import.meta.url)(join(root, 'dist', 'native.js'))
  return Object.fromEntries(platforms.map((platform) => [`@offhook/${platform}`, manifest.version]))
}

// By renaming: a process that imports the package meanwhile reads a whole file.
function replace(path, content) {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}
