import type { SubscriptionEvents } from '../events'
import type { Abortable, SubscribeOptions } from '../options'
import type { BridgePhone } from './client'
import { PageEmitter } from './emitter'

/** What each phone's page has subscribed to. */
const open = new WeakMap<BridgePhone, Map<number, BridgeSubscription>>()

/**
 * Subscribes to an event package, such as `dialog`, `presence` or `message-summary`, as `Softphone.subscribe()` does; resolves when the
 * server has agreed. It is this page's alone, and over when the page is gone.
 *
 * ```ts
 * const colleague = await subscribe(client, 'bob', 'dialog')
 * colleague.on('notify', ({ document }) => console.log(document))
 * ```
 *
 * @throws `BridgeError` as `Softphone.subscribe()`; `ERR_BUSY` if this page has 256.
 */
export async function subscribe(phone: BridgePhone, target: string, event: string, options?: SubscribeOptions): Promise<BridgeSubscription> {
  const there = open.get(phone) ?? followed(phone)
  const id = (await phone.line.ask({ of: 'phone' }, 'subscribe', [target, event, options])) as number
  const subscription = new BridgeSubscription(phone, id, event)
  there.set(id, subscription)
  return subscription
}

/** A subscription in a page, with the events of a `Subscription`. */
export class BridgeSubscription extends PageEmitter<SubscriptionEvents> {
  /** The event package. */
  readonly event: string
  readonly #phone: BridgePhone
  readonly #id: number

  /** @internal */
  constructor(phone: BridgePhone, id: number, event: string) {
    super(() => {})
    this.#phone = phone
    this.#id = id
    this.event = event
  }

  /** Gives it up; resolves after the last `notify` and `terminated`. Again, it does nothing. */
  async unsubscribe(options?: Abortable): Promise<void> {
    await this.#phone.line.ask({ of: 'phone' }, 'unsubscribe', [this.#id, options])
  }
}

function followed(phone: BridgePhone): Map<number, BridgeSubscription> {
  const there = new Map<number, BridgeSubscription>()
  open.set(phone, there)
  phone.extras.set('subscription', ({ id, name, event }: { id: number; name: keyof SubscriptionEvents; event: unknown }) => {
    const subscription = there.get(id)
    if (name === 'terminated') there.delete(id)
    subscription?.tell(name, [event])
  })
  return there
}
