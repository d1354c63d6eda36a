import type { AudioSink } from './audio-sink'
import type { AudioSource } from './audio-source'
import type { EndCondition } from './end-reason'
import type { DtmfMethod, PendingSession } from './events'
import type { Session } from './session'
import type { VideoSink } from './video-sink'
import type { VideoCodec, VideoSource } from './video-source'

/** A level of the log, from the most to the least talkative. */
export type LogLevel = 'trace' | 'debug' | 'log' | 'info' | 'warn' | 'error'

/**
 * Where log lines go: `console`, pino, winston, bunyan, or anything with these four methods.
 *
 * A logger with `child()` and without `log()`, as pino and bunyan are, is given the details first and the message behind them. What
 * a logger throws is told once, by `process.emitWarning`, and harms no call.
 */
export interface Logger {
  debug(message: string, details?: unknown): void
  /** Never called: loggers mean different things by it. */
  log?(...line: any[]): void
  info(message: string, details?: unknown): void
  warn(message: string, details?: unknown): void
  error(message: string, details?: unknown): void
}

/** A SIP-over-WebSocket server. */
export interface Server {
  /** `ws://…` or `wss://…`. */
  url: string
  /** Lower is tried first; default 0. */
  priority?: number
  /** Share of the first tries among servers of one priority; default 1. */
  weight?: number
}

/** TLS of the WebSocket; texts are PEM. */
export interface TlsOptions {
  /** Certificates to trust in addition to the system's, PEM. */
  ca?: string | Buffer | readonly (string | Buffer)[]
  /** The client's certificate chain, PEM. */
  cert?: string | Buffer
  /** The client's private key, PEM. */
  key?: string | Buffer
  /** The name to ask for and to verify, if it is not the URL's host. */
  servername?: string
  /**
   * The SHA-256 of the SubjectPublicKeyInfo of the server's own certificate, in base64 (RFC 7469 §2.4), or several for a change of
   * keys: any other key is refused, also if its certificate is trusted. Checked with `rejectUnauthorized: false` too.
   */
  pin?: string | readonly string[]
  /** False accepts any certificate, which is for tests only; default true. */
  rejectUnauthorized?: boolean
}

