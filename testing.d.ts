// Generated from lib/ by "npm run types". Do not edit.
import { SoftphoneOptions, TypedEmitter } from './index.js'

/** A user of a {@link Pbx}. */
export interface PbxUser {
    /** The user part of the address: `alice` is `sip:alice@<domain>`. */
    name: string;
    /** The password for digest authentication; without one and without `token` nothing is asked. */
    password?: string;
    /** The access token that is taken as a bearer token (RFC 8898). */
    token?: string;
}

/** What answers at an address of the PBX that is no user's. */
export type PbxExtension = 
/** Answers and sends back what it hears. */
{
    type: 'echo';
}
/** Answers and plays a sine tone of so many hertz. */
 | {
    type: 'tone';
    frequency: number;
}
/** Answers and plays a WAV file, again and again with `repeat`. */
 | {
    type: 'prompt';
    path: string;
    repeat?: boolean;
}
/** Answers with silence; a digit 1–9 plays a tone of 100 Hz times the digit, `*` echoes, `#` hangs up. */
 | {
    type: 'menu';
}
/** Refuses with this SIP status, 300–699. */
 | {
    type: 'refuse';
    code: number;
}
/** Rings and never answers. */
 | {
    type: 'ring';
};

/** Options of {@link Pbx.start}. */
export interface PbxOptions {
    /** The SIP domain and the realm; default `pbx.test`. */
    domain?: string;
    /** The users; more can come with `addUser()`. */
    users?: readonly PbxUser[];
    /** Whether users have to prove who they are; default `'digest'`, which takes bearer tokens too. */
    authentication?: 'digest' | 'none';
    /** The digest algorithms to offer, best first; default SHA-256 and MD5. */
    algorithms?: readonly ('MD5' | 'SHA-256' | 'SHA-512-256')[];
    /** Milliseconds that a nonce is good for; default 300000. */
    nonceLifetime?: number;
    /** The shortest registration that is granted, in seconds; shorter ones get 423. Default 1. */
    minExpires?: number;
    /** The longest registration that is granted, in seconds; default 3600. */
    maxExpires?: number;
    /** Extensions by their user part, beside `echo`, `tone` (440 Hz), `menu`, `busy` (486) and `noanswer`. */
    extensions?: Readonly<Record<string, PbxExtension>>;
}

/** Options of {@link Pbx.originate}. */
export interface OriginateOptions {
    /** The user to call first; all of its phones ring. */
    to: string;
    /** The user or extension that it is then connected with. */
    with: string;
    /** The caller's name that is shown to the first. */
    displayName?: string;
    /** Asks the first for an automatic answer after so many seconds (`Call-Info: …;answer-after=N`); true means 0. */
    autoAnswer?: boolean | number;
    /** The conversation that the call belongs to. */
    conversationId?: string;
    /** Headers to add to the first INVITE. */
    headers?: Readonly<Record<string, string>>;
}

/** What {@link Pbx.originate} gives. */
export interface OriginatedCall {
    /** Names the call to `hangUp()`. */
    id: number;
}

/** What goes wrong with SIP messages on purpose. */
export interface PbxFault {
    /**
     * What happens to a message: it is lost; it is lost and the connection closes; it comes late by so many milliseconds;
     * it comes twice; it comes after the next one; its SDP promises another certificate; its SDP can't be read.
     */
    action: 'lose' | 'drop' | {
        delay: number;
    } | 'duplicate' | 'reorder' | 'wrongFingerprint' | 'wrongSdp';
    /** Only messages from (`in`) or to (`out`) a phone; default both. */
    direction?: 'in' | 'out';
    /** Only messages of this user's phones; default everybody's. */
    user?: string;
    /** Only requests of this method and responses to it; default all. */
    method?: string;
    /** Only responses of this status; default all. */
    status?: number;
    /** How many messages it meets; default all, until `clearFaults()`. */
    count?: number;
}

/** A call that goes through the PBX. */
export interface PbxCall {
    /** The Call-ID, as the `callId` of the phones' sessions. */
    callId: string;
    /** The user part of who calls. */
    from: string;
    /** The user part of who is called. */
    to: string;
}

/** The events of a {@link Pbx} with their listeners' arguments; all plain data. */
export interface PbxEvents {
    /** A phone has registered, or refreshed its registration (`renewed`), for so many seconds. */
    registered: [event: {
        user: string;
        contact: string;
        expires: number;
        renewed: boolean;
    }];
    /** A phone's registration has ended. */
    unregistered: [
        event: {
            user: string;
            contact: string;
            cause: 'request' | 'expired' | 'disconnected' | 'removed';
        }
    ];
    /** A call goes through. */
    call: [call: PbxCall];
    /** A call was answered. */
    answered: [call: PbxCall];
    /** A call ended; `code` is the SIP status where it was refused. */
    ended: [call: PbxCall, details: {
        answered: boolean;
        code?: number;
    }];
    /** An extension heard a digit, for so many milliseconds. */
    dtmf: [event: {
        extension: string;
        tone: string;
        duration: number;
    }];
    /** A SIP message from (`in`) or to (`out`) a phone; secrets are left out. */
    message: [event: {
        direction: 'in' | 'out';
        user?: string;
        text: string;
    }];
}

/**
 * A SIP-over-WebSocket registrar and switch inside this process, on a free loopback port: for tests, demos and trying out.
 *
 * ```ts
 * const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
 * const phone = new Softphone(pbx.account('alice'))
 * await phone.initialize()
 * const session = await phone.call('echo')
 * await session.answered
 * await phone.destroy()
 * await pbx.close()
 * ```
 */
export declare class Pbx extends TypedEmitter<PbxEvents> {
    #private;
    /** The SIP domain. */
    readonly domain: string;
    /** The address of the WebSocket: `ws://127.0.0.1:<port>/ws`. */
    readonly url: string;
    /** Starts a PBX; resolves when it listens. */
    static start(options?: PbxOptions): Promise<Pbx>;
    private constructor();
    /** What a `Softphone` needs to be this user's phone; spread it into the options. */
    account(name: string): SoftphoneOptions;
    /** Adds a user, or changes its password or token. */
    addUser(added: PbxUser): Promise<void>;
    /** Takes a user away: what it registered is forgotten. */
    removeUser(name: string): Promise<void>;
    /**
     * Calls a user and connects it with another, or with an extension: with `autoAnswer` that is click-to-call.
     * Resolves when both have answered; rejects with `ERR_CALL_FAILED` when one does not.
     */
    originate({ autoAnswer, headers, ...options }: OriginateOptions): Promise<OriginatedCall>;
    /** Ends a call that `originate()` placed. */
    hangUp(call: OriginatedCall): Promise<void>;
    /** Makes something go wrong with SIP messages from now on. */
    addFault(fault: PbxFault): Promise<void>;
    /** Makes everything go right again. */
    clearFaults(): Promise<void>;
    /** Cuts the connections of one user's phones, or of all, as a failing network would. */
    disconnect(name?: string): Promise<void>;
    /** Ends every call and connection, and stops listening; afterwards nothing keeps the process alive. */
    close(): Promise<void>;
    /** Closes the PBX at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
    /** Keeps the process alive for as long as the PBX runs, which is the default. */
    ref(): this;
    /** Lets the process end although the PBX runs. */
    unref(): this;
}

export {}
