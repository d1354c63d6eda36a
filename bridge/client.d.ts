// Generated from lib/ by "npm run types". Do not edit.
import { AudioSink, AudioSource, Conference, ConferenceEvents, EndReason, ErrorCode, ErrorType, IvfInput, IvfOutput, MessageWaitingEvent, MixInput, PendingSession, Session, SessionEvents, SingleOutput, SipStatus, Softphone, SoftphoneError, SoftphoneEvents, StatsReport, StreamInput, ToneInput, TransferRequestedEvent, VideoSink, VideoSource, WavInput, WavOutput, Y4mInput, Y4mOutput } from '../index.js'
import { BridgeVideoPort } from './video.js'

/**
 * Drives the phone that `serve()` of `offhook/bridge` has put at the other end of a port. The state is there once `ready` resolves.
 *
 * ```ts
 * const phone = connect(port)
 * await phone.ready
 * const session = await phone.call('bob')
 * await session.answered
 * ```
 *
 * @throws `TypeError` for what is no port.
 */
export declare function connect(port: BridgePort): BridgePhone;

/** A phone in a page: the events and methods of a `Softphone`, each method as a promise. */
export interface BridgePhone extends BridgedMethods<Pick<Softphone, (typeof phoneMethods)[number]>> {
}

type Events = BridgedEvents<Omit<SoftphoneEvents, 'subscriptionRequest'>>;

export declare class BridgePhone extends PageEmitter<Events> {
    #private;
    /** Resolves when the phone has told its state; rejects with `ERR_BRIDGE` if the port is closed first, or the phone has another version. */
    readonly ready: Promise<void>;
    /** Settles with why the connection is over. The calls go on without the page. */
    readonly closed: Promise<BridgeEnd>;
    /** What the page knows of the phone: never changed, a new one after each change. */
    get state(): BridgeState;
    /**
     * Calls back with {@link state} at once and after each change; gives what ends that. The phone is a store of Svelte so, and fits React's
     * `useSyncExternalStore`.
     */
    readonly subscribe: (changed: (state: BridgeState) => void) => (() => void);
    /** The call of this id, while it lives. */
    session(id: string): BridgeSession | undefined;
    /** The conference of this id, while it lives. */
    conferenceOf(id: string): BridgeConference | undefined;
    /** The sessions that have started and not ended. */
    get sessions(): BridgeSession[];
    /** The conferences that are not over. */
    get conferences(): BridgeConference[];
    /** Ends the connection; the phone and its calls go on. */
    close(): void;
}

/** What a page sees of a call or a conference: its properties are those of the last snapshot, its methods the phone's. */
declare class Mirror<Events extends {
    [E in keyof Events]: unknown[];
}, Snapshot extends object> extends PageEmitter<Events> {
    #private;
    /** What it is now: never changed, a new one after each change. */
    get snapshot(): Snapshot;
}

/**
 * A call in a page: the properties, events and methods of a `Session`, each method as a promise. It is the same object for as long as
 * the call lives; for a store take the snapshots in `state`.
 */
export interface BridgeSession extends SessionSnapshot, BridgedMethods<Pick<Session, (typeof sessionMethods)[number]>> {
}

export declare class BridgeSession extends Mirror<BridgedEvents<SessionEvents>, SessionSnapshot> {
    #private;
    /** Resolves when the call is answered; rejects with a {@link BridgeError} when it ends before, as `Session.answered` does. */
    get answered(): Promise<void>;
}

/** A conference in a page: the properties, events and methods of a `Conference`; `members` are ids of sessions. */
export interface BridgeConference extends ConferenceSnapshot, BridgedMethods<Pick<Conference, (typeof conferenceMethods)[number]>> {
}

export declare class BridgeConference extends Mirror<BridgedEvents<ConferenceEvents>, ConferenceSnapshot> {
}

/** What of a session crosses. */
declare const sessionProperties: readonly ["id", "conversationId", "callId", "address", "uri", "displayName", "identity", "sessionId", "direction", "state", "connectionState", "active", "interrupted", "connected", "muted", "videoMuted", "streams", "warnings", "held", "remoteHeld", "headers", "codec", "security", "startTime"];

/** A session as it was at the last event: the properties of a `Session`, by their names. */
export interface SessionSnapshot extends Readonly<Pick<Session, (typeof sessionProperties)[number]>> {
    /** The id of the conference that the other party takes part in. */
    readonly conference: string | null;
    /** The transfer that the other party asks for, while it waits for `acceptTransfer()` or `rejectTransfer()`. */
    readonly transferRequest: TransferRequestedEvent | null;
}