/** A STUN or TURN server, as in W3C webrtc-pc. */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port`, `turn:host:port?transport=tcp`, `turns:host:port` (TLS), or several (RFC 7064, RFC 7065). */
  urls: string | readonly string[]
  /** The TURN user. */
  username?: string
  /** The TURN password. */
  credential?: string
  /**
   * When the credential ends, in milliseconds since 1970, such as `Date.now() + ttl * 1000`: an {@link IceServersFunction} is asked
   * again before. Without it the time counts that stands in a username such as `1767225600:alice`, in seconds (TURN REST).
   */
  expires?: number
}

/** The UDP ports of media, both ends included. */
export interface PortRange {
  /** 1024–65535. */
  min: number
  /** `min`–65535. */
  max: number
}

/** An audio codec by its SDP name. */
export type CodecName = 'opus' | 'G722' | 'PCMU' | 'PCMA'

/** A sine tone. */
export interface ToneInput {
  /** Hertz, 20–20000. */
  tone: number
  /** Decibels relative to full scale, −60 to 0; default −18. */
  level?: number
}

/**
 * A WAV file: PCM of 8, 16, 24 or 32 bits, floating point of 32 or 64, A-law or µ-law, with a plain or an extensible header,
 * also as RF64, at 4 to 384 kHz. Its channels, 32 at most, become one.
 */
export interface WavInput {
  /** The file's path. */
  wav: string
  /** Starts anew at the end; default false. */
  loop?: boolean
  /** Decibels relative to what is in the file, −60 to 0; default 0. */
  level?: number
}

/** One input of a mix. */
export type MixedInput = 'default' | (string & {}) | DeviceChoice | AudioSource | WavInput | ToneInput | Session

/** Inputs that are heard together, such as a bot's voice over the sounds of an office. */
export interface MixInput {
  /** One to 16 of them, none of them a mix. Each `AudioSource` and each session is there once; what can't be opened fails the whole. */
  mix: readonly MixedInput[]
}

/** A device by the id that `listDevices()` gives. */
export interface DeviceChoice {
  /** The device's id. */
  device: string
}

/** A WAV file to write what is heard into: 16-bit mono PCM, at the rate of the first sound. */
export interface WavOutput {
  /** The file's path; an existing file is overwritten. */
  wav: string
}

/**
 * Where a call's outgoing sound comes from: `'default'` (the system's microphone), `'none'` (silence),
 * the id of a device, PCM that the application writes, a WAV file, a tone, what another session hears, or a mix of these.
 */
export type AudioInput = 'none' | MixedInput | MixInput

/**
 * Where a call's incoming sound goes: `'default'` (the system's speaker), `'none'`, the id of a device,
 * PCM that the application reads, a WAV file, or several of these at once.
 */
export type AudioOutput = SingleOutput | readonly SingleOutput[]

/** One of the places that a call's incoming sound goes to. */
export type SingleOutput = 'default' | 'none' | (string & {}) | DeviceChoice | AudioSink | WavOutput

/**
 * What the other side sees: frames or pictures that the application writes, a file, what the other side of another call shows, or
 * `'none'`, which sends nothing and takes the other side's pictures.
 */
export type VideoInput = 'none' | VideoSource | Y4mInput | IvfInput | StreamInput

/** Where the pictures of a stream go: to the application, into a file, or nowhere. */
export type VideoOutput = 'none' | VideoSink | Y4mOutput | IvfOutput

/** Pictures of another session of the same phone, forwarded as they come: nothing is decoded or copied, and many may show them. */
export interface StreamInput {
  /** The id of that session. */
  session: string
  /** The id of a stream of its other side, as `streams` and `streamAvailable` give it. */
  stream: string
}

/** A file of raw pictures, which are encoded natively (VP8) and paced by its frame rate. */
export interface Y4mInput {
  /** The path of a YUV4MPEG2 file: progressive, 4:2:0, 8 bits, at most 3840 × 2160 pixels. */
  y4m: string
  /** Begins again at its end; default false: then the last picture stands still. */
  loop?: boolean
}

/** A file of encoded frames, paced by its time stamps; a key frame comes only if it has one there. */
export interface IvfInput {
  /** The path of an IVF file. */
  ivf: string
  /** The codec of its frames; default `'vp8'`. With another in the file the call goes on with a `warning`. */
  codec?: VideoCodec
  /** Begins again at its end; default false: then the last picture stands still. */
  loop?: boolean
}

/** A file of raw pictures, decoded natively (VP8 only), at 30 a second and in the size of the first; whole after each picture. */
export interface Y4mOutput {
  /** The path of a YUV4MPEG2 file, created or overwritten. */
  y4m: string
}

/** A file of encoded frames as they come, from a key frame on; whole after each frame. */
export interface IvfOutput {
  /** The path of an IVF file, created or overwritten. */
  ivf: string
}

/**
 * What is done to the sound of a microphone before the other side hears it; names and meaning are those of W3C's
 * `MediaTrackConstraints`. By default each is done while a microphone stands open beside a loudspeaker, so that it hears the
 * loudspeaker and the room. None is done by default with a device that is known for a headset or headphones by its name, which the
 * default device of a Linux sound server does not tell. What is no microphone (a WAV file, an `AudioSource`, a tone, another session)
 * is sent as it is, whatever stands here.
 */
export interface AudioProcessing {
  /** Takes what the loudspeaker plays out of the microphone's sound. */
  echoCancellation?: boolean
  /** Lowers what is not speech. Music and steady tones are not. */
  noiseSuppression?: boolean
  /** Brings speech to an even level. */
  autoGainControl?: boolean
}

/** The devices of a phone, and what is done to its microphone's sound. */
export interface AudioOptions extends AudioProcessing {
  /** Default `'default'`: the system's microphone. */
  input?: AudioInput
  /** Default `'default'`: the system's speaker. */
  output?: AudioOutput
  /** Where it rings, as with `tones`: a loudspeaker beside a headset; default `output`. */
  ring?: AudioOutput
  /**
   * What is used while a chosen device is away that vanished in a call. `'default'`, which is the default, takes the system's
   * until the chosen one is back, with a `warning` that names both. `'none'` takes nothing. A device that was never there is
   * replaced by nothing. If the sound server moves the sound of a vanished device by itself, as PulseAudio does, that is noticed
   * within some two seconds, and then this counts.
   */
  fallback?: 'default' | 'none'
}

/** A country whose tones are known, by its code of ISO 3166-1. */
export type ToneCountry =
  | 'at'
  | 'au'
  | 'be'
  | 'br'
  | 'ca'
  | 'ch'
  | 'cn'
  | 'de'
  | 'es'
  | 'fr'
  | 'gb'
  | 'in'
  | 'it'
  | 'jp'
  | 'nl'
  | 'nz'
  | 'se'
  | 'us'

/** What a phone sounds like around a call; the tones are those of ITU-T E.180, Supplement 2. */
export interface ToneOptions {
  /** Whose tones; default those that ITU-T E.180 recommends: 425 Hz, one second in five. */
  country?: ToneCountry
  /**
   * Rings at `audio.ring` while a call waits for an answer, in the country's rhythm or by a WAV file that starts over at its
   * end; default true. What is answered by itself does not ring, and during a call `callWaiting` sounds instead.
   */
  ring?: boolean | Omit<WavInput, 'level'>
  /**
   * What is heard at a session's output while its callee rings and lets nothing be heard (RFC 3960: after a 180, until the
   * first sound); default true.
   */
  ringback?: boolean
  /** A soft tone in the calls that are talked in while another one waits; default true. */
  callWaiting?: boolean
}

/** Which calls are answered without asking: see {@link SoftphoneOptions.autoAnswer}. */
export type AutoAnswerPolicy = 'off' | 'announced' | 'headers' | 'always'

/** Decides about one call within 2 s; after that, and when it fails, the call rings. */
export type AutoAnswerDecision = (invite: PendingSession) => boolean | PromiseLike<boolean>

/**
 * Names the proxy for one attempt to connect: its URL, or what a PAC script's `FindProxyForURL` answers, such as
 * `'PROXY proxy.example.com:3128; DIRECT'`, whose ways are tried in their order; null is the direct way. `url` is the server's
 * without its query. There are ten seconds to answer; what the function throws fails the attempt with `ERR_PROXY_FAILED`.
 */
export type ProxyFunction = (url: string) => string | null | undefined | PromiseLike<string | null | undefined>

/**
 * Gives STUN and TURN servers, with credentials for a limited time. It is asked before a call gathers its addresses, and a minute
 * before the credentials end while calls run (after half of their time, if that is shorter). What it gave is used again until then; without an end for a minute. Two seconds are waited for it, and
 * not again while it is that slow. What it throws, or gives that is no list of servers, is a `warning` of the calls, `ice-server`: they go on with what it gave last.
 */
export type IceServersFunction = () => readonly IceServer[] | PromiseLike<readonly IceServer[]>

/** Auto-answer in detail. */
export interface AutoAnswerOptions {
  /** Which calls; default `'announced'`, with the PureCloud triple `'headers'`. */
  policy?: AutoAnswerPolicy | AutoAnswerDecision
  /** Milliseconds to ring first, if the call names no delay; default 0. */
  delay?: number
  /** What to do while another call is active: let it ring (the default), answer it as well, or reject it with 486. */
  whenBusy?: 'ring' | 'answer' | 'reject'
  /**
   * SIP addresses and domains that are answered under every policy but `'off'`. What the server asserts counts
   * (P-Asserted-Identity, RFC 3325); if it asserts nobody, From does, which is the caller's own word unless the server checks it.
   */
  trustedPeers?: readonly string[]
  /** Beeps before the microphone opens; default false. */
  beep?: boolean
  /** What such a caller sees of the camera; default: its video is refused. A `VideoSource` shows one call at a time. */
  video?: Exclude<VideoInput, StreamInput>
  /** What such a caller sees of the screen; default: a screen of its own is refused. */
  screen?: Exclude<VideoInput, StreamInput>
}

/** Options of a {@link Softphone}. Either `uri`, or `accessToken` with `environment`, says who it is. */
export interface SoftphoneOptions {
  /** The user's access token, or a function that fetches one and is asked again before it expires; sent as a bearer token (RFC 8898). */
  accessToken?: string | (() => string | PromiseLike<string>)
  /** The SIP domain of the PureCloud triple; `servers` defaults to `wss://<environment>/ws`. */
  environment?: string
  /** The organization's GUID, sent as `X-Organization-Id`. */
  orgId?: string
  /** Keeps calls when the WebSocket is lost; default true. With false every call ends with `connectivity-error`. */
  sessionSurvivability?: boolean
  /** Answers announced calls by itself; default true. An explicit `autoAnswer` wins over it. */
  autoAnswerOutboundCalls?: boolean
  /** Connects sessions as soon as they are accepted; default true. With false nothing is sent until `session.accept()`. */
  autoConnectSessions?: boolean
  /** STUN and TURN servers, or a function that gives them; default none. One of no use is a `warning` of the call, `ice-server`. */
  iceServers?: readonly IceServer[] | IceServersFunction
  /** `'relay'` uses TURN only; default `'all'`. */
  iceTransportPolicy?: 'all' | 'relay'
  /**
   * The UDP ports of media, for a firewall that lets only those through; default any that the system gives. A call takes one on each
   * of the machine's addresses, for sound, pictures and RTCP together. If all are taken, the call fails with `ERR_MEDIA`.
   */
  portRange?: PortRange
  /**
   * The interfaces whose addresses media may use and others are told: by name, `'eth0'` or `'docker*'`, by address, or by network,
   * `'10.0.0.0/8'`. With `!` in front, all but those; default all. The WebSocket, and TURN over TCP and TLS, go as the system has it.
   */
  interfaces?: readonly string[]
  /** Where log lines go; default `console`. */
  logger?: Logger
  /** The least important level that is logged; default `'info'`. `trace` goes to the logger's `debug`, and `log` to its `info`. The `trace` event is not affected. */
  logLevel?: LogLevel

  /** The address of record: `sip:alice@example.com`. */
  uri?: string
  /** The name shown to the other party. */
  displayName?: string
  /**
   * The servers, tried in order; default `wss://<domain>/ws`. `'wss://…'` and `'ws://…'` are SIP over WebSocket (RFC 7118),
   * `'sips:pbx.example.com'` is SIP over TLS, `'sip:pbx.example.com;transport=tcp'` over TCP, and `'sip:pbx.example.com'` over UDP;
   * the port is 5061 with TLS and 5060 without, if none is named.
   */
  servers?: string | Server | readonly (string | Server)[]
  /** The user for authentication; default the user of `uri`, or the `sub` claim of the token. */
  username?: string
  /** The password for digest authentication. */
  password?: string
  /** MD5 of `username:realm:password` in hexadecimal, instead of `password`. */
  ha1?: string
  /**
   * The realms whose challenges are answered; default those in which the registrar, or the proxy of the own domain, has
   * challenged. For `accessToken` and for `ha1`, which was made for one realm, the default is the domain. A platform that asks
   * in several realms needs all of them here. Nobody else's challenge is answered, and none with a weaker algorithm than before
   * unless `register()` or `initialize()` is called after the registration was refused (SECURITY.md, RFC 8760).
   */
  realm?: string | readonly string[]
  /** Registers on `initialize()`; default true. */
  register?: boolean
  /** The lifetime of the registration to ask for, in seconds, 1–86400; default 600. */
  registerExpires?: number
  /** The UUID of this installation for SIP outbound (RFC 5626); default a new one. Keep one per installation. */
  instanceId?: string
  /**
   * A file in which the next process with the same `instanceId`, which is then required, finds the calls that this one leaves behind if it is
   * killed: `phone.orphans`. One for each phone; only its owner can read it, and it holds whom calls are with, and what ends them, but no
   * password, token or key. Default none.
   */
  journal?: string
  /** The `User-Agent` header; default `offhook/<version>`. */
  userAgent?: string
  /** Headers to add to requests outside of calls and to each INVITE that starts one, 64 at most. `trace` shows them: no secrets. */
  extraHeaders?: Readonly<Record<string, string>>
  /** The `transport` parameter of the Contact over WebSocket; default `'ws'`, as RFC 7118 wants it; false leaves it away. */
  contactTransport?: 'ws' | 'wss' | false
  /**
   * The host of the Contact, with or without a port, for servers that look at it; default a name of this phone's that nobody
   * can resolve, as RFC 7118 wants it, for calls come over the WebSocket. Over UDP, TCP and TLS the default is this machine's address.
   */
  contactHost?: string
  /** TLS of a `wss:` or `sips:` server. */
  tls?: TlsOptions
  /**
   * The proxy of the connection to a server, unless that is over UDP: `'http://…'` or `'https://…'` (CONNECT, RFC 9110) or `'socks5://…'` (RFC 1928), with `user:password@`
   * if it wants them, odd characters as `%40`; it resolves the server's name. `'environment'` takes `HTTPS_PROXY` for `wss:` and TLS,
   * `HTTP_PROXY` for `ws:` and TCP, else `ALL_PROXY`, but none for a host of `NO_PROXY` or this machine, as they are when the phone is made.
   * A function is asked before each attempt. False is none, which is the default unless Node itself was told to take the
   * environment's (`NODE_USE_ENV_PROXY=1` or `--use-env-proxy`). Sound takes its own way: see `iceServers`.
   */
  httpProxy?: string | false | ProxyFunction
  /** A route set that every request outside a dialog takes: SIP URIs. */
  outboundProxy?: string | readonly string[]
  /**
   * Sends the bearer token when the registrar or the own proxy asks for it (the default), or unasked with every request to the
   * own domain and in every call placed there. Nobody else can ask for it (RFC 8898); a caller whose Contact names the own
   * domain is taken for a part of it, so use `'always'` only if the platform lets no stranger do so.
   */
  authorization?: 'challenge' | 'always'
  /** Allows to send the bearer token over a connection without TLS; default false. */
  allowInsecure?: boolean
  /** The headers that carry the conversation's id, the first one also in calls placed; default the well-known ones. */
  conversationIdHeader?: string | readonly string[]

  /**
   * Which incoming calls are answered without asking: `'announced'`, the default, those that `expectCall()` announced
   * and those of `trustedPeers`; `'headers'`, the default with the PureCloud triple, also those whose headers ask for it.
   * A call that takes the place of an answered one (Replaces, RFC 3891) is answered under every policy if the other side of
   * that call asks itself or has referred the caller; it is as muted and as held as that one was.
   */
  autoAnswer?: AutoAnswerPolicy | AutoAnswerDecision | AutoAnswerOptions
  /**
   * Whether a 3xx answer is followed to the addresses it names; default false, because the callee would choose what is
   * dialled at your expense. A call that is not followed ends with that answer in its reason, `targets` included; one that is
   * tries the addresses by their preference, none twice and five at most, and tells of each by `redirected`.
   */
  followRedirects?: boolean
  /**
   * The most sessions at once, pending ones included; `whenFull` says what one more hears. Default unlimited. With
   * `whenFull: 'unavailable'` it is the capacity of one of several phones behind a proxy.
   */
  maxSessions?: number
  /**
   * The most incoming calls that may wait for somebody at once, 1–1000; default 32. `whenFull` says what one more hears. Your
   * own calls, those that were accepted and those that `autoAnswer` answers within 2 s do not count. An application that accepts
   * calls itself needs room for as many as may come before its listener has run.
   */
  maxRinging?: number
  /**
   * What a caller hears while `maxSessions` or `maxRinging` is reached: `'busy'`, the default, 486 (Busy Here), which a PBX
   * treats as it treats a person who is talking; or `'unavailable'`, 503 (Service Unavailable) with `Retry-After`, after which a
   * proxy tries another phone (RFC 3261 §16.7) and leaves this one alone for a while. OPTIONS is answered in the same way, and with
   * `'unavailable'` its answers say in `X-Load` how full this phone is, `0.00` to `1.00`: by `maxSessions` or by {@link Softphone.load},
   * whichever is more.
   */
  whenFull?: 'busy' | 'unavailable'
  /** Milliseconds that an incoming call rings before it is given up, 1000–3600000; default 60000. */
  noAnswerTimeout?: number
  /**
   * Milliseconds without anything of the other party (RTP, RTCP or consent, RFC 7675) until an answered call ends with
   * `connectivity-error`, 1000–3600000; default 60000. `interrupted` is true from the fifth second on, and ICE is restarted
   * meanwhile, so less than 8000 is as 8000. A party on hold that sends no sound is there as long as it consents.
   */
  mediaTimeout?: number
  /**
   * Session timers (RFC 4028): both sides learn that a call is dead although no BYE came, for it is refreshed at half
   * its interval and ends with `expired` without. Default true; false asks for none and agrees to none.
   */
  sessionTimers?: boolean | SessionTimerOptions
  /** The codecs to offer and accept, best first; default `['opus', 'G722', 'PCMU', 'PCMA']`. */
  codecs?: readonly CodecName[]
  /**
   * Pauses of speech are left out of what is sent (DTX), and of what is received if the other side can: of Opus by itself; in G.711
   * and G.722 comfort noise (RFC 3389) stands for them, if the other side takes it. Default false. Comfort noise is heard in any case.
   */
  dtx?: boolean
  /** How digits of the other party are heard. */
  dtmf?: DtmfReception
  /** How Opus is run; `{ rate: 16000, complexity: 1 }` takes a quarter of the CPU, for many calls at once. */
  opus?: OpusOptions
  /** The devices of calls that name none; `'none'` opens nothing. */
  audio?: AudioOptions | 'none'
  /**
   * The sounds that the phone makes by itself: true or a country for all of them, or each by itself. Default none: an
   * application rings in its own way, and a voice bot must not.
   */
  tones?: boolean | ToneCountry | ToneOptions
  /** What a party on hold hears, if `hold()` names nothing else; default `'none'`, which is silence. */
  holdMusic?: AudioInput
  /**
   * One call is heard at a time: placing, accepting or resuming one holds the others, so that `resume()` swaps two calls.
   * Default false: all are heard at once.
   */
  holdOthers?: boolean
  /**
   * Ends the calls and the registration when the process ends: at `process.exit()`, by an error that nobody caught, at its natural
   * end, or by SIGTERM, SIGINT or SIGHUP if the application does not listen for them (not on Windows). The end waits for that,
   * 500 ms at most for all phones together; what was sent before goes first, and a server that does not read it in that time may
   * get no goodbye. False lets the process end at once, and leaves the other side to its time-outs.
   * Default true.
   */
  hangUpOnExit?: boolean
  /** Event packages to which others may subscribe, such as `['conference']`; each is asked for with `subscriptionRequest`. Default none. */
  notifies?: readonly string[]
  /**
   * Milliseconds after which a call is set up with the ICE candidates found so far; default 5000. Servers are waited for
   * one second at most if the machine's own addresses may be used; what they answer later still serves the call.
   */
  iceGatheringTimeout?: number
}

