import { TypedEmitter } from '../../index'

/**
 * An emitter whose listeners may ask for several events at once: `'*'` for all, `'change:*'` for all that begin so.
 * Such listeners get the event's name before its arguments.
 */
export class WildEmitter<Events extends { [E in keyof Events]: unknown[] }> extends TypedEmitter<Events> {
  /** Calls the listeners of the event, then those whose pattern fits; false if there is none. */
  override emit<E extends keyof Events & string>(event: E, ...args: Events[E]): boolean {
    const patterns = this.eventNames().filter((name) => fits(String(name), event))
    // Node's emitter would throw an error that only a pattern listens to.
    const heard = (event !== 'error' || this.listenerCount(event) > 0 || patterns.length === 0) && super.emit(event, ...args)
    for (const pattern of patterns) {
      for (const listener of this.rawListeners(pattern)) Reflect.apply(listener, this, [event, ...args])
    }
    return heard || patterns.length > 0
  }

  /** @internal Whether anybody listens, by the event's name or by a pattern. */
  hears(event: string): boolean {
    return this.eventNames().some((name) => name === event || fits(String(name), event))
  }
}

function fits(pattern: string, event: string): boolean {
  return pattern.endsWith('*') && pattern !== event && event.startsWith(pattern.slice(0, -1))
}
