// Installs tarballs into an empty folder, as a user would who has neither Rust nor a compiler, and makes a call.
//   node scripts/try-tarballs.mjs <folder with *.tgz>
import { copyFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmptyFolder } from './tarballs.mjs'

const example = fileURLToPath(new URL('../examples/first-call.mjs', import.meta.url))

/** Resolves with what the example printed. */
export async function tryTarballs(tarballs) {
  const folder = new EmptyFolder()
  try {
    await folder.install(tarballs)
    copyFileSync(example, join(folder.path, 'first-call.mjs'))
    return await folder.node(['first-call.mjs'])
  } finally {
    folder.remove()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tarballs = readdirSync(process.argv[2]).filter((name) => name.endsWith('.tgz'))
  console.log(await tryTarballs(tarballs.map((name) => resolve(process.argv[2], name))))
}
