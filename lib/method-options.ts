import type { EndCondition } from './end-reason'
import type { DtmfMethod } from './events'
import type { AudioInput, AudioOutput, AudioProcessing, MediaKeying, VideoInput } from './media-options'

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
  /** The SIP status that whoever calls is answered, 400–699; default what was said before, or 503, with `Retry-After`, after which a proxy tries another phone. */
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
   * Who calls, in `From`: a number, an address or a SIP URI, with a name if there is to be one. For a phone with `register: false`, as at
   * a trunk; the carrier decides which numbers it takes. A registrar knows the phone by its `uri` alone: ask it by
   * {@link preferredIdentity}, or `call()` rejects with `ERR_INVALID_ARGUMENT`.
   */
  from?: string | { number: string; name?: string }
  /**
   * The name wished to be shown to the other party, sent as `P-Preferred-Identity` for the server to apply; `From` keeps
   * the phone's `displayName`. To servers of {@link SoftphoneOptions.trustDomain} it is `P-Asserted-Identity`, which each call has.
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
  /** How its media may be protected; default as in the phone. `'sdes-unprotected'` only if the phone has it, and then without `'sdes'`. */
  media?: readonly MediaKeying[]
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
