// Generated from lib/ by "npm run types". Do not edit.
import { AudioInput, AudioOutput, CallOptions, EndReason, Logger, Session, Softphone, SoftphoneOptions, TypedEmitter, VideoOutput, VideoSource } from '../index.js'

/** What lets {@link BandwidthRtc.connect} in. */
export interface RtcAuthParams {
    /** The participant's token, as the server gave it. */
    deviceToken: string;
}

/** Options of {@link BandwidthRtc.connect}: the document's, and what a phone needs where there is no browser. */
export interface RtcOptions extends Pick<SoftphoneOptions, 'iceServers' | 'iceTransportPolicy' | 'audio' | 'tls' | 'httpProxy' | 'codecs' | 'logger'> {
    /** The WebSocket of the SIP server; default the token's. */
    websocketUrl?: string;
    /** The account to register with, if the token brings none along. */
    account?: TokenClaims['sip'];
    /** Where the others are heard; default the phone's speaker. */
    output?: AudioOutput;
}

/** A microphone, a speaker or a camera, as a browser lists it. */
export interface MediaDevice {
    /** Names it, for constraints and outputs. */
    deviceId: string;
    /** What it is. */
    kind: 'audioinput' | 'audiooutput' | 'videoinput';
    /** The name that the system shows. */
    label: string;
    /** Always empty. */
    groupId: string;
}

/**
 * Bandwidth's BandwidthRtc on a native phone.
 *
 * ```ts
 * const bandwidthRtc = new BandwidthRtc()
 * bandwidthRtc.onStreamAvailable((stream) => console.log(stream.alias, 'is here'))
 * bandwidthRtc.onStreamUnavailable((endpointId) => console.log(endpointId, 'is gone'))
 * await bandwidthRtc.connect({ deviceToken })
 * await bandwidthRtc.publish({ audio: true })
 * ```
 */
export declare class BandwidthRtc {
    #private;
    constructor(logLevel?: RtcLogLevel);
    /** The phone behind it while it is connected, for everything beyond the document. */
    get phone(): Softphone | undefined;
    /** Sets the least level of the lines that are logged. */
    setLogLevel(logLevel: RtcLogLevel): void;
    /** Sets the cameras that `getVideoInputs()` lists and `publish()` opens; before `connect()` too. */
    setCameras(cameras: Cameras | undefined): void;
    /**
     * Registers with the account of the token and learns who is in the room; the others are heard from `publish()` on.
     *
     * @throws `BandwidthRtcError` if the token is not one, or if the server or the room refuses it.
     */
    connect(authParams: RtcAuthParams, options?: RtcOptions): Promise<void>;
    /**
     * Publishes sound, pictures or both by a call to the room; resolves once the room has answered. One stream has sound, and with it the
     * others are heard; streams of pictures alone, such as a screen, are published beside it.
     *
     * @param onAudioLevel is told how loud the own stream is, whenever that changes.
     * @param alias names the stream to the others.
     * @throws `BandwidthRtcError`. If there is no camera, sound is published without it, and the stream's `ignored` has `'video'`.
     */
    publish(constraints?: StreamConstraints | AudioInput | VideoSource, onAudioLevel?: (audioLevel: AudioLevel) => void, alias?: string, codecPreferences?: unknown): Promise<RtcStream>;
    /** Ends streams of one's own; without a stream whatever is published. */
    unpublish(...streams: (RtcStream | string)[]): Promise<void>;
    /**
     * Gives the pictures of another participant's stream to a `VideoSink`, for as long as the stream lasts; `'none'` ends that. Resolves
     * once they are on their way.
     *
     * @throws `BandwidthRtcError` if there is no such stream, or if it has no pictures.
     */
    watch(stream: RtcStream | string, output: VideoOutput): Promise<void>;
    /** Sets who is told of each stream of another participant; those that are there already are told at once. */
    onStreamAvailable(callback: (stream: RtcStream) => void): void;
    /** Sets who is told when a stream of another participant is gone. */
    onStreamUnavailable(callback: (endpointId: string) => void): void;
    /** Sets who is told when a stream of one's own has ended otherwise than by `unpublish()`: the participant was removed, or the session is over. */
    onUnpublished(callback: (stream: RtcStream, reason: EndReason) => void): void;
    /** Sends digits into the room's call. */
    sendDtmf(tone: string, streamId?: string): Promise<void>;
    /** Mutes or unmutes the microphone, of the stream that is published and of those to come; before `publish()` it starts muted. */
    setMicEnabled(enabled: boolean, stream?: RtcStream | string): void;
    /**
     * Shows or hides the camera: its picture stands still for the others, and its stream stays. Without a stream it is that of the camera
     * that is published, and of those to come; before `publish()` it starts hidden. A screen is hidden by its stream.
     */
    setCameraEnabled(enabled: boolean, stream?: RtcStream | string): void;
    /** Lists microphones, speakers and cameras. */
    getMediaDevices(kind?: MediaDevice['kind']): Promise<MediaDevice[]>;
    /** Lists microphones. */
    getAudioInputs(): Promise<MediaDevice[]>;
    /** Lists speakers. */
    getAudioOutputs(): Promise<MediaDevice[]>;
    /** Lists the cameras of `setCameras()`. */
    getVideoInputs(): Promise<MediaDevice[]>;
    /** Leaves the room and the server; afterwards nothing keeps the process alive. Every stream becomes unavailable. */
    disconnect(): Promise<void>;
}

