import { spawn } from 'node:child_process'
import { once } from 'node:events'

// The runner ends a file that takes too long, and Ctrl-C all of them; what they started goes with them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

/** A child process whose output is kept for the report of a failure, and which never outlives this one. */
export class Child {
  #process
  #log = ''
  #exited

  constructor(command, args, options = {}) {
    // In a process group of its own, so that what it has started can be ended with it.
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (chunk) => (this.#log = (this.#log + chunk).slice(-100_000)))
    }
    this.#exited = once(this.#process, 'exit').catch(() => {})
    process.once('exit', this.#kill)
  }

  get log() {
    return this.#log
  }

  get pid() {
    return this.#process.pid
  }

  get exitCode() {
    return this.#process.exitCode
  }

  /** Writes a line to its standard input, if that is a pipe. */
  write(line) {
    this.#process.stdin.write(`${line}\n`)
  }

  /** Settles when the process has ended. */
  get exited() {
    return this.#exited
  }

  /** Resolves with the match once the output has one; rejects when the process ends or the signal is aborted first. */
  async prints(pattern, signal) {
    for (;;) {
      const match = pattern.exec(this.#log)
      if (match) return match
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw new Error(`it ended before it printed ${pattern}:\n${this.#log}`)
      const heard = new AbortController()
      const either = { signal: signal ? AbortSignal.any([signal, heard.signal]) : heard.signal }
      const outputs = [this.#process.stdout, this.#process.stderr]
      await Promise.race([...outputs.map((output) => once(output, 'data', either)), this.#exited])
      heard.abort()
    }
  }

  async stop(signal = 'SIGTERM') {
    process.off('exit', this.#kill)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    if (signal === 'SIGKILL') this.#killGroup()
    else this.#process.kill(signal)
    const late = setTimeout(() => this.#killGroup(), 5000)
    await this.#exited
    clearTimeout(late)
  }

  /** Stops it with all that it has started, and lets it go on. */
  signal(signal) {
    process.kill(-this.#process.pid, signal)
  }

  // What is left of a killed server's own children would hold our end of its output.
  #killGroup() {
    try {
      process.kill(-this.#process.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }

  // SIGTERM, so that a server takes its own children along.
  #kill = () => this.#process.kill('SIGTERM')
}
