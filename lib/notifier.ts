import { hideListeners, TypedEmitter } from './emitter'
import type { CallerIdentity } from './events'
import type { PhoneLink } from './link'
import { checkOptions, type Rule, type Schema } from './schema'
import { headersByName, invalidArgument } from './session'
import type { WireSubscriptionRequest } from './wire'

/** Somebody wants to subscribe to what this phone tells. */
export interface SubscriptionRequest {
  /** The id to accept or reject it by. */
  id: number
  /** The event package, one of the option `notifies`. */
  event: string
  /** The address that is subscribed to: the user part, or the host if there is none. */
  target: string
  /** The subscriber's address: the user part of its URI, or the host if there is none. */
  address: string
  /** The subscriber's SIP address. */
  uri: string
  /** The subscriber's name, if it gives one. */
  displayName?: string
  /** What servers and gateways say of the subscriber. */
  identity: CallerIdentity
  /** Media types that the subscriber reads; empty for the package's own. */
  accept: string[]
  /** Seconds that it asks for; 0 only fetches the state. */
  expires: number
  /** The SUBSCRIBE's headers by lower-case name, the values of one name in order; credentials are left out. */
  headers: Record<string, string[]>
}

/** Options of {@link Softphone.acceptSubscription}. */
export interface AcceptSubscriptionOptions {
  /** The state that the subscriber is told at once, 56 KiB at most; nothing by default. */
  body?: string
  /** The media type of `body`; `text/plain` by default. */
  contentType?: string
  /** Seconds that are granted at most, 60–86400; 3600 by default. The subscriber renews it in time. */
  expires?: number
}

/** Options of {@link Notifier.notify}. */
export interface NotifyOptions {
  /** The media type; `text/plain` by default. */
  contentType?: string
}

/** Why a subscriber is told nothing any more. */
export interface NotifierEnd {
  /**
   * `local`: this phone ended it. `expired`: nobody renewed it. `unsubscribed`: the subscriber gave it up, or only fetched the
   * state. `refused`: it refused a notification. `silent`: it answered none.
   */
  reason: 'local' | 'expired' | 'unsubscribed' | 'refused' | 'silent'
  /** The SIP status with which a notification was refused. */
  code?: number
}

/** The events of a {@link Notifier} with their listeners' arguments; each is plain data. */
export interface NotifierEvents {
  /** The subscription is over, once. */
  terminated: [end: NotifierEnd]
}

const seconds: Rule = { number: { min: 60, max: 86_400, integer: true } }
const notifying: Schema = { contentType: 'text' }

/** @internal */
export const acceptingSubscription: Schema = { body: 'prose', contentType: 'text', expires: seconds }

/** A subscription of somebody else's, as the one who tells: from `acceptSubscription()` to its end. */
export class Notifier extends TypedEmitter<NotifierEvents> {
  /** Names it within its phone; the same as the request's. */
  readonly id: number
  readonly #link: PhoneLink
  #ended = false

  /** @internal */
  static async begin(link: PhoneLink, known: Map<number, Notifier>, id: number, options: AcceptSubscriptionOptions): Promise<Notifier> {
    const notifier = new Notifier(link, id)
    // A state that was only fetched is over before the reply.
    if (!known.has(id)) known.set(id, notifier)
    try {
      await link.command({ type: 'acceptSubscription', notifier: id, ...options })
    } catch (error) {
      if (known.get(id) === notifier) known.delete(id)
      throw error
    }
    return notifier
  }

  private constructor(link: PhoneLink, id: number) {
    super()
    hideListeners(this)
    this.#link = link
    this.id = id
  }

  /** Whether the subscription is over. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Tells the subscriber the state, 56 KiB at most; resolves once it is on its way, or waits for the answer to the one before:
   * of states that follow one another faster, the newest is told. Each refresh is told the last again.
   *
   * @throws `SoftphoneError` `ERR_SUBSCRIPTION_ENDED` if it is over.
   */
  async notify(body: string, options: NotifyOptions = {}): Promise<void> {
    if (typeof body !== 'string') throw invalidArgument('body', body, 'a string')
    checkOptions('options of notify', options, notifying)
    await this.#link.command({ type: 'notify', notifier: this.id, body, contentType: options.contentType })
  }

  /**
   * Ends it, with a last notification; resolves after `terminated`. Again, it does nothing.
   *
   * @param reason tells the subscriber what to do (RFC 6665): `noresource`, the default, not to come back; `deactivated` to
   *   subscribe anew at once; `rejected`, `probation`, `giveup`, `timeout`.
   */
  async terminate(reason?: string): Promise<void> {
    if (reason !== undefined && typeof reason !== 'string') throw invalidArgument('reason', reason, "a word such as 'noresource'")
    await this.#link.command({ type: 'terminateNotifier', notifier: this.id, reason })
  }

  /** @internal */
  end(end: NotifierEnd): void {
    this.#ended = true
    this.deliver('terminated', end)
  }
}

/** @internal */
export function subscriptionRequest(event: WireSubscriptionRequest): SubscriptionRequest {
  const { id, target, address, uri, displayName, identity, accept, expires, headers } = event
  return {
    id,
    event: event.event,
    target,
    address,
    uri,
    ...(displayName === null ? {} : { displayName }),
    identity: identity ?? {},
    accept,
    expires,
    headers: headersByName(headers),
  }
}
