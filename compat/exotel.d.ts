// Generated from lib/ by "npm run types". Do not edit.
import { Softphone, SoftphoneOptions } from '../index.js'

/** Told how a registration goes; `phone` is the account's `userName`. */
export type RegisterEventCallBack = (state: RegisterState, phone: string) => void;

/** Told about calls; `activeSession` is a call that was there before the client was made anew. */
export type CallListenerCallback = (callObj: CallObject, eventType: CallState | 'activeSession', phone: string) => void;

/** What a session of another window or process does; on `re-register` this one may take over. */
export type SessionState = 'incoming' | 'connected' | 'callEnded' | 're-register';

/** Told about calls that another window or process of this user has; `call` is left out on `re-register`. */
export type SessionCallback = (callState: SessionState, phone: string, call?: CallObject) => void;

/**
 * Has every client of this process, those to come included, share its calls with the user's other processes; resolves
 * once it does.
 */
export declare function SessionListener(): Promise<void>;

/**
 * Exotel's web client on a native phone.
 *
 * ```ts
 * const exWebClient = new ExotelWebClient()
 * exWebClient.initWebrtc(sipAccountInfo, RegisterEventCallBack, CallListenerCallback, SessionCallback)
 * exWebClient.DoRegister()
 * ```
 */
export declare class ExotelWebClient {
    #private;
    /** The phone behind it once `initWebrtc` has made it, for everything beyond the document. */
    get phone(): Softphone | undefined;
    /**
     * Takes the account and the callbacks; false, and a line in the log, if `userName`, `sipdomain` or `port` is missing
     * or something in it makes no sense.
     *
     * For an account that this process has a phone of already, that phone and its calls are taken over:
     * `CallListenerCallback` gets them as `activeSession`, or `incoming` if they still ring.
     */
    initWebrtc(sipAccountInfo: SipAccountInfo, RegisterEventCallBack: RegisterEventCallBack, CallListenerCallback: CallListenerCallback, SessionCallback?: SessionCallback): boolean;
    /** Registers, and tries again every 5 s if that fails; false, and a line in the log, before `initWebrtc`. */
    DoRegister(): boolean;
    /** Removes the registration; calls live on. */
    UnRegister(): boolean;
    /** The current call; null, and a line in the log, if there is none. */
    getCall(): Call | null;
    /**
     * Shares this phone's calls with the user's other processes and windows on this machine, and their calls with this
     * client's `SessionCallback`. Resolves once it does; before `initWebrtc` it only remembers to.
     */
    SessionListener(): Promise<void>;
    /**
     * Calls a number by the platform's API (`POST …/Calls/connect`), which then calls this phone: that call is answered
     * by itself. Resolves with the call's SID.
     *
     * @throws `SoftphoneError` `ERR_HTTP` if the API refuses, `ERR_NOT_INITIALIZED` before `initWebrtc`.
     */
    MakeCall(api: ExotelApi, parameters: MakeCallParameters): Promise<string>;
    /** Ends the calls, unregisters and leaves; afterwards nothing of it keeps the process alive. */
    destroy(): Promise<void>;
    /** Destroys the client at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** Where a call is. */
export type CallState = 'incoming' | 'connected' | 'callEnded' | 'terminated';

/** A call as callbacks get it; times are ISO 8601, and empty until they are known. */
export interface CallObject {
    /** The Call-ID. */
    callId: string;
    /** The other party's address. */
    remoteId: string;
    /** The other party's name, or its address. */
    remoteDisplayName: string;
    /** Who called. */
    callDirection: 'incoming' | 'outgoing';
    /** `callEnded` here, `terminated` by the other side. */
    callState: CallState;
    /** Seconds since the call was answered, up to its end. */
    callDuration: number;
    /** When it came. */
    callStartedTime: string;
    /** When its media connection stood. */
    callEstablishedTime: string;
    /** When it ended. */
    callEndedTime: string;
    /** When it was answered. */
    callAnswerTime: string;
    /** Why it ended. */
    callEndReason: string;
    /** The session's id. */
    sessionId: string;
    /** Exotel's id of the call: `X-Exotel-Callsid`. */
    callSid: string;
    /** Exotel's id of this leg: `LegSid`. */
    legSid: string;
    /** The INVITE's headers by lower-case name. */
    sipHeaders: Record<string, string[]>;
}

/** What a mistake is told to. */
type Complain = (message: string, details?: unknown) => void;

/** One call of a phone. */
export declare class Call {
    #private;
    /** Answers an incoming call; false, and a line in the log, if it does not ring. */
    Answer(): boolean;
    /** Ends the call, or refuses it with 486 while it rings; doing it again does nothing. */
    Hangup(): boolean;
    /** Sends silence; muting what is muted changes nothing. */
    Mute(): boolean;
    /** Sends the microphone again. */
    UnMute(): boolean;
    /** Mutes or unmutes, whichever it is not. */
    MuteToggle(): boolean;
    /** Puts the other party on hold; holding what is on hold changes nothing. */
    Hold(): boolean;
    /** Takes it off hold. */
    UnHold(): boolean;
    /** Holds or takes off hold, whichever it is not. */
    HoldToggle(): boolean;
    /** Sends one digit by INFO, as the original does: `0`–`9`, `*`, `#`, `A`–`D`. */
    sendDTMF(digit: string): boolean;
    /** What is known of the call now. */
    callDetails(): CallObject;
}

/** The account of a phone, as the document names its members. */
export interface SipAccountInfo {
    /** Names the phone in every callback; the same as `authUser`. */
    userName: string;
    /** The SIP user to register; default `userName`. */
    authUser?: string;
    /** The SIP domain. */
    sipdomain: string;
    /** The server, `host:port`; default `sipdomain` and `port`. */
    domain?: string;
    /** The name to show. */
    displayname?: string;
    /** The name to show, as the document's table spells it. */
    displayName?: string;
    /** The password. */
    secret?: string;
    /** The server's port, if `domain` names none; the document's is 443. */
    port: string | number;
    /** `wss`, the default, or `ws`. */
    security?: 'ws' | 'wss' | (string & {});
    /** The path of the WebSocket; default `ws`. */
    endpoint?: string;
    /** The complete SIP URI; default `sip:<authUser>@<sipdomain>`. */
    sipUri?: string;
    /** The host of the Contact, with or without a port. */
    contactHost?: string;
    /** Anything else that a `Softphone` takes: `audio`, `tls`, `iceServers`, `logger`, … */
    phone?: Partial<SoftphoneOptions>;
}

/**
 * The phone of an account, and what of the account is unknown.
 *
 * @throws `SoftphoneError` that names the member that is wrong.
 */
declare function phoneOfAccount(account: SipAccountInfo): {
    phone: Softphone;
    unknown: string[];
};

/** What is missing of an account, if anything. */
declare function missing(account: SipAccountInfo | undefined): string | undefined;

/** The options of the account's phone. */
declare function phoneOptions(account: SipAccountInfo): SoftphoneOptions;

/** How far a registration is. */
export type RegisterState = 'registered' | 'unregistered' | 'terminated' | 'sent_request';

/** Who is told what happens on a line. */
interface LineListener {
    onRegister(state: RegisterState, userName: string): void;
    onCall(call: Call, state: CallState, userName: string): void;
    complain: Complain;
}

/** The phone of one account: it outlives the client that made it, so that a call outlives a reload. */
declare class Line {
    #private;
    readonly phone: Softphone;
    /**
     * The line of this account if there is one already, else a new one; the listener is told from now on.
     *
     * @throws `SoftphoneError` if the account makes no phone; the line of before stays.
     */
    static of(account: SipAccountInfo, listener: LineListener): Line;
    private constructor();
    /** The current call. */
    get call(): Call | undefined;
    /** Whether it was asked to register, and not to unregister since. */
    get wanted(): boolean;
    /** Whether this listener is told, and not one that came after it. */
    belongsTo(listener: LineListener): boolean;
    register(): void;
    unregister(): Promise<void>;
    destroy(): Promise<void>;
}

/** Who asks Exotel's API, as its address in the document has it. */
export interface ExotelApi {
    /** The API key. */
    apiKey: string;
    /** The API token. */
    apiToken: string;
    /** The account's SID. */
    accountSid: string;
    /** The host, such as `api.exotel.com`; a leading `@` is left away. */
    subdomain?: string;
    /** The whole base address instead, such as `http://127.0.0.1:8080`. */
    baseUrl?: string;
}

/** Members of the request; further ones of the platform's API are sent as they are. */
export interface MakeCallParameters {
    /** The caller's SIP user; default this phone's. */
    From?: string;
    /** The number to call. */
    To: string;
    /** The caller's number to show. */
    CallerId: string;
    [member: string]: string | undefined;
}

/** `POST …/Calls/connect`: the platform calls `From`, then `To`; resolves with the call's SID. */
declare function connectCall(api: ExotelApi, parameters: MakeCallParameters, signal: AbortSignal): Promise<string>;

export {}
