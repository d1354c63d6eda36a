import { SoftphoneError, type Abortable, type NotifyEvent, type Softphone, type SubscribeOptions, type Subscription, type SubscriptionEvents } from '../index'

/** Subscriptions of one page at once. */
const MOST_SUBSCRIPTIONS = 256

/** Ends that a page has missed are kept for it. */
const MOST_ENDED = 256

interface News {
  id: number
  name: keyof SubscriptionEvents
  event: unknown
}

/**
 * What a page has subscribed to: told to it alone, and over when it is gone.
 *
 * @internal
 */
export class PageSubscriptions {
  readonly #phone: Softphone
  readonly #tell: (news: News) => boolean
  readonly #missed: News[] = []
  readonly #open = new Map<number, { subscription: Subscription; last?: NotifyEvent }>()
  /** Those that are asked for, too. */
  #count = 0
  /** Counts the pages: what one has asked for is none of the next. */
  #page = 0

  /** @param tell tells the page; false if it takes nothing now */
  constructor(phone: Softphone, tell: (news: News) => boolean) {
    this.#phone = phone
    this.#tell = tell
  }

  /** Gives its id. */
  async subscribe(target: string, event: string, options?: SubscribeOptions): Promise<number> {
    if (this.#count >= MOST_SUBSCRIPTIONS) {
      throw new SoftphoneError(`${MOST_SUBSCRIPTIONS} subscriptions of this page are open: give up some of them`, { code: 'ERR_BUSY', type: 'generic' })
    }
    const page = this.#page
    this.#count += 1
    try {
      const subscription = await this.#phone.subscribe(target, event, options)
      if (page === this.#page) this.#follow(subscription)
      else giveUp(subscription)
      return subscription.id
    } catch (error) {
      if (page === this.#page) this.#count -= 1
      throw error
    }
  }

  /** Again, or of another page's, it does nothing. */
  async unsubscribe(id: number, options?: Abortable): Promise<void> {
    await this.#open.get(id)?.subscription.unsubscribe(options)
  }

  /** The page has missed what was told meanwhile. */
  tellAgain(): void {
    for (const news of this.#missed.splice(0)) this.#tell(news)
    for (const [id, { last }] of this.#open) if (last) this.#tell({ id, name: 'notify', event: last })
  }

  end(): void {
    this.#page += 1
    this.#count = 0
    this.#missed.length = 0
    for (const { subscription } of this.#open.values()) giveUp(subscription)
    this.#open.clear()
  }

  #follow(subscription: Subscription): void {
    const { id } = subscription
    const one: { subscription: Subscription; last?: NotifyEvent } = { subscription }
    this.#open.set(id, one)
    subscription.on('notify', (event) => {
      if (this.#open.get(id) !== one) return
      one.last = event
      this.#tell({ id, name: 'notify', event })
    })
    subscription.on('terminated', (event) => {
      if (this.#open.get(id) !== one) return
      this.#open.delete(id)
      this.#count -= 1
      const news: News = { id, name: 'terminated', event }
      if (!this.#tell(news) && this.#missed.length < MOST_ENDED) this.#missed.push(news)
    })
  }
}

function giveUp(subscription: Subscription): void {
  // The page that wanted it is gone: nobody is there to be told that it failed.
  subscription.unsubscribe().catch(() => {})
}
