// Builds the fuzz targets with stable Rust and runs them from their seeds, two at a time on two cores:
//   node scripts/fuzz.mjs [target…] [--seconds 60] [--seed number] [--corpus folder]
// With a seed the inputs are the same each time, as far as the time goes.
// Fails on a finding, a leak or a timeout, and names the input that showed it. Linux: libFuzzer is built by the C++
// compiler.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './bootstrap.mjs'
import { ended, stream } from './processes.mjs'

const fuzz = join(root, 'fuzz')
const artifacts = join(fuzz, 'artifacts')

// What libFuzzer needs to know of the paths taken; cargo-fuzz gives the same, with a sanitizer that only nightly has.
const COVERAGE = [
  '--cfg fuzzing',
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
]
const LIMITS = ['-timeout=10', '-rss_limit_mb=2048', '-max_len=4096', '-print_final_stats=1']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '0' },
    corpus: { type: 'string' },
  },
})

const known = readdirSync(join(fuzz, 'fuzz_targets')).map((file) => file.replace('.rs', '')).sort()
const unknown = positionals.find((name) => !known.includes(name))
const seconds = Number(values.seconds)
// 0 is libFuzzer's word for any.
const seed = Number(values.seed)
if (unknown !== undefined || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(`Usage: node scripts/fuzz.mjs [${known.join(' | ')}] [--seconds 60] [--seed number] [--corpus folder]`)
  process.exit(2)
}

const targets = positionals.length > 0 ? positionals : known
const folder = await build()
const results = await runAll(folder)
for (const { target, runs, finding } of results) {
  console.log(`${finding ? 'FOUND ' : 'ok    '} ${target}: ${runs} runs${finding ? `; ${finding}` : ''}`)
}
process.exitCode = results.every(({ finding }) => finding === undefined) ? 0 : 1

async function build() {
  // Named, so that build scripts and macros are not instrumented.
  const host = /host: (\S+)/.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))[1]
  const bins = targets.flatMap((target) => ['--bin', target])
  const args = ['build', '--release', '--target', host, '--target-dir', join(fuzz, 'target'), ...bins]
  const env = { ...process.env, RUSTFLAGS: COVERAGE.join(' ') }
  const { ok } = await stream('cargo', args, { cwd: fuzz, env })
  if (!ok) process.exit(1)
  return join(fuzz, 'target', host, 'release')
}

async function runAll(binaries) {
  const waiting = [...targets]
  const results = []
  const work = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      results.push(await run(binaries, target))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return results
}

async function run(binaries, target) {
  const found = join(artifacts, target)
  mkdirSync(found, { recursive: true })
  const own = values.corpus === undefined
  const corpus = own ? mkdtempSync(join(tmpdir(), `fuzz-${target}-`)) : join(values.corpus, target)
  mkdirSync(corpus, { recursive: true })
  const seeds = join(fuzz, 'seeds', target)
  const args = [...LIMITS, `-max_total_time=${seconds}`, `-seed=${seed}`, `-artifact_prefix=${found}/`, corpus, seeds]
  console.log(`${target}: ${seconds} s from ${existsSync(seeds) ? readdirSync(seeds).length : 0} seeds`)
  const { ok, output } = await quietly(join(binaries, target), args)
  if (own) rmSync(corpus, { recursive: true, force: true })
  const runs = Number(/^stat::number_of_executed_units:\s*(\d+)/m.exec(output)?.[1] ?? 0)
  if (ok && runs > 0) return { target, runs }
  console.log(output.slice(-8_000))
  const artifact = /Test unit written to (\S+)/.exec(output)?.[1]
  return { target, runs, finding: artifact ?? 'it ended before its time' }
}

/** libFuzzer tells of every new path: only a finding is for people. */
async function quietly(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    output = (output + chunk).slice(-200_000)
  })
  return { ok: (await ended(child)) === 0, output }
}