/** How digits of the other party are heard. RFC 4733 and INFO always are. */
export interface DtmfReception {
  /**
   * Listens for tones in the sound itself (ITU-T Q.24: at least 40 ms, down to −30 dBm0): `'auto'`, the default, if the
   * other party agrees to no telephone events; true in any case, until it sends one, so that no digit comes twice.
   * It costs 1 to 3 µs for each 10 ms of sound.
   */
  inband?: 'auto' | boolean
}

/** The intervals of session timers (RFC 4028). */
export interface SessionTimerOptions {
  /** Seconds to ask for, 90–86400; default 1800. */
  expires?: number
  /** The fewest seconds to agree to; shorter ones get 422. 90–86400, default 90. */
  minSe?: number
}

/** How Opus is run. */
export interface OpusOptions {
  /** Samples per second of the sound that is encoded and decoded, whatever the peer uses; default 48000. */
  rate?: 8000 | 16000 | 24000 | 48000
  /** Bits per second to send, 6000–510000; default 32000, with a `rate` of 16000 or less 24000. */
  bitrate?: number
  /** The effort for sounding better, also if packets are lost, 0–10; default 5. */
  complexity?: number
}

/** Options of what waits. */
export interface Abortable {
  /**
   * Gives up: the promise rejects with `ERR_ABORTED`, whose `cause` is `signal.reason`. What can be taken back is: a call that is not
   * answered, digits that wait, a subscription that the server has not agreed to. Anything else that the other side has been asked
   * goes on.
   */
  signal?: AbortSignal
}