/** A conference as it was at the last event. */
export interface ConferenceSnapshot {
    readonly id: string;
    /** The ids of the sessions that take part, in the order in which they joined. */
    readonly members: readonly string[];
    /** Whether all of it is on hold. */
    readonly held: boolean;
    /** Whether whoever sits here is not heard. */
    readonly muted: boolean;
    /** The ids of the members who are not heard. */
    readonly silenced: readonly string[];
}

/** What a page knows of the phone. It is never changed: each change makes a new one, of which what did not change is the same. */
export interface BridgeState {
    /** Whether the phone has answered yet, and whether the port is open. */
    readonly bridge: 'connecting' | 'open' | 'closed';
    /** Whether the phone's WebSocket is open. */
    readonly connected: boolean;
    /** Whether the server holds the registration. */
    readonly registered: boolean;
    /** What waits in the mailbox; undefined until the server has told. */
    readonly messageWaiting: MessageWaitingEvent | undefined;
    /** The calls that ring. */
    readonly pendingSessions: readonly PendingSession[];
    /** The sessions that have started and not ended. */
    readonly sessions: readonly SessionSnapshot[];
    /** The conferences that are not over. */
    readonly conferences: readonly ConferenceSnapshot[];
}

/** What a page may have done. Nothing of it opens a file, takes a credential, or ends the phone itself. */
declare const phoneMethods: readonly ["initialize", "disconnect", "reconnect", "register", "unregister", "call", "answer", "acceptPendingSession", "rejectPendingSession", "redirectPendingSession", "acceptCallRequest", "rejectCallRequest", "endSession", "conference", "sendMessage", "sendOptions", "expectCall", "listDevices", "setAudioDevice", "setAudioProcessing", "setVolume"];

/** Of a session. */
declare const sessionMethods: readonly ["accept", "sendEarlyMedia", "reject", "end", "mute", "unmute", "muteVideo", "unmuteVideo", "setVideo", "setScreen", "setVideoOutput", "hold", "resume", "sendDtmf", "sendInfo", "transfer", "attendedTransfer", "acceptTransfer", "rejectTransfer", "setInput", "setOutput", "setAudioProcessing", "setVolume", "getStats"];

/** Of a conference. */
declare const conferenceMethods: readonly ["add", "remove", "hold", "resume", "mute", "unmute", "setInput", "setOutput", "setAudioProcessing", "end", "dissolve"];

/** What a page can not choose: files, streams, tones and other sessions. It names devices. */
type OnlyThere = AudioSource | AudioSink | WavInput | WavOutput | ToneInput | MixInput | Y4mInput | Y4mOutput | IvfInput | IvfOutput | StreamInput | Session | readonly SingleOutput[];

/** What an argument or result of the phone is in a page. */
export type Bridged<T> = T extends Session ? BridgeSession : T extends Conference ? BridgeConference : T extends SoftphoneError ? BridgeError : T extends StatsReport | EndReason ? T : T extends readonly Session[] ? BridgeSession[] : T extends VideoSource | VideoSink ? BridgeVideoPort : T extends OnlyThere ? never : T extends object ? BridgedOptions<T> : T;

type BridgedOptions<T> = {
    [K in keyof T]: Chosen<T[K]>;
};

type Chosen<T> = T extends VideoSource | VideoSink ? BridgeVideoPort : T extends OnlyThere ? never : T;

/** The same method in a page. */
export type BridgedMethod<F> = F extends (...args: infer Args) => infer Result ? (...args: BridgedList<Args>) => Promise<Bridged<Awaited<Result>>> : never;

/** The same methods in a page. */
export type BridgedMethods<T> = {
    [K in keyof T]: BridgedMethod<T[K]>;
};

/** The same events in a page. */
export type BridgedEvents<Events extends {
    [E in keyof Events]: unknown[];
}> = {
    [E in keyof Events]: BridgedList<Events[E]>;
};

type BridgedList<List extends unknown[]> = {
    [K in keyof List]: Bridged<List[K]>;
};

/** Emits events to listeners that know their arguments. */
export declare class PageEmitter<Events extends {
    [E in keyof Events]: unknown[];
}> {
    #private;
    /** Adds a listener, which is called with the event's arguments. */
    on<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
    /** Removes a listener. */
    off<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
    /**
     * Resolves with the arguments of the next occurrence.
     *
     * Rejects with the signal's reason if it is aborted first; no other event rejects it.
     */
    once<E extends keyof Events & string>(event: E, { signal }?: {
        signal?: AbortSignal;
    }): Promise<Events[E]>;
}

/** A `SoftphoneError` in a page: what failed beside the phone, or the port to it. Tell failures apart by `code`. */
export declare class BridgeError extends Error {
    /** A stable name, `ERR_…`. */
    readonly code: ErrorCode;
    /** The kind of failure. */
    readonly type: ErrorType;
    /** The SIP status behind it, if there is one. */
    readonly sip?: SipStatus;
}

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
