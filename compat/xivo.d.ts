// Generated from lib/ by "npm run types". Do not edit.
import { AudioOutput, Logger, Softphone, SoftphoneOptions } from '../index.js'

/** How far the stack is. */
export type SipStackStatus = 'NotInitialized' | 'Initializing' | 'WaitingForIce' | 'Starting' | 'Started' | 'Stopped' | 'Failed';

/** XiVO's `xc_webrtc` on a native phone. */
export declare class XcWebrtc {
    #private;
    /** The groups of events. */
    readonly MessageType: {
        readonly GENERAL: "general";
        readonly OUTGOING: "outgoing";
        readonly INCOMING: "incoming";
        readonly REGISTRATION: "registration";
    };
    /** Events of the stack. */
    readonly General: {
        readonly STARTED: "Started";
        readonly FAILED: "Failed";
    };
    /** Events of the registration. */
    readonly Registration: {
        readonly REGISTERED: "Registered";
        readonly UNREGISTERED: "Unregistered";
    };
    /** Events of calls that come in. */
    readonly Incoming: {
        readonly SETUP: "Setup";
        readonly RINGING: "Ringing";
        readonly AUTO_ANSWERED: "AutoAnswered";
        readonly REMOTE_MEDIA_ADDED: "RemoteMediaAdded";
        readonly CONNECTED: "Connected";
        readonly TERMINATED: "Terminated";
        readonly HOLD: "Hold";
        readonly RESUME: "Resume";
    };
    /** Events of calls that go out. */
    readonly Outgoing: {
        readonly ESTABLISHING: "Establishing";
        readonly RINGING: "Ringing";
        readonly CONNECTED: "Connected";
        readonly TERMINATED: "Terminated";
        readonly FAILED: "Failed";
        readonly HOLD: "Hold";
        readonly RESUME: "Resume";
    };
    /** The phone behind it once it starts, for everything beyond the document. */
    get phone(): Softphone | undefined;
    /** Uses another CTI client: the platform's own, or one of the application. */
    setCti(cti: CtiApi): void;
    /** Options of the phone that the document does not have: `audio`, `tls`, … Holds from the next `init` on. */
    setPhoneOptions(options: Partial<SoftphoneOptions>): void;
    /** Uses another logger than the console. */
    setCustomLogger(logger: Required<Pick<Logger, 'log' | 'info' | 'warn' | 'error'>>): void;
    /**
     * Asks the CTI server for the line and the ICE servers, and starts; resolves when it has started or failed, which
     * `General` tells.
     *
     * `remoteAudio` is an output; the id of an HTML element means the system's speaker.
     */
    init(name: string, ssl: boolean, websocketPort: number | string, token?: string, remoteAudio?: AudioOutput, ip?: string): Promise<void>;
    /** The same for a line that is known already. */
    initByLineConfig(lineCfg: LineConfig, name: string, ssl: boolean, websocketPort: number | string, token?: string, remoteAudio?: AudioOutput, ip?: string): Promise<void>;
    /** How far the stack is. */
    getSipStackStatus(): SipStackStatus;
    /** Ends the calls, unregisters and stops; resolves when nothing of it is left. */
    stop(): Promise<void>;
    /** Calls a number; other calls are put on hold. */
    dial(destination: string): void;
    /** Answers this call, or the one that rings; other calls are put on hold. False, and a warning, if none rings. */
    answer(sipCallId?: string): boolean;
    /** The same as {@link answer}. */
    answerBySipCallId(sipCallId?: string): boolean;
    /**
     * Joins a call on hold and one that is not in a conference of three, mixed here, or takes their conference off hold. False, and a
     * warning, if there is nothing to join.
     */
    conference(): boolean;
    /**
     * Puts this call on hold, or takes it up again. One of two calls is always going on: to take one up puts the other on hold, and to
     * put the ongoing one on hold takes the other up. Without a `sipCallId` it is the conference, the one call there is, or the held one
     * of two. False, and a warning, if that is not clear.
     */
    hold(sipCallId?: string): boolean;
    /** The same as {@link hold}. */
    holdBySipCallId(sipCallId?: string): boolean;
    /** Sends one digit to the connected call. */
    dtmf(key: string): boolean;
    /** Mutes or unmutes this call; without a `sipCallId` the conference, or the first call. */
    toggleMicrophone(sipCallId?: string): boolean;
    /** Puts the call on hold and has the CTI server call the target, whose call is answered by itself. */
    attendedTransfer(destination: string): void;
    /** Has the CTI server connect the two parties. */
    completeTransfer(): void;
    /** The document's spelling of {@link completeTransfer}. */
    compeleteTransfer(): void;
    /** Whether there is a call with this `sipCallId`. */
    doesSessionExists(sipCallId: string): boolean;
    /** Calls back for the events of a group; gives a function that ends it. */
    setHandler(eventName: EventGroup, handler: Handler): () => void;
    /** Removes all handlers. */
    clearHandlers(): void;
    /** Uses these STUN and TURN servers, and the CTI server's no more. */
    setIceUrls(urls: readonly IceUrl[]): void;
    /** The STUN and TURN servers that are used now. */
    getIceUrls(): IceUrl[];
    /** Uses no STUN or TURN server: only addresses of the local network. */
    disableICE(): void;
    /** Logs the phone's lines from this level on (`info`, `warn`, `error`, `fatal`), events as `RE<<<`, and handlers. */
    setDebug(sipml5level: string, event: boolean, handler: boolean): void;
}