/** Options of {@link Session.hold}. */
export interface HoldOptions extends Abortable {
  /** What the other party hears meanwhile; default the phone's `holdMusic`. */
  music?: AudioInput
  /** How it is told: `'invite'` (the default), or `'update'` (RFC 3311), which goes by re-INVITE if the other party takes no UPDATE. */
  via?: 'invite' | 'update'
}

/** Options of {@link Session.attendedTransfer}. */
export interface AttendedTransferOptions extends Abortable {
  /**
   * What happens if the other call is not answered yet: `'wait'` (the default) waits for its answer; `'blind'` gives it up and
   * has its target called, as {@link Session.transfer} does. The `signal` takes back a transfer that waits; both calls go on.
   */
  ringing?: 'wait' | 'blind'
}

/** Who sits at this machine in a conference. */
export interface ConferenceOptions {
  /** What the members hear of this machine; default the phone's `audio.input`. `'none'` only mixes. */
  input?: AudioInput
  /** Where the members are heard; default the phone's `audio.output`. */
  output?: AudioOutput
}

/** Options of {@link Softphone.acceptPendingSession}. */
export interface AcceptOptions {
  /** Where the outgoing sound comes from; default the phone's `audio.input`. */
  mediaStream?: AudioInput
  /** Where the incoming sound goes; default the phone's `audio.output`. */
  audioElement?: AudioOutput
  /** What is done to its microphone's sound; what is not named is as in the phone's `audio`. */
  audio?: AudioProcessing
  /** False opens no device by itself; true opens them but leaves connecting to `session.accept()`, unless `autoConnectSession` says otherwise. */
  autoStartMedia?: boolean
  /** Connects at once; default the phone's `autoConnectSessions`. */
  autoConnectSession?: boolean
  /** Headers to add to the answer. */
  headers?: Readonly<Record<string, string>>
  /** How `speechStarted` and `speechEnded` are found. */
  voiceActivity?: VoiceActivityOptions
  /** What the caller sees of the camera; with `'none'` only its own pictures are taken. Default: its video is refused. */
  video?: VideoInput
  /** What the caller sees of the screen; with `'none'` only one of its own is taken. Default: its screen is refused. */
  screen?: VideoInput
}