/** Options of {@link Rooms}. */
export interface RoomsOptions {
    /** The SIP address of the phone that hosts the rooms, which participants call: its `uri`. */
    address: string;
    /** The account that a participant's token brings along; without it the participants' phones have accounts of their own. */
    account?: RoomAccount | ((participant: Participant) => RoomAccount | PromiseLike<RoomAccount>);
    /** What somebody hears who is alone in a room, such as ringing until the first peer comes; default nothing. */
    waiting?: AudioInput;
    /** Milliseconds after which a session ends whatever goes on in it; default nine hours. */
    purgeAfter?: number;
    /** Milliseconds for which a token lets its participant in; default as long as `purgeAfter`. */
    tokenLifetime?: number;
    /** The most participants of one session; default 50. */
    maxParticipants?: number;
    /** Where mistakes are told that no promise reports; default `console`. */
    logger?: Pick<Logger, 'warn'>;
}

/** Somebody who may take part in a session. */
export interface Participant {
    /** Names the participant. */
    readonly id: string;
    /** What the application calls the participant; others see it in the roster. */
    readonly tag?: string;
    /** The session that the participant was added to. */
    readonly sessionId?: string;
    /** Whether the participant is in the room now. */
    readonly connected: boolean;
}

/** A room that participants are added to. */
export interface RoomSession {
    /** Names the session. */
    readonly id: string;
    /** What the application calls the session. */
    readonly tag?: string;
}

/** Options of {@link Rooms.createParticipant} and {@link Rooms.createSession}. */
export interface TagOptions {
    /** What the application calls it, 256 characters at most. */
    tag?: string;
}

/** What {@link Rooms.createParticipant} gives. */
export interface CreatedParticipant {
    participant: Participant;
    /** What the participant's `BandwidthRtc.connect()` takes. Who has it is the participant: keep it out of logs. */
    token: string;
}

/** Why a session is over: the application ended it, or it had lasted too long. */
export type RoomEnd = 'ended' | 'purged';

/** The events of {@link Rooms} with their listeners' arguments. */
export interface RoomsEvents {
    /** A participant came into the room. */
    participantJoined: [sessionId: string, participant: Participant, session: Session];
    /** A participant left the room. */
    participantLeft: [sessionId: string, participant: Participant, reason: EndReason];
    /** A session is over: it was ended, or it was purged. */
    sessionEnded: [session: RoomSession, why: RoomEnd];
}

