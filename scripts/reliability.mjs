// Writes docs/reliability.md: what becomes of each cell in virtual time, from a run of its tests, and the cells at Kamailio.
//   node scripts/reliability.mjs [--check]      --check only compares, as the tests do
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rows } from '../__test__/interop/reliability.mjs'
import { root } from './bootstrap.mjs'

const checks = process.argv.includes('--check')
const page = join(root, 'docs/reliability.md')
const text = readFileSync(page, 'utf8')
const fresh = text.replace(/(<!-- kamailio:begin -->\n)[^]*?(<!-- kamailio:end -->)/, (_, begin, end) => `${begin}${rows().join('\n')}\n${end}`)
if (!checks) writeFileSync(page, fresh)
else if (fresh !== text) throw new Error('docs/reliability.md shows other cells at Kamailio: node scripts/reliability.mjs')

const tests = ['test', '--package', 'phone', '--test', 'it', 'matrix::']
// One after the other: each writes its part of the page.
const run = spawnSync('cargo', checks ? tests : [...tests, '--', '--test-threads=1'], {
  cwd: root,
  stdio: 'inherit',
  env: checks ? process.env : { ...process.env, WRITE_PAGE: '1' },
})
process.exitCode = run.status ?? 1
