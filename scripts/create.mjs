// Lays what npm publishes as create-offhook into a folder: its desktop is the example of this repository, with a switchboard.
//   node scripts/create.mjs target/create-offhook
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'create-offhook')
const example = 'examples/electron'

export function layCreate(into) {
  for (const name of ['README.md', 'src', 'templates']) cpSync(join(source, name), join(into, name), { recursive: true })
  for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(join(root, name), join(into, name))
  const { private: _, ...manifest } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  writeFileSync(join(into, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  layDesktop(join(into, 'templates', 'desktop'))
}

function layDesktop(into) {
  // What git knows of it: neither what was installed there nor what was built.
  const names = execFileSync('git', ['ls-files', '-z', example], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
  for (const name of names) {
    const to = join(into, name.slice(example.length))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(join(root, name), to)
  }
  cpSync(join(source, 'desktop'), into, { recursive: true })
  change(join(into, 'README.md'), 'with a page of React. Copy this folder, and:', 'with a page of React:')
  change(
    join(into, 'README.md'),
    'Without a server of your own, `npx offhook demo` shows what a call is like, and `Pbx` of `offhook/testing` is a server for a test.',
    'Without a server of your own, `npm run switchboard` in another terminal is one: it says how to sign in, and calls.',
  )
  change(join(into, 'package.json'), '    "start": ', '    "switchboard": "node switchboard.mjs",\n    "start": ')
}

function change(path, from, to) {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${example} has no "${from}" any more: ${path}`)
  writeFileSync(path, text.replace(from, to))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === undefined) throw new Error('Into which folder?')
  const into = resolve(process.argv[2])
  mkdirSync(into, { recursive: true })
  layCreate(into)
}
