import { abortable } from './abortable'
import { hideListeners, TypedEmitter } from './emitter'
import type { SubscriptionEvents } from './events'
import type { PhoneLink } from './link'
import type { Abortable } from './options'

/**
 * A subscription to an event package, kept alive over refreshes, lost connections and what the server ends for a time.
 */
export class Subscription extends TypedEmitter<SubscriptionEvents> {
  /** Names it within its phone. */
  readonly id: number
  /** The event package. */
  readonly event: string
  readonly #link: PhoneLink

  /** @internal */
  static open(link: PhoneLink, id: number, event: string): Subscription {
    return new Subscription(link, id, event)
  }

  private constructor(link: PhoneLink, id: number, event: string) {
    super()
    hideListeners(this)
    this.#link = link
    this.id = id
    this.event = event
  }

  /** Gives it up; resolves after the last `notify` and `terminated`. Again, it does nothing. */
  async unsubscribe(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('unsubscribe', options)
    await this.#link.command({ type: 'unsubscribe', subscription: this.id }, signal)
  }
}
