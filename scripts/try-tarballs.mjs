// Installs tarballs into an empty folder, as a user would who has neither Rust nor a compiler, and makes a call; has create-offhook
// make a bot, and rings there.
//   node scripts/try-tarballs.mjs <folder with *.tgz>
import { copyFileSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectedError } from './processes.mjs'
import { EmptyFolder } from './tarballs.mjs'

const example = fileURLToPath(new URL('../examples/first-call.mjs', import.meta.url))
const isCreate = (tarball) => basename(tarball).startsWith('create-offhook-')

/** Resolves with what the example printed, and what somebody made whom create-offhook helped. */
export async function tryTarballs(tarballs) {
  const folder = new EmptyFolder()
  try {
    const packages = tarballs.filter((tarball) => !isCreate(tarball))
    await folder.install(packages)
    copyFileSync(example, join(folder.path, 'first-call.mjs'))
    const called = await folder.node(['first-call.mjs'])
    const create = tarballs.find(isCreate)
    if (create === undefined) throw expectedError(`There is no tarball of create-offhook beside ${packages.map((path) => basename(path)).join(', ')}.`)
    return called + (await tryBot(folder, create, packages))
  } finally {
    folder.remove()
  }
}

/** As `npm create offhook my-bot` does it, but for the registry. */
async function tryBot(folder, create, packages) {
  await folder.install([create])
  const said = await folder.npm(['exec', '--offline', 'create-offhook', '--', 'my-bot', '--template', 'bot'])
  await folder.install(packages, { below: 'my-bot' })
  return said + (await folder.npm(['test'], { below: 'my-bot' }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tarballs = readdirSync(process.argv[2]).filter((name) => name.endsWith('.tgz'))
  console.log(await tryTarballs(tarballs.map((name) => resolve(process.argv[2], name))))
}
