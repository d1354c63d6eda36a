import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** An empty folder that ends with the test, where this checkout stands as `npm install` of it would put it. */
export function folderOf(t) {
  const path = mkdtempSync(join(tmpdir(), 'offhook-snippet-'))
  t.after(() => rmSync(path, { recursive: true }))
  mkdirSync(join(path, 'node_modules'))
  symlinkSync(root, join(path, 'node_modules', 'offhook'), 'junction')
  return path
}

/** Runs code as a module of that folder; resolves with what it printed when it has ended by itself. */
export function runIn(path, code) {
  writeFileSync(join(path, 'block.mjs'), code)
  return run(process.execPath, ['block.mjs'], { cwd: path, timeout: 30_000 })
}
