// Generated from lib/ by "npm run types". Do not edit.
import { Softphone } from '../index.js'

/** A page that drives a phone. */
export interface ServedPage {
    /** Ends the connection; the phone, its calls and the port stay as they are. */
    close(): void;
    /** Settles with why it is over: also when the page is gone, or the phone is destroyed. */
    readonly closed: Promise<BridgeEnd>;
}

/**
 * Lets a page drive a phone over a port, by `connect()` of `offhook/bridge/client`. Several pages may drive one phone: call it for
 * the port of each.
 *
 * Whoever has the other end of the port can place calls at the expense of the phone's account and choose its devices. It is given no
 * credentials, and can't have files read or written, change the account, or destroy the phone.
 *
 * @throws `TypeError` for what is no port or no phone.
 */
export declare function serve(phone: Softphone, port: BridgePort): ServedPage;

/**
 * What carries messages: a `MessagePort` of a page or of `node:worker_threads`, Electron's `MessagePortMain` or
 * `utilityProcess.parentPort`, a `Worker`, anything else with `postMessage` that tells of messages by `addEventListener`, `on` or
 * `onmessage`; or a WebSocket, of a page or of `ws`.
 */
export type BridgePort = {
    postMessage(message: any): void;
} | {
    send(text: string): void;
};

/** Why a connection is over: by `close()` here, by the other side, or because the port is gone or can't carry any more. */
export interface BridgeEnd {
    reason: 'closed' | 'ended' | 'lost' | 'refused';
}

export {}
