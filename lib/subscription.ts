import { abortable } from './abortable'
import { headers } from './checked-options'
import { hideListeners, TypedEmitter } from './emitter'
import type { SubscriptionEvents } from './events'
import type { PhoneLink } from './link'
import type { Abortable, SubscribeOptions } from './options'
import { isText, type Rule, type Schema } from './schema'
import { invalidArgument } from './session'
import { wireHeaders } from './wire-options'

const seconds: Rule = { number: { min: 1, max: 2 ** 31, integer: true } }
const subscribing: Schema = { expires: seconds, accept: { arrayOf: 'text' }, headers }

/**
 * A subscription to an event package, kept alive over refreshes, lost connections and what the server ends for a time.
 */
export class Subscription extends TypedEmitter<SubscriptionEvents> {
  /** Names it within its phone. */
  readonly id: number
  /** The event package. */
  readonly event: string
  readonly #link: PhoneLink

  /** @internal Puts what was agreed to among the phone's. */
  static async begin(running: () => PhoneLink, known: Map<number, Subscription>, target: string, event: string, options: SubscribeOptions): Promise<Subscription> {
    if (!isText(event) || event === '') throw invalidArgument('event', event, "an event package such as 'dialog'")
    const [{ expires, accept, headers }, signal] = abortable('options of subscribe', options, subscribing)
    const link = running()
    const wanted = { expires, accept: accept && [...accept], headers: wireHeaders(headers) }
    return link.command({ type: 'subscribe', target, event, options: wanted }, signal, (reply) => {
      const { subscription: id } = reply as { subscription: number }
      const subscription = new Subscription(link, id, event)
      known.set(id, subscription)
      return subscription
    })
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