/**
 * Rooms for several people, hosted by one phone: what a server asks of Bandwidth's WebRTC API.
 *
 * ```ts
 * const phone = new Softphone({ ...account, notifies: ['conference'], audio: 'none' })
 * const rooms = new Rooms(phone, { address: account.uri, account: guests })
 * await phone.initialize()
 * const { id } = await rooms.createSession()
 * const { participant, token } = await rooms.createParticipant({ tag: 'Ann' })
 * await rooms.addParticipantToSession(id, participant.id)
 * ```
 *
 * Calls and subscriptions without a participant's token are left to the application; if it listens for none, they are refused.
 */
export declare class Rooms extends TypedEmitter<RoomsEvents> {
    #private;
    constructor(phone: Softphone, options: RoomsOptions);
    /** Makes a session: a room without anybody in it. */
    createSession({ tag }?: TagOptions): Promise<RoomSession>;
    /** The session of this id. */
    getSession(sessionId: string): Promise<RoomSession>;
    /** Makes a participant, who takes part in nothing yet, and the token by which they are known. */
    createParticipant({ tag }?: TagOptions): Promise<CreatedParticipant>;
    /** Lets a participant into a session, where they hear and are heard by everybody else in it. */
    addParticipantToSession(sessionId: string, participantId: string): Promise<void>;
    /** Takes a participant out of a session: their call ends, and their token is void. */
    removeParticipant(sessionId: string, participantId: string): Promise<void>;
    /** The participant of this id. */
    getParticipant(participantId: string): Promise<Participant>;
    /** Who may take part in a session, and who does. */
    getParticipants(sessionId: string): Promise<Participant[]>;
    /** Ends a session: every call in it ends, and the participants' tokens are void. */
    endSession(sessionId: string): Promise<void>;
    /**
     * Calls a telephone number, or a SIP address, for a participant of a session, who is in the room once it answers;
     * resolves then. The roster shows them as being called until then.
     */
    dial(participantId: string, number: string, options?: Omit<CallOptions, 'mediaStream' | 'audioElement'>): Promise<Session>;
    /** Brings a call of the host's phone into the room of the participant whose token this is: one that the application placed or took. */
    admit(token: string, session: Session): Promise<void>;
    /** Ends every session, and leaves the phone to the application. */
    close(): Promise<void>;
}

/** What a stream carries. */
export type MediaType = 'AUDIO' | 'VIDEO';

/** How loud a stream is. */
export type AudioLevel = 'silent' | 'low' | 'high';

/** One stream of a participant: microphone and camera, or a screen. */
export interface RtcStream {
    /** Names the stream in the room. */
    endpointId: string;
    /** What it carries; of another participant's what it carries now. */
    readonly mediaTypes: MediaType[];
    /**
     * Of the own stream the sound that is sent; of another participant's the session in which all of them are heard together, which
     * other calls take as their input. It is played by `publish()` already; undefined until then. Pictures come by `watch()`.
     */
    readonly mediaStream: AudioInput | Session | undefined;
    /** Of the own stream: the pictures that are sent. */
    readonly videoInput?: VideoSource;
    /** The name that its publisher gave it. */
    alias?: string;
    /** Whose it is. */
    participantId?: string;
    /** Of the own stream: the constraints that have no effect, such as `'audio.echoCancellation'`; left out if there are none. */
    ignored?: string[];
}

/**
 * What to publish: a browser's constraints, or inputs. Of a microphone its device counts, of a camera its device, its size and its frame
 * rate; the stream's `ignored` names what does not.
 */
export interface StreamConstraints {
    audio?: boolean | {
        deviceId?: DeviceConstraint;
        [constraint: string]: unknown;
    } | AudioInput;
    video?: boolean | VideoConstraints | VideoSource;
}

/** What a constraint of a number may say, as in a browser. */
export type NumberConstraint = number | {
    exact?: number;
    ideal?: number;
    max?: number;
    min?: number;
};