/** The one that applications use. */
export declare const xc_webrtc: XcWebrtc;

/** The groups of events. */
export declare const MessageType: {
    readonly GENERAL: "general";
    readonly OUTGOING: "outgoing";
    readonly INCOMING: "incoming";
    readonly REGISTRATION: "registration";
};

/** Events of the stack. */
export declare const General: {
    readonly STARTED: "Started";
    readonly FAILED: "Failed";
};

/** Events of the registration. */
export declare const Registration: {
    readonly REGISTERED: "Registered";
    readonly UNREGISTERED: "Unregistered";
};

/** Events of calls that come in. */
export declare const Incoming: {
    readonly SETUP: "Setup";
    readonly RINGING: "Ringing";
    readonly AUTO_ANSWERED: "AutoAnswered";
    readonly REMOTE_MEDIA_ADDED: "RemoteMediaAdded";
    readonly CONNECTED: "Connected";
    readonly TERMINATED: "Terminated";
    readonly HOLD: "Hold";
    readonly RESUME: "Resume";
};

/** Events of calls that go out. */
export declare const Outgoing: {
    readonly ESTABLISHING: "Establishing";
    readonly RINGING: "Ringing";
    readonly CONNECTED: "Connected";
    readonly TERMINATED: "Terminated";
    readonly FAILED: "Failed";
    readonly HOLD: "Hold";
    readonly RESUME: "Resume";
};

/** The name of a group of events. */
export type EventGroup = (typeof MessageType)[keyof typeof MessageType];

/** What a handler gets; members that say nothing are left out. */
export interface XcEvent {
    /** One of `General`, `Registration`, `Incoming`, `Outgoing`. */
    type: string;
    /** The other party's number, or why something failed or ended. */
    data?: {
        caller?: string;
        callee?: string;
        reason?: string;
    };
    /** The call it concerns. */
    sipCallId?: string;
}

/** Told about the events of one group. */
export type Handler = (event: XcEvent) => void;

/** What `xc_webrtc` needs of a CTI client: the platform's own `Cti`, or the one of this module. */
export interface CtiApi {
    /** Calls back for each message of this type. */
    setHandler(type: string, handler: (message: never) => void): void;
    /** Calls back no more. */
    unsetHandler(type: string, handler: (message: never) => void): void;
    /** Asks for a configuration: `LineConfig` answers `'line'`. */
    getConfig(objectType: string): void;
    /** Asks for the STUN and TURN servers: `IceConfig` answers. */
    getIceConfig(): void;
    /** Calls the target of a transfer. */
    attendedTransfer(destination: string): void;
    /** Connects it with the party that waits. */
    completeTransfer(): void;
}

