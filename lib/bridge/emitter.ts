/** Emits events to listeners that know their arguments. */
export class PageEmitter<Events extends { [E in keyof Events]: unknown[] }> {
  readonly #listeners = new Map<string, Set<(...args: any[]) => void>>()
  readonly #heard: (event: string, isHeard: boolean) => void

  /** @internal `heard` is called when an event gets its first listener, and when it has lost its last. */
  constructor(heard: (event: string, isHeard: boolean) => void) {
    this.#heard = heard
  }

  /** Adds a listener, which is called with the event's arguments. */
  on<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this {
    const there = this.#listeners.get(event)
    if (there) there.add(listener)
    else this.#listeners.set(event, new Set([listener]))
    if (!there) this.#heard(event, true)
    return this
  }

  /** Removes a listener. */
  off<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this {
    const there = this.#listeners.get(event)
    if (!there?.delete(listener) || there.size > 0) return this
    this.#listeners.delete(event)
    this.#heard(event, false)
    return this
  }

  /**
   * Resolves with the arguments of the next occurrence.
   *
   * Rejects with the signal's reason if it is aborted first; no other event rejects it.
   */
  once<E extends keyof Events & string>(event: E, { signal }: { signal?: AbortSignal } = {}): Promise<Events[E]> {
    return new Promise((resolve, reject) => {
      const listener = (...args: Events[E]) => {
        end()
        resolve(args)
      }
      const abort = () => {
        end()
        reject(signal?.reason)
      }
      const end = () => {
        this.off(event, listener)
        signal?.removeEventListener('abort', abort)
      }
      if (signal?.aborted) return reject(signal.reason)
      this.on(event, listener)
      signal?.addEventListener('abort', abort)
    })
  }

  /** @internal Says again what somebody listens to. */
  askAgain(): void {
    for (const event of this.#listeners.keys()) this.#heard(event, true)
  }

  /** @internal */
  tell(event: string, args: unknown[]): void {
    callEach(this.#listeners.get(event) ?? [], ...args)
  }
}

/** @internal One bad listener takes nothing from the others. */
export function callEach<Args extends unknown[]>(listeners: Iterable<(...args: Args) => void>, ...args: Args): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
