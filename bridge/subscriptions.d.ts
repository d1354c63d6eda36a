// Generated from lib/ by "npm run types". Do not edit.
import { Abortable, SubscribeOptions, SubscriptionEvents } from '../index.js'
import { BridgePhone, PageEmitter } from './client.js'

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
export declare function subscribe(phone: BridgePhone, target: string, event: string, options?: SubscribeOptions): Promise<BridgeSubscription>;

/** A subscription in a page, with the events of a `Subscription`. */
export declare class BridgeSubscription extends PageEmitter<SubscriptionEvents> {
    #private;
    /** The event package. */
    readonly event: string;
    /** Gives it up; resolves after the last `notify` and `terminated`. Again, it does nothing. */
    unsubscribe(options?: Abortable): Promise<void>;
}

export {}