/** How `speechStarted` and `speechEnded` are found, while somebody listens to them. */
export interface VoiceActivityOptions {
  /** Milliseconds of silence after which the other side's turn has ended, 100–10000; default 500. */
  endOfTurn?: number
}

/** Options of {@link Softphone.answer}. */
export interface AnswerOptions extends AcceptOptions, Abortable {}

/** How what somebody asks for is refused. */
export interface RefusalOptions extends Abortable {
  /** The SIP status, 300–699. */
  code?: number
  /** The reason phrase; default the status's own. */
  reason?: string
}

/** Options of {@link Softphone.rejectPendingSession}. */
export interface RejectOptions extends RefusalOptions {
  /** The SIP status, 300–699; default 486 (busy here). 603 declines on all of the user's phones. */
  code?: number
  /** The Q.850 cause to name beside it (RFC 6432), 1–127; default none. */
  cause?: number
}

/** Options of {@link Softphone.drain}. */
export interface DrainOptions extends Abortable {
  /** Milliseconds after which it resolves although calls are left; default as long as they last. */
  timeout?: number
  /** The SIP status that whoever calls is answered, 400–699; default 503, with `Retry-After`, after which a proxy tries another phone. */
  code?: number
}

/** Why a call is diverted (RFC 5806). */
export type DiversionReason =
  | 'away'
  | 'deflection'
  | 'do-not-disturb'
  | 'follow-me'
  | 'no-answer'
  | 'out-of-service'
  | 'time-of-day'
  | 'unavailable'
  | 'unconditional'
  | 'unknown'
  | 'user-busy'

