// What others wrote of the addon, and its licences: the text that each platform's package carries.
//   node scripts/third-party.mjs <platform>   prints it
//   node scripts/third-party.mjs --check      fails where a dependency, linked or not, has no permissive licence
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cargoEnvironment } from './build.mjs'
import { targets } from './platforms.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What we may ship, in the order in which we choose where a crate offers several. */
const PERMISSIVE = [
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Zlib',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  'BSL-1.0',
  'Unicode-3.0',
  'CDLA-Permissive-2.0',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
]

/** How a file that holds a licence's text is called, at a crate's root or beside vendored code. */
const LICENCE_FILE = /^(?:un)?licen[cs]e(?:$|[-_.])|^(?:copying|copyright|notice)(?:$|[-_.](?!rs$))/i

const RULE = '-'.repeat(80)

/** The text of a platform's package: every crate that is linked into its addon, the C code inside, and their licences. */
export function thirdParty(platform) {
  const crates = linked(metadata(targets[platform]))
  const texts = new Map()
  for (const crate of crates) {
    for (const { name, text } of licencesOf(crate, crates)) texts.set(text, [...(texts.get(text) ?? []), name])
  }
  texts.set(tidy(readFileSync(join(root, 'crates', 'vpx', 'LICENSE-libvpx'), 'utf8')), ['libvpx'])
  const sections = [...texts].map(([text, names]) => `${RULE}\n${names.join('\n')}\n${RULE}\n\n${text}`)
  return `${introduction(platform, crates)}\n${sections.join('\n\n')}\n`
}

/** The crates of other authors that are linked into the addon, in alphabetical order. */
export function linked({ packages, resolve }) {
  const byId = new Map(packages.map((one) => [one.id, one]))
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const found = new Set()
  const visit = (id) => {
    if (found.has(id) || isMacro(byId.get(id))) return
    found.add(id)
    // `kind` is null for what is linked, beside "build" and "dev".
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) if (kinds.some(({ kind }) => kind === null)) visit(pkg)
  }
  visit(packages.find(({ name, source }) => name === 'offhook' && source === null).id)
  const others = [...found].map((id) => byId.get(id)).filter(({ source }) => source !== null)
  return others.sort((one, other) => (`${one.name} ${one.version}` < `${other.name} ${other.version}` ? -1 : 1))
}

/** The dependencies that offer no licence under which we may ship, as `name version: licence`. */
export function refused({ packages }) {
  const wrong = packages.filter(({ source, license }) => source !== null && chosen(license) === undefined)
  return wrong.map(({ name, version, license }) => `${name} ${version}: ${license ?? 'no licence'}`)
}

/** What cargo knows of all crates, of one target or of all. */
export function metadata(target) {
  const args = ['metadata', '--format-version', '1', '--locked', ...(target ? ['--filter-platform', target] : [])]
  const output = execFileSync('cargo', args, { cwd: root, env: cargoEnvironment(), encoding: 'utf8', maxBuffer: 100_000_000 })
  return JSON.parse(output)
}

/** The licences to follow of an SPDX expression, as few and as simple as it offers; undefined where one is not permissive. */
export function chosen(expression) {
  if (!expression) return undefined
  // `MIT/Apache-2.0` is how crates wrote OR before SPDX.
  const tokens = expression.replaceAll('/', ' OR ').match(/\(|\)|[^\s()]+/g)
  const either = () => {
    let choice = all()
    while (tokens[0] === 'OR') {
      tokens.shift()
      choice = simpler(choice, all())
    }
    return choice
  }
  const all = () => {
    let together = one()
    while (tokens[0] === 'AND') {
      tokens.shift()
      const next = one()
      together = together && next && [...new Set([...together, ...next])]
    }
    return together
  }
  const one = () => {
    let name = tokens.shift()
    if (name === '(') {
      const inner = either()
      tokens.shift()
      return inner
    }
    if (tokens[0] === 'WITH') name = `${name} ${tokens.shift()} ${tokens.shift()}`
    return PERMISSIVE.includes(name) ? [name] : undefined
  }
  return either()
}

function simpler(one, other) {
  if (!one || !other) return one ?? other
  const weight = (names) => Math.max(...names.map((name) => PERMISSIVE.indexOf(name))) + names.length
  return weight(other) < weight(one) ? other : one
}

