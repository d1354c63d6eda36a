import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A child process whose output is kept for the report of a failure, and which never outlives this one. */
export class Child {
  #process
  #log = ''
  #exited

  constructor(command, args, options = {}) {
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (chunk) => (this.#log = (this.#log + chunk).slice(-100_000)))
    }
    this.#exited = once(this.#process, 'exit').catch(() => {})
    process.once('exit', this.#kill)
  }

  get log() {
    return this.#log
  }

  get exitCode() {
    return this.#process.exitCode
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
      if (this.#process.exitCode !== null) throw new Error(`it ended before it printed ${pattern}:\n${this.#log}`)
      await Promise.race([
        once(this.#process.stdout, 'data', { signal }),
        once(this.#process.stderr, 'data', { signal }),
        this.#exited,
      ])
    }
  }

  async stop(signal = 'SIGTERM') {
    process.off('exit', this.#kill)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill(signal)
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await this.#exited
    clearTimeout(late)
  }

  // SIGTERM, so that a server takes its own children along.
  #kill = () => this.#process.kill('SIGTERM')
}
