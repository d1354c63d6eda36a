import { TypedEmitter } from '../../index'

/**
 * An emitter whose listeners may ask for several events at once: `'*'` for all, `'change:*'` for all that begin so.
 * Such listeners get the event's name before its arguments.
 */
export class WildEmitter<Events extends { [E in keyof Events]: unknown[] }> extends TypedEmitter<Events> {
  /** Calls the listeners of the event, then those whose pattern fits; false where there is none. */
  override emit<E extends keyof Events & string>(event: E, ...args: Events[E]): boolean {
    const heard = super.emit(event, ...args)
    const patterns = this.eventNames().filter((name) => fits(String(name), event))
    for (const pattern of patterns) {
      for (const listener of this.rawListeners(pattern)) Reflect.apply(listener, this, [event, ...args])
    }
    return heard || patterns.length > 0
  }
}

function fits(pattern: string, event: string): boolean {
  return pattern.endsWith('*') && pattern !== event && event.startsWith(pattern.slice(0, -1))
}
