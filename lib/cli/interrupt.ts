/** Ctrl-C and other signals that end the process: the first asks to hang up, the second ends at once. */
export class Interrupt {
  readonly #controller = new AbortController()
  #code: number | undefined
  #over = false

  constructor() {
    process.on('SIGINT', () => this.raise(130))
    process.on('SIGTERM', () => this.raise(143))
    process.on('SIGHUP', () => this.raise(129))
    // Who read what we print has gone, such as `head`.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => this.#hangUp(141))
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What the process ends with; undefined if nothing has interrupted it. */
  get code(): number | undefined {
    return this.#code
  }

  /** There is nothing more to hang up. */
  over(): void {
    this.#over = true
  }

  /** Hangs up; again, or if there is nothing to hang up, it ends the process. */
  raise(code: number): void {
    if (this.#code !== undefined || this.#over) process.exit(this.#code ?? code)
    this.#hangUp(code)
  }

  #hangUp(code: number): void {
    this.#code ??= code
    this.#controller.abort(new Error('interrupted'))
  }
}

/** Resolves once the signal is aborted. */
export function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
