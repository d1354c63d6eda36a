// Writes what docs/reliability.md says of each cell, from a run of the tests.
//   node scripts/reliability.mjs [--check]      --check only compares, as the tests do
import { spawnSync } from 'node:child_process'
import { root } from './bootstrap.mjs'

const checks = process.argv.includes('--check')
const tests = ['test', '--package', 'phone', '--test', 'it', 'matrix::']
// One after the other: each writes its part of the page.
const run = spawnSync('cargo', checks ? tests : [...tests, '--', '--test-threads=1'], {
  cwd: root,
  stdio: 'inherit',
  env: checks ? process.env : { ...process.env, WRITE_PAGE: '1' },
})
process.exitCode = run.status ?? 1
