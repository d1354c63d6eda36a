import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateError } from './create-error.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** That of this package, and of the offhook that it was made with. */
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What can be made: a folder each, whose package.json says what it is about. */
export const templates = readdirSync(join(root, 'templates')).sort().map((name) => {
  const folder = join(root, 'templates', name)
  const { description: about, scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return { name, folder, about, scripts }
})

/** What else may be in a folder that counts as empty. */
const HARMLESS = ['.git', '.DS_Store', '.idea', '.vscode']

const WHY = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
  ENOTDIR: 'part of that path is a file',
  ELOOP: 'part of that path is a link to itself',
}

/** The path of a folder that may be made, by what was given. */
export function folderFor(given) {
  const path = resolve(given)
  const name = basename(path)
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name) || name.length > 214 || name === 'node_modules' || name === 'offhook') {
    throw new CreateError(`"${name}" can't be the name of a package: small letters, digits, "-", "_" and "." can, beginning with a letter or digit, but not "offhook". Try "my-bot".`)
  }
  const there = orWhyNot(path, () => statSync(path, { throwIfNoEntry: false }))
  if (there && !there.isDirectory()) throw new CreateError(`${path} is a file. Choose another name.`)
  const [occupant] = there ? orWhyNot(path, () => readdirSync(path)).filter((entry) => !HARMLESS.includes(entry)) : []
  if (occupant !== undefined) throw new CreateError(`${path} is not empty: it has ${occupant}. Choose another name, or empty it.`)
  return path
}

/** Makes it from a template. What can't be made whole is not left behind. */
export function make(path, template) {
  const before = existsSync(path) ? readdirSync(path) : []
  let first
  try {
    orWhyNot(path, () => {
      first = mkdirSync(path, { recursive: true })
      cpSync(template.folder, path, { recursive: true })
      // npm packs no file of this name.
      renameSync(join(path, '_gitignore'), join(path, '.gitignore'))
      writeFileSync(join(path, 'package.json'), manifest(basename(path), template))
    })
  } catch (error) {
    if (first) rmSync(first, { recursive: true, force: true })
    else remove(path, before)
    throw error
  }
}

function manifest(name, { folder }) {
  const text = readFileSync(join(folder, 'package.json'), 'utf8')
  const { description: _, dependencies, ...rest } = JSON.parse(text)
  return `${JSON.stringify({ ...rest, name, dependencies: { ...dependencies, offhook: `^${version}` } }, null, 2)}\n`
}

/** What is there now and was not. */
function remove(path, before) {
  const left = existsSync(path) ? readdirSync(path).filter((name) => !before.includes(name)) : []
  for (const name of left) rmSync(join(path, name), { recursive: true, force: true })
}

function orWhyNot(path, act) {
  try {
    return act()
  } catch (error) {
    const why = WHY[error.code]
    if (why === undefined) throw error
    throw new CreateError(`Can't make ${path}: ${why} (${error.code}).`)
  }
}
