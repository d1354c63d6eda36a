import { spawn } from 'node:child_process'
import { Progress } from './progress.mjs'

/** An error whose message is all that a user needs; no stack is shown. */
export function expectedError(message) {
  return Object.assign(new Error(message), { expected: true })
}

/** Runs a program behind a progress line; what it printed is shown only when it fails. Resolves with its output. */
export async function run(title, command, args, { describe = lastLine, quiet = false, ...options } = {}) {
  const progress = new Progress(title, { quiet })
  let output = ''
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
      progress.show(describe(chunk))
    })
  }
  const status = await ended(child)
  progress.done(status === 0)
  if (status === 0) return output
  throw expectedError(`${output.slice(-20_000)}\n"${command} ${args.join(' ')}" failed: ${status}`)
}

/** Runs a program with its output passed through; resolves with its output and whether it succeeded. */
export async function stream(command, args, options = {}) {
  let output = ''
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    output += chunk
    process.stdout.write(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    output += chunk
    process.stderr.write(chunk)
  })
  return { ok: (await ended(child)) === 0, output }
}

/** The exit status, or the text of what ended it; a child does not outlive this process when that is told to end. */
export function ended(child) {
  const endChild = (signal) => {
    child.kill(signal)
    process.exit(1)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.once(signal, endChild)
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.code === 'ENOENT' ? 'it is not installed' : error.message))
    child.once('close', (code, signal) => resolve(code ?? `ended by ${signal}`))
  }).finally(() => {
    for (const signal of signals) process.off(signal, endChild)
  })
}

function lastLine(chunk) {
  return chunk.trimEnd().split(/[\r\n]/).at(-1)
}
