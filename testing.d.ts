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

/** Options of {@link Pbx.start}. */
export interface PbxOptions {
    /** The SIP domain and the realm; default `pbx.test`. */
    domain?: string;
    /** The users; more can come with `addUser()`. */
    users?: readonly PbxUser[];
    /** The digest algorithm; default `'SHA-256'`. */
    algorithm?: 'MD5' | 'SHA-256' | 'SHA-512-256';
    /** Seconds that a nonce is good for; default 300. */
    nonceLifetime?: number;
    /** The shortest registration that is granted, in seconds; shorter ones get 423. Default 1. */
    minExpires?: number;
    /** Where random choices start from, so that a run can be repeated; default a random one. */
    seed?: number;
}

/**
 * What answers a call by itself: `echo` gives back what it hears, `tone` plays 440 Hz, `speech` a spoken sentence,
 * `menu` collects digits, `busy` answers 486, `noanswer` rings for ever, `conference` mixes all who call it.
 * Each is also an address: `sip:echo@<domain>`.
 */
export type PbxExtension = 'echo' | 'tone' | 'speech' | 'menu' | 'busy' | 'noanswer' | 'conference';

/** Options of {@link Pbx.originate}. */
export interface OriginateOptions {
    /** The user to call; all of its registered contacts ring. */
    to: string;
    /** The caller that is shown; default the extension. */
    from?: string;
    /** The caller's name that is shown. */
    displayName?: string;
    /** What talks to the user who answers; default `'echo'`. */
    extension?: PbxExtension;
    /** Asks for an automatic answer (`Call-Info: …;answer-after=0`); default false. */
    autoAnswer?: boolean;
    /** The conversation that the call belongs to. */
    conversationId?: string;
    /** Headers to add to the INVITE. */
    headers?: Readonly<Record<string, string>>;
    /** Milliseconds to wait for an answer before the call is cancelled; default 60000. */
    timeout?: number;
}

/** Options of {@link Pbx.connect}. */
export interface ConnectOptions {
    /** The user who is called first, with a request for an automatic answer: who clicked. */
    from: string;
    /** The user, extension or address that is then called. */
    to: string;
    /** The conversation that both calls belong to; default a new one. */
    conversationId?: string;
    /** Headers to add to both INVITEs. */
    headers?: Readonly<Record<string, string>>;
}

/** What goes wrong on purpose. Each share is from 0 to 1. */
export interface PbxFaults {
    /** Signalling messages that are lost on the way to the phones. */
    loss?: number;
    /** Signalling messages that arrive twice. */
    duplicate?: number;
    /** Signalling messages that overtake the one before. */
    reorder?: number;
    /** Milliseconds by which signalling is late. */
    delay?: number;
    /** What is wrong with the SDP that phones get. */
    sdp?: 'fingerprint' | 'codecs' | 'garbage';
    /** What happens to RTP: turning it on leads the media of new calls through a relay of the PBX. */
    media?: {
        /** Packets that are lost. */
        loss?: number;
        /** Milliseconds by which packets are late. */
        delay?: number;
        /** Milliseconds by which that varies. */
        jitter?: number;
    };
}

/** A call that goes through the PBX. */
export interface PbxCall {
    /** Names the call in this PBX's methods and events. */
    id: string;
    /** Who calls. */
    from: string;
    /** Who is called. */
    to: string;
    /** The conversation it belongs to. */
    conversationId: string;
}

/** The events of a {@link Pbx} with their listeners' arguments; all plain data. */
export interface PbxEvents {
    /** A phone has registered, or refreshed. */
    registered: [event: {
        user: string;
        contact: string;
        expires: number;
    }];
    /** A phone's registration was removed or has expired. */
    unregistered: [event: {
        user: string;
        contact: string;
    }];
    /** A call began to ring. */
    call: [call: PbxCall];
    /** A call was answered. */
    answered: [call: PbxCall];
    /** A call ended; `code` is the SIP status where it was not answered. */
    ended: [call: PbxCall, details: {
        answered: boolean;
        code?: number;
    }];
    /** An extension received a digit. */
    dtmf: [call: PbxCall, event: {
        tone: string;
        duration: number;
    }];
    /** A SIP message, secrets left out. */
    message: [event: {
        direction: 'received' | 'sent';
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
    /** Calls a user on its phones; resolves once the INVITE is on its way. */
    originate({ headers: given, ...options }: OriginateOptions): Promise<PbxCall>;
    /** Click-to-call: calls one user with a request for an automatic answer, then connects it with another. */
    connect({ headers: given, ...options }: ConnectOptions): Promise<PbxCall>;
    /** Ends a call. */
    hangUp(call: Pick<PbxCall, 'id'>): Promise<void>;
    /** Makes things go wrong from now on; `{}` makes them right again. */
    setFaults(faults: PbxFaults): Promise<void>;
    /** Cuts the WebSockets of one user, or of all, without a word. */
    dropConnections(name?: string): Promise<void>;
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