/** Options of {@link Softphone.redirectPendingSession}. */
export interface RedirectOptions extends Abortable {
  /** 302 (moved temporarily), which is the default, or 301 (moved permanently). */
  code?: 301 | 302
  /** Why, as the target is told in `Diversion`; default `'deflection'`. */
  reason?: DiversionReason
}

/** Options of {@link Session.end}: what the other side is told (`Reason`, RFC 3326); without any, that is nothing. */
export interface EndOptions extends Abortable {
  /** Why it ends: its own `EndReason` and the other side's say so. */
  reason?: EndCondition
  /** The Q.850 cause, 1–127; default that of `reason`. */
  cause?: number
  /** A sentence for people. */
  text?: string
}

/** How {@link CallOptions.autoAnswer} asks. */
export interface AnswerRequest {
  /** Milliseconds that the other side shall ring first, told in whole seconds; default 0. */
  delay?: number
  /** It shall refuse the call with 403 rather than let it ring, if it knows RFC 5373; default false. */
  required?: boolean
}

/** Options of {@link Softphone.call}. */
export interface CallOptions extends Abortable {
  /** Headers to add to the INVITE. */
  headers?: Readonly<Record<string, string>>
  /** The conversation that the call belongs to, sent in the conversation header. */
  conversationId?: string
  /**
   * The name wished to be shown to the other party, sent as `P-Preferred-Identity` for the server to apply; `From` keeps
   * the phone's `displayName`.
   */
  displayName?: string
  /** The address wished to be shown to the other party, such as a department's number: sent as {@link displayName} is. */
  preferredIdentity?: string
  /**
   * Hides the caller from the other party (RFC 3323): `From` is anonymous, `Privacy: id` asks the server not to tell, and
   * `P-Preferred-Identity` tells the server itself, which has to know RFC 3325: one that doesn't passes that header on. Network
   * addresses stand in the media's candidates: `iceTransportPolicy: 'relay'` hides them.
   */
  anonymous?: boolean
  /**
   * What is handed over to the other party's application (`User-to-User`, RFC 7433): a text of at most 1024 bytes, which travels in
   * hexadecimal, or data as `encoding` (default `hex`) wants it. Gateways may cut it at 128 bytes.
   */
  userToUser?: string | { data: string; encoding?: string }
  /**
   * Asks the other party's phone to answer by itself (intercom): by `Answer-Mode` (RFC 5373), `Call-Info` and `Alert-Info`, one of
   * which most phones understand. It decides: see {@link SoftphoneOptions.autoAnswer} for what ours does. For paging, which goes
   * one way, add `audioElement: 'none'`.
   */
  autoAnswer?: boolean | AnswerRequest
  /**
   * Milliseconds to wait for an answer before the call is cancelled. By default it is when 185 s have passed since the
   * other side last said that it rings (RFC 3261 asks servers for a word each minute and lets them give up after three),
   * and it ends after 32 s when nothing is answered at all. Either way the reason is `timeout`.
   */
  timeout?: number
  /** Where the outgoing sound comes from; default the phone's `audio.input`. */
  mediaStream?: AudioInput
  /** Where the incoming sound goes; default the phone's `audio.output`. */
  audioElement?: AudioOutput
  /** What is done to its microphone's sound; what is not named is as in the phone's `audio`. */
  audio?: AudioProcessing
  /** How `speechStarted` and `speechEnded` are found. */
  voiceActivity?: VoiceActivityOptions
  /** What the other side sees of the camera; with `'none'` only its own pictures are taken. Default: no video is offered or taken. */
  video?: VideoInput
  /** What the other side sees of the screen; with `'none'` only one of its own is taken. Default: none is offered or taken. */
  screen?: VideoInput
}