function isMacro({ targets: made }) {
  return made.some(({ kind }) => kind.includes('proc-macro'))
}

function licencesOf(crate, crates) {
  const folder = dirname(crate.manifest_path)
  const title = `${crate.name} ${crate.version}`
  const choice = chosen(crate.license)
  if (choice === undefined) throw new Error(`${title} has no permissive licence: ${crate.license}`)
  const files = licenceFiles(folder).map((path) => ({ path: relative(folder, path), text: tidy(readFileSync(path, 'utf8')) }))
  const own = files.filter(isOwn)
  const vendored = files.filter((file) => !own.includes(file))
  const wanted = own.filter(({ path }) => isOf(path, choice))
  const texts = wanted.length > 0 ? wanted : own
  return [
    ...(texts.length > 0 ? texts.map(({ text }) => ({ name: title, text })) : [{ name: title, text: textOfFamily(crate, choice, crates) ?? written(crate, choice) }]),
    ...vendored.map(({ path, text }) => ({ name: `${title}: ${dirname(path).replaceAll('\\', '/')}`, text })),
  ]
}

function isOwn({ path }) {
  return !path.includes('/') && !path.includes('\\')
}

/** The text that another crate of the same repository ships, under the same licence: some workspaces have it in one crate alone. */
function textOfFamily({ name, license, repository }, choice, crates) {
  const family = crates.filter((other) => repository && other.repository === repository && other.license === license && other.name !== name)
  const files = family.flatMap(({ manifest_path: manifest }) => licenceFiles(dirname(manifest)).map((path) => ({ path: relative(dirname(manifest), path), full: path })))
  const first = files.filter(isOwn).find(({ path }) => isOf(path, choice))
  return first && tidy(readFileSync(first.full, 'utf8'))
}

// Of LICENSE-MIT and LICENSE-APACHE the one that was chosen; what names no licence is always wanted.
function isOf(path, choice) {
  const named = ['MIT', 'APACHE', 'ZLIB', 'BSD', 'ISC', 'UNICODE', 'BSL'].filter((name) => path.toUpperCase().includes(name))
  if (/unlicense/i.test(path)) return choice.includes('Unlicense')
  return named.length === 0 || named.some((name) => choice.some((licence) => licence.toUpperCase().startsWith(name)))
}

/** The MIT licence of a crate that forgot to ship its text. */
function written({ name, version, authors }, choice) {
  if (!choice.includes('MIT')) throw new Error(`${name} ${version} ships no text of its licence, ${choice.join(' and ')}`)
  const holders = authors.length > 0 ? authors.join(', ') : `the authors of ${name}`
  const mit = readFileSync(join(root, 'LICENSE-MIT'), 'utf8')
  return tidy(mit.replace(/^Copyright .*$/m, `Copyright (c) ${holders.replaceAll(/ <[^>]*>/g, '')}`))
}

function licenceFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name) && !entry.name.endsWith('.rs'))
  return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()
}

function tidy(text) {
  return text.replaceAll('\r', '').replaceAll(/[ \t]+$/gm, '').replaceAll(/^\n+|\n+$/g, '')
}

function introduction(platform, crates) {
  const list = crates.map(({ name, version, license, repository }) => {
    return `  ${name} ${version}  ${license}${repository ? `  ${repository}` : ''}`
  })
  return `The native part of offhook for ${platform} contains the work of others. offhook itself is under the MIT or the
Apache-2.0 licence; LICENSE-MIT and LICENSE-APACHE are its own texts, and the full text of the latter.

libopus, inside of opusic-sys, is Copyright 2001-2023 Xiph.Org, Skype Limited, Octasic, Jean-Marc Valin and others.
libvpx, from the system on which this was built, is Copyright 2010 The WebM Project authors.
Rust's standard library is under the MIT or the Apache-2.0 licence, Copyright (c) The Rust Project Contributors.

${list.join('\n')}

The texts of their licences, each below the crates that carry it:
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [argument] = process.argv.slice(2)
  if (argument === '--check') {
    const wrong = refused(metadata())
    for (const line of wrong) console.error(`No permissive licence: ${line}`)
    process.exitCode = wrong.length > 0 ? 1 : 0
  } else if (targets[argument]) console.log(thirdParty(argument))
  else {
    console.error(`Which platform? ${Object.keys(targets).join(', ')}`)
    process.exitCode = 1
  }
}
