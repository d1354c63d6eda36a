import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { cargoEnvironment } from './build.mjs'
import { failuresOfNode, failuresOfRust } from './failures.mjs'
import { stream } from './processes.mjs'

const TEST_TIMEOUT_MS = 180_000
/** Lines of what failed that are shown again at the end. */
const MOST_LINES_TOLD = 30

const bin = (name, script) => [process.execPath, join(root, 'node_modules', name, script)]

/** Every check and every test there is, the quick ones first; `--only NAME` runs the steps whose name has that text. */
const steps = [
  { name: 'rustfmt', command: ['cargo', 'fmt', '--all', '--check'] },
  { name: 'index.d.ts is up to date', command: [process.execPath, 'scripts/types.mjs', '--check'] },
  { name: 'type tests', command: [process.execPath, '__test__/types/run.mjs'] },
  { name: 'publint', command: [...bin('publint', 'src/cli.js'), 'run', '--strict', '.'] },
  { name: 'are the types wrong', command: [...bin('@arethetypeswrong/cli', 'dist/index.js'), '--pack', '.'] },
  { name: 'licences', command: [process.execPath, 'scripts/third-party.mjs', '--check'] },
  { name: 'clippy', command: ['cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'] },
  { name: 'cargo test', command: ['cargo', 'test', '--workspace', '--no-fail-fast'], count: countRust, failures: failuresOfRust },
  {
    name: 'node --test',
    command: nodeTest(nodeTests('__test__')),
    count: countNode,
    failures: (output) => failuresOfNode(output, nodeTest),
  },
  // Outside of the workspace, for its peers are large.
  {
    name: 'the bench compiles',
    command: ['cargo', 'check', '--manifest-path', 'bench/rust/Cargo.toml', '--target-dir', 'target/bench'],
    ci: true,
  },
  // By packages of its own, which `npm ci` of the root does not install.
  { name: 'site', command: [process.execPath, 'site/build.mjs'], ci: true },
  // Minutes of fuzzing, and minutes to build for it. The same inputs each time: what is new is looked for by people, for hours.
  { name: 'fuzz', command: [process.execPath, 'scripts/fuzz.mjs', '--seconds', '30', '--seed', '1'], ci: true, count: countFuzz },
  // Minutes of whole-program optimisation: where nobody waits, or by its name.
  { name: 'release', command: [process.execPath, 'scripts/release.mjs', '--check'], ci: true },
]

/** Runs all steps, even after a failure, and ends with the runners' own closing lines and one line of totals. */
export async function run(args, { missing = [] } = {}) {
  const only = args[args.indexOf('--only') + 1]
  const inCi = process.env.CI === 'true'
  const chosen = steps.filter(({ name, ci }) => (args.includes('--only') ? name.includes(only) : inCi || !ci))
  const results = []
  for (const step of chosen) results.push(await runStep(step))
  report(results, missing)
}

async function runStep(step) {
  console.log(`\n== ${step.name}`)
  const started = performance.now()
  const result = await once(step, step.command)
  const { told, again } = result.ok ? {} : (step.failures?.(result.output) ?? {})
  const whole = again === undefined ? { ...result, told } : await secondTry(step, result, told, again)
  return { name: step.name, seconds: Math.round((performance.now() - started) / 1000), ...whole }
}

async function once({ count = countStep }, [program, ...args]) {
  const { ok, output } = await stream(program, args, { cwd: root, env: environment() })
  return { ok, output, ...count(ok, output) }
}

/** Runs what failed once more, by itself. What passes then is named in the summary: it is not steady, and to be mended. */
async function secondTry(step, first, told, commands) {
  const tries = []
  for (const command of commands) {
    console.log(`\n== ${step.name}: what failed, once more`)
    tries.push(await once(step, command))
  }
  const closing = [...first.closing, ...tries.flatMap(({ closing: lines }) => lines)]
  if (!tries.every(({ ok }) => ok)) return { ...first, closing, told }
  return { ...first, closing, ok: true, unsteady: told, passed: first.passed + first.failed, failed: 0 }
}

// CARGO_TERM_COLOR and FORCE_COLOR would put escapes into the lines that are counted.
function environment() {
  const { FORCE_COLOR: _force, NODE_TEST_CONTEXT: _context, ...env } = cargoEnvironment()
  return { ...env, CARGO_TERM_COLOR: 'never', NO_COLOR: '1' }
}

function report(results, missing) {
  const skipped = results.flatMap((result) => result.skipped ?? [])
  console.log('\n== Summary')
  for (const { name, ok, seconds } of results) console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  for (const { name, told = [] } of results) tell(`Failed in ${name}:`, told)
  for (const { name, unsteady = [] } of results) tell(`Not steady in ${name}, for it passed at the second try; mend it:`, unsteady)
  for (const { closing = [] } of results) if (closing.length > 0) console.log(`\n${closing.join('\n')}`)
  if (skipped.length > 0 || missing.length > 0) warnOfSkipped(skipped, missing)
  const passed = sum(results, 'passed')
  const failed = sum(results, 'failed')
  const complete = process.env.CI !== 'true' || (skipped.length === 0 && missing.length === 0)
  process.exitCode = failed === 0 && complete && results.every(({ ok }) => ok) ? 0 : 1
  console.log(`\n${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
}

function tell(title, lines) {
  if (lines.length === 0) return
  console.log(`\n${title}`)
  for (const line of lines.slice(0, MOST_LINES_TOLD)) console.log(`  ${line.trimEnd()}`)
}

function warnOfSkipped(skipped, missing) {
  console.log('\n!! NOT EVERY TEST RAN !!')
  if (missing.length > 0) console.log(`Not installed: ${missing.join(', ')}`)
  for (const line of skipped) console.log(`Not run: ${line}`)
}

function sum(results, key) {
  return results.reduce((total, result) => total + result[key], 0)
}

function countStep(ok) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 }
}

function countFuzz(ok, output) {
  const closing = output.match(/^(?:ok    |FOUND ) \S+: \d+ runs.*$/gm) ?? []
  const failed = closing.filter((line) => line.startsWith('FOUND')).length
  return { closing, passed: closing.length - failed, failed: ok ? failed : Math.max(failed, 1) }
}

function countRust(ok, output) {
  const closing = output.match(/^test result: .*$/gm) ?? []
  const numbers = closing.map((line) => /(\d+) passed; (\d+) failed/.exec(line))
  const passed = numbers.reduce((total, [, count]) => total + Number(count), 0)
  const failed = numbers.reduce((total, [, , count]) => total + Number(count), 0)
  const ran = closing.filter((line) => !line.includes(' 0 passed; 0 failed'))
  return { closing: ran, passed, failed: ok ? failed : Math.max(failed, 1) }
}

function countNode(ok, output) {
  const closing = output.match(/^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*$/gm) ?? []
  const number = (name) => Number(/\d+/.exec(closing.find((line) => line.startsWith(`ℹ ${name} `)) ?? '0'))
  const failed = number('fail') + number('cancelled')
  const skipped = (output.match(/^\s*﹣ .*$/gm) ?? []).map((line) => line.replace('﹣', '').trim())
  return { closing, skipped, passed: number('pass'), failed: ok ? failed : Math.max(failed, 1) }
}

function nodeTest(files) {
  return [process.execPath, '--test', '--test-reporter=spec', `--test-timeout=${TEST_TIMEOUT_MS}`, ...files]
}

function nodeTests(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true })
  return entries.filter((name) => name.endsWith('.test.mjs')).sort().map((name) => join(folder, name))
}
