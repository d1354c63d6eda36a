import { EventEmitter } from 'node:events'
import { abortable, refuseAborted } from './abortable'
import { aborted } from './errors'

/**
 * An `EventEmitter` whose `on`, `once`, `off` and `emit` know the events of its class.
 *
 * `Events` maps an event's name to the tuple of its listener's arguments.
 */
export class TypedEmitter<Events extends { [E in keyof Events]: unknown[] }> extends EventEmitter {
  #hooks: (() => void)[] | undefined

  /** Adds a listener, which is called with the event's arguments. */
  override on<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this {
    return super.on(event, listener as (...args: unknown[]) => void)
  }

  /** Removes a listener that was added by `on` or `once`. */
  override off<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this {
    return super.off(event, listener as (...args: unknown[]) => void)
  }

  /** Adds a listener for the next occurrence only. */
  override once<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this
  /**
   * Resolves with the arguments of the next occurrence.
   *
   * Rejects with `ERR_ABORTED` if the signal is aborted first; no other event rejects it.
   */
  override once<E extends keyof Events & string>(event: E, options?: { signal?: AbortSignal }): Promise<Events[E]>
  override once<E extends keyof Events & string>(
    event: E,
    listenerOrOptions: ((...args: Events[E]) => void) | { signal?: AbortSignal } = {},
  ): any {
    if (typeof listenerOrOptions === 'function') {
      return super.once(event, listenerOrOptions as (...args: unknown[]) => void)
    }
    return occurrence(this, event, listenerOrOptions)
  }

  /** Calls the listeners with the arguments; false if there is none. */
  override emit<E extends keyof Events & string>(event: E, ...args: Events[E]): boolean {
    return super.emit(event, ...args)
  }

  /** Removes the listeners of an event, or of all. */
  override removeAllListeners(event?: keyof Events & string): this {
    if (event !== undefined) return super.removeAllListeners(event)
    super.removeAllListeners()
    // Those are gone as well that notice who listens.
    for (const hook of this.#hooks ?? []) hook()
    return this
  }

  /**
   * Calls `begin` when an event gets its first listener, and `end` when it has lost its last.
   *
   * @internal
   */
  whileHeard(event: keyof Events & string, begin: () => unknown, end: () => unknown): void {
    const heard = (name: unknown) => name === event && this.listenerCount(event) === 0 && begin()
    const unheard = (name: unknown) => name === event && this.listenerCount(event) === 0 && end()
    const hook = () => {
      super.on('newListener', heard)
      super.on('removeListener', unheard)
    }
    hook()
    this.#hooks = [...(this.#hooks ?? []), hook]
  }

  /**
   * Emits, and turns what a listener throws into an uncaught exception of its own,
   * so that one bad listener takes neither the events behind it nor their acknowledgement.
   *
   * @internal
   */
  deliver<E extends keyof Events & string>(event: E, ...args: Events[E]): void {
    try {
      this.emit(event, ...args)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}

async function occurrence(emitter: EventEmitter, event: string, options: { signal?: AbortSignal }): Promise<any> {
  const [, signal] = abortable('options of once', options)
  refuseAborted(signal)
  return new Promise((resolve, reject) => {
    const listener = (...args: unknown[]) => {
      signal?.removeEventListener('abort', abort)
      resolve(args)
    }
    const abort = () => {
      emitter.removeListener(event, listener)
      if (signal) reject(aborted(signal))
    }
    EventEmitter.prototype.once.call(emitter, event, listener)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * Hides the emitter's own bookkeeping from `structuredClone`, which would stumble over the listeners.
 *
 * @internal
 */
export function hideListeners(emitter: EventEmitter): void {
  for (const key of ['_events', '_eventsCount', '_maxListeners']) {
    Object.defineProperty(emitter, key, { enumerable: false, writable: true, configurable: true })
  }
}
