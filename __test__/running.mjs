import { spawn } from 'node:child_process'

const patience = 20_000

/** A shell's line in a terminal of its own: `type` presses keys there. */
export function inTerminal(t, line, { env, ...options } = {}) {
  const args = ['--quiet', '--flush', '--return', '--command', line, '/dev/null']
  return new Running(t, 'script', args, { env: { TERM: 'xterm', ...env }, ...options })
}

/** A program that runs until it ends, or the test does; nothing of this process's OFFHOOK_ variables is left to it. */
export class Running {
  stdout = ''
  stderr = ''
  #child
  #waiters = new Set()

  constructor(t, program, args, { env: more = {}, cwd } = {}) {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    for (const name of Object.keys(env)) if (/^(OFFHOOK_|NO_COLOR|FORCE_COLOR)/.test(name) && name !== 'OFFHOOK_NATIVE_PATH') delete env[name]
    this.#child = spawn(program, args, { cwd, env: { ...env, ...more }, stdio: ['pipe', 'pipe', 'pipe'] })
    t.after(() => this.#child.kill('SIGKILL'))
    this.#child.stdin.on('error', () => {})
    for (const name of ['stdout', 'stderr']) {
      this.#child[name].setEncoding('utf8').on('data', (text) => {
        this[name] += text
        for (const waiter of this.#waiters) waiter()
      })
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.over = true
        for (const waiter of this.#waiters) waiter()
        resolve(code ?? signal)
      })
    })
  }

  /** What it printed so far, as objects; it must be lines of JSON. */
  get events() {
    return this.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line))
  }

  /** Resolves with the first event of this name that fits. */
  event(name, fits = () => true) {
    return this.#until(() => this.events.find((event) => event.event === name && fits(event)), `the event ${name}`)
  }

  /** Resolves once it has printed this, in what came after `from`. */
  says(pattern, from = 0) {
    return this.#until(() => pattern.exec(this.stdout.slice(from)), String(pattern))
  }

  type(keys) {
    this.#child.stdin.write(keys)
  }

  kill(signal) {
    this.#child.kill(signal)
  }

  /** As `| head` does when it has seen enough. */
  stopReading() {
    this.#child.stdout.destroy()
  }

  #until(found, what) {
    return new Promise((resolve, reject) => {
      const fail = (why) => done(() => reject(new Error(`${why} without ${what}:\n${this.stdout}\n${this.stderr}`)))
      const timer = setTimeout(() => fail(`${patience} ms`), patience)
      const done = (settle) => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        settle()
      }
      const look = () => {
        const value = found()
        if (value) done(() => resolve(value))
        else if (this.over) fail('it ended')
      }
      this.#waiters.add(look)
      look()
    })
  }
}