/** As much of W3C's `WebSocket` as the client needs; `ws` on npm is one too. */
export interface WebSocketLike {
    readonly readyState: number;
    onopen: ((event: never) => void) | null;
    onclose: ((event: never) => void) | null;
    onerror: ((event: never) => void) | null;
    onmessage: ((event: never) => void) | null;
    send(text: string): void;
    close(): void;
}

/** Options of {@link CtiClient.WebSocket}. */
export interface CtiOptions {
    /** The WebSocket to use; default the global one, which Node has from version 22 on. */
    WebSocket?: new (url: string) => WebSocketLike;
}

/** A small client of the XUC server's CTI WebSocket: what line, ICE servers and transfers need. */
export declare class CtiClient implements CtiApi {
    #private;
    /** The types of messages that this client tells; any other type's name works as well. */
    readonly MessageType: {
        readonly ERROR: "Error";
        readonly LOGGEDON: "LoggedOn";
        readonly LINKSTATUSUPDATE: "LinkStatusUpdate";
        readonly LINECONFIG: "LineConfig";
        readonly ICECONFIG: "IceConfig";
        readonly PHONEEVENT: "PhoneEvent";
        readonly WEBRTCCMD: "WebRTCCmd";
    };
    /** The connection, as the platform's client has it: `Cti.WebSocket.init(url, username, phoneNumber)`. */
    readonly WebSocket: {
        init: (url: string, _username?: string, _phoneNumber?: string, options?: CtiOptions) => void;
        close: () => void;
    };
    /** Calls back for each message of this type; the same handler once. */
    setHandler(type: string, handler: (message: never) => void): void;
    /** Calls back no more. */
    unsetHandler(type: string, handler: (message: never) => void): void;
    /** Removes all handlers. */
    clearHandlers(): void;
    /** Asks for a configuration: `LineConfig` answers `'line'`. */
    getConfig(objectType: string): void;
    /** Asks for the STUN and TURN servers: `IceConfig` answers. */
    getIceConfig(): void;
    /** Calls the target of a transfer. */
    attendedTransfer(destination: string): void;
    /** Connects it with the party that waits. */
    completeTransfer(): void;
    /** Gives the transfer up. */
    cancelTransfer(): void;
    /**
     * Sends any message; before the connection stands, it waits.
     *
     * @throws `Error` if the connection is closed: what is asked for now must not happen at some other time.
     */
    sendCallback(message: object): void;
    /** Closes the connection. */
    close(): void;
}

/** The client that `xc_webrtc` uses unless it is given another. */
export declare const Cti: CtiClient;

/** The user's line, as the CTI server tells it (`LineConfig`). */
export interface LineConfig {
    /** The SIP user. */
    name: string;
    /** Its password. */
    password: string;
    /** The SIP proxy's name, which is the domain. */
    sipProxyName?: string;
    /** The server's address. */
    xivoIp?: string;
    [member: string]: unknown;
}

/** The STUN and TURN servers, as the CTI server tells them (`IceConfig`). */
export interface IceConfig {
    /** Servers that need no credentials. */
    stunConfig?: {
        urls: string[];
    };
    /** Servers and their credentials, which hold for `ttl` seconds. */
    turnConfig?: {
        urls: string[];
        username: string;
        credential: string;
        ttl: number;
    };
}

/** A STUN or TURN server, with `url` as older browsers had it, or `urls`. */
export interface IceUrl {
    /** One address. */
    url?: string;
    /** One or several. */
    urls?: string | readonly string[];
    /** The TURN user. */
    username?: string;
    /** The TURN password. */
    credential?: string;
}

/** How `init` was called. */
interface Connection {
    name: string;
    ssl: boolean;
    port: number | string;
    token: string | undefined;
    remoteAudio: AudioOutput | undefined;
    ip: string | undefined;
}

/** Throws for arguments of `init` that make no connection. */
declare function checkConnection({ name, port, token, ip }: Connection): void;

/** The phone of a line. */
declare function phoneOfLine(options: SoftphoneOptions): Softphone;

/** The options of the line's phone; throws if the line says too little. */
declare function lineOptions(line: LineConfig, connection: Connection): SoftphoneOptions;

/** The servers of a configuration; none if it has none. */
declare function iceUrls({ stunConfig, turnConfig }: IceConfig): IceUrl[];

export {}