/** Options of {@link Softphone.startSoftphoneSession}. */
export interface StartSoftphoneSessionOptions extends CallOptions {
  /** The number or SIP address to call. */
  phoneNumber: string
}

/** Names a session by its own id or by its conversation's. */
export type SessionReference = { id: string; conversationId?: never } | { conversationId: string; id?: never }

/** Options of {@link Softphone.expectCall}. */
export interface ExpectCallOptions extends Abortable {
  /** The conversation whose call is to be answered by itself. */
  conversationId: string
  /** Milliseconds for which the announcement holds; default 60000. */
  timeout?: number
}

/** Options of {@link Softphone.setAudioDevice}: what is left out stays as it is. */
export interface AudioDeviceOptions {
  /** The input of calls that have none of their own, active ones included. */
  input?: AudioInput
  /** The output of calls that have none of their own, active ones included. */
  output?: AudioOutput
  /** Where it rings, now and from now on. */
  ring?: AudioOutput
}

/** Options of {@link Session.sendDtmf}. */
export interface DtmfOptions extends Abortable {
  /** Milliseconds each tone lasts, 40–6000; default 100. */
  duration?: number
  /** Milliseconds between tones, at least 30; default 70. */
  gap?: number
  /**
   * How they travel: among the media (RFC 4733), which is the default, in INFO requests, one after the other, or as
   * tones in the sound (`'inband'`), for a party that agrees to nothing else: −9 and −7 dBm0, as a telephone sends them.
   */
  via?: DtmfMethod
}

