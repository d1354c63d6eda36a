// The whole matrix of docs/interop.md with real peers, some minutes: npm run interop
// If every cell passed, the page gets the cells and what they were tried with.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromiumInstalled } from '../__test__/interop/chromium.mjs'
import { kamailioBinary } from '../__test__/interop/kamailio.mjs'
import { cells, rows } from '../__test__/interop/matrix.mjs'
import { root } from './bootstrap.mjs'
import { expectedError, stream } from './processes.mjs'

const page = join(root, 'docs/interop.md')
const LONGEST_MS = 30 * 60_000

/** Runs it; writes the page. */
export async function run(args, { missing }) {
  if (args.length > 0) throw expectedError('Usage: npm run interop')
  if (missing.length > 0) throw expectedError(`Not installed: ${missing.join(', ')}`)
  const begun = performance.now()
  const tests = ['--test', '--test-reporter=spec', `--test-timeout=${LONGEST_MS}`, '__test__/interop/matrix.test.mjs']
  const { ok } = await stream(process.execPath, tests, { cwd: root, env: { ...process.env, INTEROP: 'all' } })
  if (!ok) throw expectedError('docs/interop.md stays as it was, for a cell failed.')
  writePage({ cells: rows(), run: [told(performance.now() - begun)] })
}

function writePage(parts) {
  const text = Object.entries(parts).reduce(
    (page, [name, lines]) => page.replace(new RegExp(`(<!-- ${name}:begin -->\n)[^]*?(<!-- ${name}:end -->)`), (_, begin, end) => `${begin}${lines.join('\n')}\n${end}`),
    readFileSync(page, 'utf8'),
  )
  writeFileSync(page, text)
}

function told(milliseconds) {
  const calls = cells.reduce((sum, { peers }) => sum + 2 * peers.length, 0)
  const versions = [
    versionOf('baresip', ['-v'], /baresip v([\d.]+)/, 'baresip'),
    versionOf(kamailioBinary(), ['-v'], /kamailio ([\d.]+)/, 'Kamailio'),
    versionOf('rtpengine', ['--version'], /([\d.]+)/, 'rtpengine'),
    versionOf(chromiumInstalled(), ['--version'], /([\d.]+)/, 'Chromium'),
  ]
  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  return `Last run on ${new Date().toISOString().slice(0, 10)}: ${calls} calls in ${minutes} minutes, with ${versions.join(', ')}, on ${process.platform} ${process.arch}.`
}

function versionOf(command, args, pattern, name) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${name} ${pattern.exec(`${stdout}${stderr}`)?.[1] ?? ''}`.trim()
}