/** What a camera's pictures should be, as in a browser. */
export interface VideoConstraints {
    deviceId?: DeviceConstraint;
    width?: NumberConstraint;
    height?: NumberConstraint;
    frameRate?: NumberConstraint;
    [constraint: string]: unknown;
}

/** A camera, as {@link Cameras} list it. */
export interface Camera {
    /** Names it, for constraints. */
    deviceId: string;
    /** The name that the system shows. */
    label: string;
}

/** What {@link Cameras.open} is asked for; what is left out is the camera's choice. */
export interface CameraRequest {
    deviceId: string;
    /** Pixels in a row. */
    width?: number;
    /** Rows. */
    height?: number;
    /** Pictures a second. */
    frameRate?: number;
}

/**
 * The cameras of the application: this package opens none itself. A page lists and captures them, and gives their pictures by
 * `publish()` of `offhook/renderer`.
 */
export interface Cameras {
    /** Lists them, the default one first. */
    list(): readonly Camera[] | PromiseLike<readonly Camera[]>;
    /** Opens one. */
    open(request: CameraRequest): VideoSource | PromiseLike<VideoSource>;
    /** Told when nobody shows what `open` gave any more. */
    close?(source: VideoSource): void;
}

/** What a constraint may say, as in a browser. */
export type DeviceConstraint = string | readonly string[] | {
    exact?: string | readonly string[];
    ideal?: string | readonly string[];
};

/** The SIP account with which a participant's phone registers, such as one that all guests share. */
export type RoomAccount = Pick<SoftphoneOptions, 'uri' | 'displayName' | 'username' | 'ha1' | 'realm' | 'authorization' | 'servers' | 'register'> & {
    uri: string;
    password?: string;
    accessToken?: string;
};

/**
 * What a participant's token says: a JSON Web Token without a signature, for what lets a participant in is `key`, which only
 * the rooms' server and the participant know. Who issues tokens of its own writes the same claims.
 */
export interface TokenClaims {
    /** The form of these claims. */
    v: 'sip1';
    /** The participant's id. */
    sub: string;
    /** The SIP address that hosts the rooms. */
    room: string;
    /** What the participant shows to be let in, as the header `X-Participant-Token` of its INVITE and SUBSCRIBE. */
    key: string;
    /** Seconds since 1970 until which the token is good. */
    exp: number;
    /** The account to register with. */
    sip?: RoomAccount;
}

/** The header that names a participant to the rooms' host. */
declare const TOKEN_HEADER = "X-Participant-Token";

/** The header in which a participant's phone chooses the id of its stream. */
declare const ENDPOINT_HEADER = "X-Endpoint-Id";

/** The header of a call beside the one that takes part: `publish` shows something more, such as a screen, `watch` sees what somebody publishes. */
declare const CALL_HEADER = "X-Room-Call";

/** The header with the name of a participant's stream. */
declare const ALIAS_HEADER = "X-Stream-Alias";

/** Reads a token; the errors name what is wrong and never show it. */
declare function readToken(token: unknown): TokenClaims;

/** What is logged at least; `silent` logs nothing. */
export type RtcLogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The log of one BandwidthRtc, its phone's included, whose level can be changed at any time. */
declare class RtcLog {
    #private;
    constructor(level: RtcLogLevel);
    to(logger: Logger | undefined): void;
    setLevel(level: RtcLogLevel): void;
    info(message: string): void;
    warn(message: string): void;
    /** What the phone is made with, so that its lines come here. */
    forPhone(): Pick<SoftphoneOptions, 'logger' | 'logLevel'>;
    follow(phone: Softphone): void;
}

/** What {@link BandwidthRtc} and {@link Rooms} fail with; `cause` says what is behind it, if something is. */
export declare class BandwidthRtcError extends Error {
    constructor(message: string, options?: {
        cause?: unknown;
    });
}

export {}