/** Options of {@link Softphone.sendMessage}. */
export interface MessageOptions extends Abortable {
  /** A media type; `text/plain` by default. */
  contentType?: string
  /** Headers to add. */
  headers?: Record<string, string>
}

/** Options of {@link Softphone.sendOptions}. */
export interface OptionsOptions extends Abortable {
  /** Headers to add. */
  headers?: Record<string, string>
}

/** Options of {@link Softphone.subscribe}. */
export interface SubscribeOptions extends Abortable {
  /** Seconds until it is renewed at the latest; 3600 by default. */
  expires?: number
  /** Media types that the application reads; the package's own by default. */
  accept?: readonly string[]
  /** Headers to add to each SUBSCRIBE. */
  headers?: Record<string, string>
}

/** What a server or another phone says that it can do. */
export interface Capabilities {
  /** Methods. */
  allow: string[]
  /** Media types. */
  accept: string[]
  /** Extensions. */
  supported: string[]
  /** What it is, if it says so. */
  userAgent?: string
  /** The answer's headers by lower-case name, the values of one name in order. */
  headers: Record<string, string[]>
}

/** Options of {@link Session.sendInfo}. */
export interface InfoOptions extends Abortable {
  /** A media type such as `text/plain`. */
  contentType: string
  /** The text; none by default. */
  body?: string
}
