// Generated from lib/ by "npm run types". Do not edit.
import { EndReason, InfoEvent, Softphone, SoftphoneOptions } from '../index.js'

/**
 * Lumen's WhistleEngine on a native phone: one call at a time.
 *
 * ```ts
 * const engine = new WhistleEngine()
 * engine.start({ user, domain, proxy, port: 443, authorization_jwt: `Bearer ${jwt}`, call_connected() {} })
 * engine.dial('+1234567890')
 * ```
 *
 * Methods return false if they can't do what they are asked, and tell the `error` hook and the log why.
 */
export declare class WhistleEngine {
    #private;
    /** The phone behind it while the engine is started, for everything beyond the document. */
    get phone(): Softphone | undefined;
    /** Connects, and registers unless told not to; false if `user` or `domain` is missing, or it is started already. */
    start(config: WhistleConfig): boolean;
    /** Ends the call, unregisters and disconnects; afterwards nothing keeps the process alive. */
    stop(): boolean;
    /** Calls a number, a user of the domain or a `sip:` address as soon as the engine is connected; false unless idle. */
    dial(target: string, options?: DialOptions): boolean;
    /** Answers the incoming call; false if none rings. */
    answer(): boolean;
    /** Ends the call, gives up the one being placed, or refuses the one that rings; false if there is none. */
    hangup(): boolean;
    /** Sends digits: `0`–`9`, `A`–`D`, `*`, `#`; false for others, and without a connected call. */
    sendDTMF(digits: string | number): boolean;
    /** Mutes or unmutes the microphone; false without a connected call. */
    setMute(mute: boolean): boolean;
    /** Puts the call on hold or takes it off; false without a connected call. */
    setHold(hold: boolean): boolean;
    /** Sends an INFO inside the call; false without a connected call. What the other party refuses goes to `error`. */
    sendInfo(contentType: string, body: string): boolean;
}

/** The traffic light: no packet lost, up to 5 percent, more. */
export type Connectivity = 'Green' | 'Yellow' | 'Red';

/** What {@link WhistleEngine.start} takes: the account, and hooks. */
export interface WhistleConfig {
    /** The SIP user. */
    user: string;
    /** The SIP domain. */
    domain: string;
    /** The host of the SIP gateway; default `domain`. */
    proxy?: string;
    /** Its port; default 443, with `insecure` 80. */
    port?: number | string;
    /** True for `ws` instead of `wss`, which is for tests only. */
    insecure?: boolean;
    /** `Bearer <JWT>`: sent in every request to the own domain. */
    authorization_jwt?: string;
    /** False does not register; default true. */
    register?: boolean;
    /** Logs everything; default false. */
    debug?: boolean;
    /** Anything else that a `Softphone` takes: `audio`, `tls`, `iceServers`, `logger`, … */
    phone?: Partial<SoftphoneOptions>;
    /** The phone is registered. */
    registered?: () => void;
    /** The phone is registered no more. */
    unregistered?: () => void;
    /** Somebody calls. */
    incoming_call?: (uri: string, displayName: string) => void;
    /** The other party rings. */
    call_ringing?: () => void;
    /** The call is answered. */
    call_connected?: () => void;
    /** A call that was connected is so no more, whoever hung up; `call_ended` follows. */
    call_disconnected?: (reason: EndReason) => void;
    /** A call that was connected is over. */
    call_ended?: (reason: EndReason) => void;
    /** A call did not come about: it was not answered, refused, cancelled, or the gateway could not be reached. */
    call_failed?: (reason: EndReason | Error) => void;
    /** The other party sent an INFO. */
    info?: (info: InfoEvent) => void;
    /** How the call's connection is: at its start, then every five seconds. */
    connectivity_update?: (connectivity: Connectivity) => void;
    /** What a method did not do, and why; it is logged in any case. */
    error?: (error: Error) => void;
}

/** Options of {@link WhistleEngine.dial}. */
export interface DialOptions {
    /** Headers to add to the INVITE: `'Name: value'`, or by name. */
    extraHeaders?: readonly string[] | Readonly<Record<string, string>>;
}

/**
 * The phone of a configuration, and what of it is unknown, such as a misspelt hook.
 *
 * @throws `SoftphoneError` that names the member that is wrong.
 */
declare function phoneOfConfig(config: WhistleConfig): {
    phone: Softphone;
    unknown: string[];
};

/** The options of the phone. */
declare function phoneOptions(config: WhistleConfig): SoftphoneOptions;

/** Headers by name; throws what names the line that is none, without showing it. */
declare function headersOf(given?: DialOptions['extraHeaders']): Record<string, string>;

export {}
