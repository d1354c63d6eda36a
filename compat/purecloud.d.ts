// Generated from lib/ by "npm run types". Do not edit.
import { Abortable, AcceptOptions, AudioInput, AudioSink, ConnectedEvent, ConnectionState, DisconnectedEvent, EndCondition, EndReason, HoldOptions, IceServersFunction, LogLevel, PendingSession, PendingSessionEnd, RejectOptions, Session, SessionEvents, SessionState, Softphone, SoftphoneOptions, StatsReport, TypedEmitter } from '../index.js'

/**
 * The PureCloud WebRTC SDK on a native phone.
 *
 * ```ts
 * const sdk = new PureCloudWebrtcSdk({ accessToken, environment: 'mypurecloud.com', orgId })
 * sdk.on('pendingSession', ({ id, autoAnswer }) => autoAnswer || sdk.acceptPendingSession(id))
 * await sdk.initialize()
 * ```
 */
export declare class PureCloudWebrtcSdk extends WildEmitter<SdkEvents> {
    #private;
    /** The phone behind it, for everything beyond the document. */
    readonly phone: Softphone;
    /**
     * Reads the options; nothing is connected before `initialize()`. Unknown options are logged.
     *
     * @throws the original's errors for missing options, `ERR_INVALID_OPTION` for wrong ones.
     */
    constructor(options: PureCloudOptions);
    /** The sessions that have started and not ended. */
    get sessions(): SoftphoneSession[];
    /** The calls that ring. */
    get pendingSessions(): PendingSession[];
    /** Whether the WebSocket is open. */
    get connected(): boolean;
    /**
     * Connects and registers; then `ready` is emitted.
     *
     * @throws `Failed to initialize SDK`, whose `cause` says why, as does the original's `details`; the same goes to `error`.
     */
    initialize(options?: Abortable): Promise<void>;
    /** The document's spelling of {@link initialize}. */
    intialize(options?: Abortable): Promise<void>;
    /** Closes the WebSocket; calls live on. */
    disconnect(): void;
    /** Closes the WebSocket and opens it again. */
    reconnect(): void;
    /**
     * Accepts a pending session; doing it again does nothing. What fails goes to `error`.
     *
     * With `autoStartMedia: false` no device is opened: `session.addStream()` sends, and `peerStreamAdded` gives what is heard.
     */
    acceptPendingSession(id: string, options?: PendingSessionOptions): void;
    /** Rejects a pending session, with 486 by default; resolves after its `cancelPendingSession`. */
    rejectPendingSession(id: string, options?: RejectOptions): Promise<void>;
    /**
     * Has the platform place a call, whose session then comes and is answered by itself.
     * With `baseUrl: false` the phone calls by SIP.
     *
     * @throws `SoftphoneError` `ERR_HTTP` if the public API refuses.
     */
    startSoftphoneSession(parameters?: SoftphoneSessionParameters): Promise<StartedConversation>;
    /**
     * Ends a session by the public API; resolves once that has accepted.
     * If the API fails, the session is ended by SIP and the error is thrown.
     */
    endSession(options: EndSessionOptions): Promise<void>;
    /** Replaces the access token, now and for everything to come. */
    setAccessToken(token: string): Promise<void>;
    /** Ends every call and disconnects; afterwards nothing keeps the process alive. */
    destroy(): Promise<void>;
    /** Destroys the SDK at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** One call, with the members that sessions of the original have. */
export declare class SoftphoneSession extends WildEmitter<SoftphoneSessionEvents> {
    #private;
    /** The session of the phone behind it, for everything beyond the document. */
    readonly session: Session;
    /** Names the session; the same as the pending session's. */
    get id(): string;
    /** The same as `id`. */
    get sid(): string;
    /** Links the call to the platform's conversation. */
    get conversationId(): string;
    /** The other party's SIP address. */
    get peerID(): string;
    /** The other party's address: the user part of its URI. */
    get address(): string;
    /** Whether this phone called. */
    get isInitiator(): boolean;
    /** When the call was answered, in milliseconds since 1970. */
    get starttime(): number | undefined;
    /** What the other party sends, once it is there. */
    get streams(): PeerStream[];
    /** `starting`, `pending`, `active` or `ended`. */
    get state(): Session['state'];
    /** `starting`, `connecting`, `connected`, `interrupted` or `disconnected`. */
    get connectionState(): Session['connectionState'];
    /** Whether the signalling has not begun. */
    get starting(): boolean;
    /** Whether the call is not answered yet. */
    get pending(): boolean;
    /** Whether the call is answered and not over. */
    get active(): boolean;
    /** Whether the call is over. */
    get ended(): boolean;
    /** Whether the media connection is being made. */
    get connecting(): boolean;
    /** Whether the media connection stands. */
    get connected(): boolean;
    /** Whether the media connection is interrupted. */
    get interrupted(): boolean;
    /** Whether the media connection is gone. */
    get disconnected(): boolean;
    /** Whether the other party hears silence. */
    get muted(): boolean;
    /** Whether the other party is on hold here. */
    get held(): boolean;
    /** Connects a session that was accepted without connecting it; `next` is called when that is done. */
    accept(options?: unknown, next?: (error?: unknown) => void): Promise<void>;
    /** Gives up a call that was placed and not answered. */
    cancel(): Promise<void>;
    /** Refuses the call, with 486 by default. */
    decline(options?: RejectOptions): Promise<void>;
    /** Ends the call, whatever its state. */
    end(): Promise<void>;
    /** Sends silence instead of the input. */
    mute(): Promise<void>;
    /** Sends the input again. */
    unmute(): Promise<void>;
    /** Puts the other party on hold; resolves when it has agreed. */
    hold(options?: HoldOptions): Promise<void>;
    /** Takes the other party off hold; resolves when it has agreed. */
    resume(): Promise<void>;
    /** Sends digits; resolves when the last one was sent. */
    sendDtmf(tones: string): Promise<void>;
    /**
     * Sends this from now on: a device, an `AudioSource`, a WAV file, a tone.
     *
     * @throws `ERR_ABORTED` if another was added, or this one removed, before it was open; that is no `error` of the SDK.
     */
    addStream(stream: AudioInput): Promise<void>;
    /** Sends it no more: the stream added before it, or silence. */
    removeStream(stream: AudioInput): Promise<void>;
    /** Sends one stream instead of another; throws as `addStream()`. */
    switchStream(old: AudioInput, stream: AudioInput): Promise<void>;
    /** The call's statistics with the names of W3C webrtc-stats. */
    getStats(): Promise<StatsReport>;
}

/**
 * An emitter whose listeners may ask for several events at once: `'*'` for all, `'change:*'` for all that begin so.
 * Such listeners get the event's name before its arguments.
 */
export declare class WildEmitter<Events extends {
    [E in keyof Events]: unknown[];
}> extends TypedEmitter<Events> {
    /** Calls the listeners of the event, then those whose pattern fits; false if there is none. */
    emit<E extends keyof Events & string>(event: E, ...args: Events[E]): boolean;
}

/** The levels of `trace`, as the document names them. */
export type TraceLevel = 'trace' | 'debug' | 'log' | 'warn' | 'error';

/** The events of a {@link PureCloudWebrtcSdk} with their listeners' arguments. */
export interface SdkEvents {
    /** `initialize()` is done. */
    ready: [];
    /** The WebSocket is open. */
    connected: [event: ConnectedEvent];
    /** The WebSocket is lost or closed; `info` is always `Streaming API connection disconnected`. */
    disconnected: [info: string, event: DisconnectedEvent];
    /**
     * A call comes in, or the platform calls for an outbound one. `autoAnswer` is true for an outbound call, whoever answers it: the call
     * asks for it by a header (`autoAnswerSource`), or `startSoftphoneSession()` has named its conversation.
     */
    pendingSession: [pending: PendingSession];
    /** The caller gave up, or nobody answered in time. */
    cancelPendingSession: [id: string, details: PendingSessionEnd];
    /** Another client of the user has handled the pending session. */
    handledPendingSession: [id: string, details: PendingSessionEnd];
    /** A session exists; its media is not connected yet. */
    sessionStarted: [session: SoftphoneSession];
    /** A session ended, after its own `terminated`. */
    sessionEnded: [session: SoftphoneSession, reason: EndCondition, details: EndReason];
    /** A line of the log, of any level, secrets left out. */
    trace: [level: TraceLevel, message: string, details: object];
    /** Something failed that no promise reports; without a listener it is logged. */
    error: [error: Error, details: object];
    /** Every event, its name first. */
    '*': [event: string, ...args: unknown[]];
}

/** What the document's session events carry: the session is always the SDK's. */
export type SessionArguments = {
    /** `reason` is a string of XEP-0166 §7.4, such as `'success'`; `details` has its text, who ended it, and the SIP status. */
    terminated: [session: SoftphoneSession, reason: EndCondition, details: EndReason];
    'change:sessionState': [session: SoftphoneSession, state: SessionState];
    'change:connectionState': [session: SoftphoneSession, connectionState: ConnectionState];
    'change:held': [session: SoftphoneSession, held: boolean];
    'change:remoteHeld': [session: SoftphoneSession, remoteHeld: boolean];
};

export type Flag = 'change:pending' | 'change:active' | 'change:ended' | 'change:connecting' | 'change:connected' | 'change:interrupted' | 'change:disconnected';

export type Plain = 'endOfCandidates' | 'progress' | 'answered' | 'mute' | 'unmute' | 'hold' | 'resume' | 'dtmf' | 'info' | 'stats' | 'warning' | 'warningCleared';

/** The events of a {@link SoftphoneSession} with their listeners' arguments. */
export type SoftphoneSessionEvents = SessionArguments & Record<Flag, [session: SoftphoneSession, value: boolean]> & Pick<SessionEvents, Plain> & {
    /** The other party's sound is there. */
    peerStreamAdded: [session: SoftphoneSession, stream: PeerStream];
    /** The other party's sound is over. */
    peerStreamRemoved: [session: SoftphoneSession, stream: PeerStream];
    /** Every event, its name first. */
    '*': [event: string, ...args: unknown[]];
};

/** A STUN or TURN server, as browsers take it. */
export interface IceServerConfiguration {
    /** One or several: `stun:host:port`, `turn:host:port?transport=udp`. */
    urls?: string | readonly string[];
    /** One address, as older browsers had it. */
    url?: string;
    /** The TURN user. */
    username?: string;
    /** The TURN password. */
    credential?: string;
}

/** Options of a {@link PureCloudWebrtcSdk}: the document's, those of a `Softphone`, and where the REST API is. */
export interface PureCloudOptions extends Omit<SoftphoneOptions, 'iceServers' | 'iceTransportPolicy' | 'logLevel'> {
    /** STUN and TURN servers, or a function that gives them; default none. */
    iceServers?: readonly IceServerConfiguration[] | IceServersFunction;
    /** `'all'`, the default, or `'relay'`, which uses TURN only. */
    iceTransportPolicy?: 'all' | 'relay' | (string & {});
    /** The least important level that is logged; default `'info'`, also instead of what is none, which is warned of. */
    logLevel?: LogLevel | (string & {});
    /**
     * Where the public API is, for `startSoftphoneSession()` and `endSession()`; default `https://api.<environment>`.
     * False if the platform has none: sessions are then placed and ended by SIP.
     */
    baseUrl?: string | false;
    /** The streaming host of later versions: the same as `servers`. */
    wsHost?: string;
}

/** Options of `acceptPendingSession`, as in the document. */
export type PendingSessionOptions = AcceptOptions;

/**
 * The other party's sound: if it goes to an `AudioSink`, that one, which gives 16-bit mono PCM in frames of 20 ms; if it goes to a
 * speaker or a file, the phone's session, which other calls take as their input and whose `level` says how loud it is.
 */
export type PeerStream = AudioSink | Session;

/** What `startSoftphoneSession` asks the public API for; members that are not named here are sent as they are. */
export interface SoftphoneSessionParameters {
    /** The number to call. */
    phoneNumber?: string;
    /** The caller's number to show. */
    callerId?: string;
    /** The caller's name to show. */
    callerIdName?: string;
    /** The queue to call on behalf of. */
    callFromQueueId?: string;
    /** The queue to call. */
    callQueueId?: string;
    /** The user to call. */
    callUserId?: string;
    /** The priority of the call in its queue. */
    priority?: number;
    /** The language to route by. */
    languageId?: string;
    /** The skills to route by. */
    routingSkillsIds?: readonly string[];
    /** Conversations to join. */
    conversationIds?: readonly string[];
    /** More than one party to call. */
    participants?: readonly {
        address: string;
        name?: string;
        userId?: string;
        queueId?: string;
    }[];
    /** User-to-user information. */
    uuiData?: string;
    [member: string]: unknown;
}

/** What `startSoftphoneSession` gives. */
export interface StartedConversation {
    /** The conversation's id: that of the session which comes. */
    id: string;
    /** The conversation's address. */
    selfUri: string;
}

/** Options of {@link PureCloudWebrtcSdk.endSession}: one of the two. */
export interface EndSessionOptions {
    /** The id of the session. */
    id?: string;
    /** The id of its conversation. */
    conversationId?: string;
}

export {}
