import type { PendingSession } from './events'
import type { AudioInput, AudioOptions, CodecName, MediaKeying, StreamInput, VideoInput, WavInput } from './media-options'

export type * from './media-options'
export type * from './method-options'

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

/** Where a phone takes calls without a server: a port, which is one of all IPv4 addresses, or that of one address. */
export interface Listen {
  /** Over UDP. */
  udp?: number | ListenPlace
  /** Over TCP. */
  tcp?: number | ListenPlace
  /** Over TLS. */
  tls?: ListenTls
}

/** A port of this machine. */
export interface ListenPlace {
  /** The port. */
  port: number
  /** An address of this machine; default `'0.0.0.0'`, which is all of IPv4. `'::'` is all of IPv6. */
  host?: string
}

/** A port of this machine with TLS. */
export interface ListenTls extends ListenPlace {
  /** The certificate chain, PEM. */
  cert: string
  /** Its key, PEM. */
  key: string
  /** Who must have signed the certificate of whoever connects, PEM; without it nobody needs one. */
  ca?: string | readonly string[]
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
   * `'sips:pbx.example.com'` is SIP over TLS, `'sip:pbx.example.com;transport=tcp'` over TCP, and `'sip:pbx.example.com'` as the
   * DNS says (RFC 3263: NAPTR and SRV, unless a port is named), or else over UDP; the port is then 5061 with TLS and 5060 without.
   */
  servers?: string | Server | readonly (string | Server)[]
  /**
   * Takes calls without a server: at these ports, for `peers` alone. `register: false` is needed, unless there are `servers` beside;
   * without them nobody can be called. Default none (docs/trunks.md).
   */
  listen?: Listen
  /** Who may call a phone that listens: addresses and networks such as `'203.0.113.0/24'`. Nobody else is heard. */
  peers?: readonly string[]
  /**
   * Milliseconds after which each of `peers` that has come is asked by OPTIONS whether it is there, from 1,000 to 300,000:
   * `health().peers` says what came of it. A peer is known from its first request on, and for ten minutes after its last word or answer.
   * Default: nobody is asked. What a peer asks by OPTIONS is answered in any case.
   */
  pingInterval?: number
  /**
   * Between whom a caller's identity is asserted (RFC 3325): addresses and networks, and hosts of `servers`. What a peer of these says in
   * `P-Asserted-Identity` stands in `identity.asserted`, that of other peers does not; what the phone's own server says always does. If
   * all of `servers` are named, each call tells them `P-Asserted-Identity`: `preferredIdentity`, `from` or `uri`. Default none.
   */
  trustDomain?: readonly string[]
  /** The user for authentication; default the user of `uri`, or the `sub` claim of the token. */
  username?: string
  /**
   * The password for digest authentication, or a function that fetches it: asked by the first `initialize()`, which waits for it, and
   * again when the registrar refuses the one that it gave before: then it has 30 s, and is not asked once more before one was accepted
   * or `register()` or `initialize()` is called. A call whose password a proxy refuses (407) has it asked too, once, and goes on with
   * the one that it gives. Before it gave one, the other methods fail with `ERR_NOT_INITIALIZED`.
   */
  password?: string | (() => string | PromiseLike<string>)
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
  /**
   * How media may be protected, best first; default `['dtls']`. The first that the connection allows is offered; of what others offer
   * the first that there is gets taken. No running call is protected less later. With anything but `dtls` alone calls go to peers without ICE as well, at the
   * address that they name, and without pictures. `session.security` says what is in force.
   */
  media?: readonly MediaKeying[]
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
