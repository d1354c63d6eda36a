import type { Conference } from './conference'
import type { ConferenceInfo } from './conference-info'
import type { EndReason } from './end-reason'
import type { ErrorCode } from './error-code'
import type { ErrorType, SipStatus, SoftphoneError } from './errors'
import type { SubscriptionRequest } from './notifier'
import type { LogLevel } from './options'
import type { Session } from './session'
import type { CallStats } from './stats'

/** What asks for an automatic answer: the application, a trusted peer, a header, or the policy. */
export type AutoAnswerSource =
  | 'announced'
  | 'trusted-peer'
  | 'call-info'
  | 'alert-info'
  | 'answer-mode'
  | 'x-header'
  | 'request-uri'
  | 'notify-talk'
  | 'replaces'
  | 'option'

/** Somebody, as a header names them. */
export interface Party {
  /** The SIP or tel URI. */
  uri: string
  /** The name, if there is one. */
  displayName?: string
}

/**
 * What a call's headers say of its parties beside its sender. Only servers make it true: if callers reach the phone directly,
 * it proves nothing.
 */
export interface CallerIdentity {
  /** The caller, as the network has verified (`P-Asserted-Identity`): the phone's own server, and peers of `trustDomain`. */
  asserted?: Party[]
  /** The caller, as older systems name it (`Remote-Party-ID`). */
  remoteParty?: Party[]
  /** What the caller wants hidden (`Privacy`). */
  privacy?: string[]
  /** Who diverted the call, the last first (`Diversion`). */
  diversion?: (Party & { reason?: string })[]
  /** Where the call has been, in order (`History-Info`). */
  history?: (Party & { index?: string })[]
  /** What the caller's application hands over (`User-to-User`). */
  userToUser?: HandedOver
  /** The caller's half of what names the session from end to end (`Session-ID`): 32 hexadecimal digits. */
  sessionId?: string
}

/** What one application hands over to the other (RFC 7433). */
export interface HandedOver {
  /** The data as written. */
  data: string
  /** How it is encoded; `hex` if nothing is said. */
  encoding: string
  /** What it says, if it is text. */
  text?: string
}

/** What stands between a call and whoever is on the way. */
export interface SessionSecurity {
  /** Where the keys of its media come from: a DTLS handshake, or the signalling (SDES, RFC 4568); `rtp` has none, and everybody on the way hears it. */
  readonly keying: 'dtls' | 'sdes' | 'rtp'
  /** The SRTP profile, such as `SRTP_AEAD_AES_128_GCM`; absent without protection. */
  readonly cipher?: string
  /** What its signalling went over on this side of the server when its media were set up. */
  readonly signalling?: 'wss' | 'ws' | 'tls' | 'tcp' | 'udp'
}

/** What names a session from end to end, whatever stands between its ends: a UUID of each side, 32 hexadecimal digits (RFC 7989). */
export interface EndToEndId {
  /** This side's. */
  local: string
  /** The other side's, if it has one. */
  remote?: string
}

/** An incoming call that rings. */
export interface PendingSession {
  /** The id to accept or reject it by; the session has the same. */
  id: string
  /** The caller's address: the user part of its URI, or the host if there is none. */
  address: string
  /** Links the call to the platform's conversation; the Call-ID if the call names none. */
  conversationId: string
  /** Whether the phone is about to answer it by itself. */
  autoAnswer: boolean
  /** Milliseconds until it does. */
  autoAnswerDelay: number
  /** What asks for it, if something does. */
  autoAnswerSource?: AutoAnswerSource
  /** The caller's name, if it gives one. */
  displayName?: string
  /** The caller's SIP address. */
  uri: string
  /** Whom the call is for: the user part of the address that was called, such as the number, or its host if there is none. */
  called: string
  /** What servers and gateways say of the caller. */
  identity: CallerIdentity
  /**
   * The session whose place the call takes: it ends when this one is answered (RFC 3891), which is muted or on hold then if
   * that one was. Only the other side of that session and whom it referred are answered without asking.
   */
  replaces?: string
  /** The Call-ID. */
  callId: string
  /** The INVITE's headers by lower-case name, the values of one name in order; credentials are left out. */
  headers: Record<string, string[]>
  /** Whether the caller offers video. */
  video: boolean
  /** Whether the caller offers a screen: a line of content `slides` (RFC 4796), or a second video. */
  screen: boolean
}

/** How a pending session ended that never became a session. */
export interface PendingSessionEnd {
  /** The conversation that the call belonged to. */
  conversationId: string
  /** Who ended it. */
  side: 'local' | 'remote' | 'network'
  /** Why it ended. */
  reason: EndReason
  /**
   * What another of the user's phones did with the call, of `handledPendingSession`: it answered it, or declined it for all of
   * them (the server's CANCEL says so: RFC 3326 with a SIP cause of 480, 486 or 6xx, or Q.850 with 17 or 21).
   */
  elsewhere?: 'answered' | 'declined'
}

/** What `connected` says. */
export interface ConnectedEvent {
  /** False for the first connection only. */
  reconnect: boolean
  /** The server's URL. */
  server: string
}

/** What `disconnected` says. */
export interface DisconnectedEvent {
  /** Whether the phone tries again by itself. */
  reconnecting: boolean
  /** Why the connection ended. */
  reason: string
  /** Milliseconds until the next try. */
  retryIn?: number
}

/** What `registered` says. */
export interface RegisteredEvent {
  /** Seconds that the server granted. */
  expires: number
}

/** What `registrationFailed` says. */
export interface RegistrationFailedEvent {
  /** The SIP status, if the server answered. */
  code?: number
  /** Why it failed: the server's words, and what keeps us from an answer to its challenge, or that it lists no binding of ours. */
  reason: string
  /** True if nothing more is tried until the application acts, such as after a wrong password. */
  fatal: boolean
  /** Milliseconds until the next try. */
  retryIn?: number
}

/** Plain data beside an `error`. */
export interface ErrorDetails {
  /** The error's stable name. */
  code: ErrorCode
  /** The kind of failure. */
  type: ErrorType
  /** The SIP status behind it, if there is one. */
  sip?: SipStatus
  /** The session it concerns, if it concerns one. */
  sessionId?: string
}

/**
 * What can be odd about a running call.
 *
 * - `no-device`: its input or output could not be opened or was lost: there is no such device, the file can't be read or written, the
 *   `AudioSource` or `AudioSink` is another call's; the message says which. `warningCleared` comes when all that was
 *   warned of is open again, or another was chosen.
 *   With `chosen` and `inUse` the system's default is used meanwhile, by `audio.fallback`.
 * - `no-media`: the other side sends no sound, for five seconds.
 * - `loss`: 5 % of the packets are lost, of what comes or of what is sent.
 * - `jitter`: what comes varies by 40 ms in its time.
 * - `delay`: the other side is heard 300 ms late.
 * - `microphone-silent`: the microphone gives nothing at all, for ten seconds, though the call is neither muted nor on hold.
 * - `clipping`: the sound that is sent is so loud that it is cut off.
 * - `echo-suspected`: what one side says comes back to it from the other; the message says from which.
 * - `cpu-too-slow`: the processor has too little time for the sound of the calls.
 * - `recording-failed`: a recording can't be written any more, such as on a full disk. What was written is whole, and that recording is
 *   over. `warningCleared` comes when another recording of the call begins, or when `stop()` of this one is called.
 * - `recording-gap`: a recording has silence for what was said, because its disk or the reader of its Writable is too slow.
 * - `ice-server`: a STUN or TURN server of `iceServers` is of no use: it does not answer, refuses, can't be reached, or its URL is
 *   one that can't be used; the message says which and why. The call does without it as far as it can, and no `warningCleared` comes.
 * - `too-many-pixels`: the other side shows more than a raw `VideoSink` or a file of raw pictures is decoded for, so some pictures are
 *   left out. `warningCleared` comes when all were decoded for five seconds.
 *
 * But for the first two and the last four they are told once they have lasted for five seconds, and cleared once it has been better for
 * ten.
 */
export type WarningCode =
  | 'no-device'
  | 'no-media'
  | 'loss'
  | 'jitter'
  | 'delay'
  | 'microphone-silent'
  | 'clipping'
  | 'echo-suspected'
  | 'cpu-too-slow'
  | 'recording-failed'
  | 'recording-gap'
  | 'ice-server'
  | 'too-many-pixels'

/** Something odd about a call that goes on. */
export interface WarningEvent {
  /** What is odd. */
  code: WarningCode
  /** What is odd in a sentence for people, with its figure if it has one. */
  message: string
  /** What that usually comes from, in a sentence for people. */
  cause: string
  /** What helps, in a sentence for people. */
  advice: string
  /** With `no-device`: the id of the chosen device that vanished, if another is used until it is back. */
  chosen?: string
  /** The name of the device in use instead, as the system shows it; beside `chosen`. */
  inUse?: string
}

/** What `tokenWillExpire` says. */
export interface TokenWillExpireEvent {
  /** Milliseconds until the access token expires. */
  expiresIn: number
}

/** How a digit travels: as an event among the media (RFC 4733), in an INFO request, or in the sound itself (ITU-T Q.23). */
export type DtmfMethod = 'rfc4733' | 'info' | 'inband'

/** A received digit. */
export interface DtmfEvent {
  /** `0`–`9`, `*`, `#`, `A`–`D`. */
  tone: string
  /** Milliseconds that it lasted. */
  duration: number
  /** How it came. */
  method: DtmfMethod
}

/** How the call to a transfer's target goes, as the other side reports it. */
export interface TransferProgressEvent {
  /** The SIP status: 100 to 199 while it goes on, any other is its outcome. */
  code: number
  /** The reason phrase. */
  reason: string
}

/** The other side asks this phone to call somebody in its place. */
export interface TransferRequestedEvent {
  /** The SIP address to call. */
  target: string
  /** Who is said to want it (RFC 3892), as received; it proves nothing. */
  referredBy?: string
  /** Whether the call takes the place of one that the target has already: an attended transfer. */
  attended: boolean
}

/** What the other side sent inside the call (INFO). */
export interface InfoEvent {
  /** The media type of `body`. */
  contentType: string
  /** The text; bytes that are no UTF-8 are replaced by U+FFFD. */
  body: string
}

/** What `hold` and `resume` say. */
export interface HoldEvent {
  /** Who did it. */
  side: 'local' | 'remote'
}

/** What is seen in a stream: people, or a screen. */
export type VideoContent = 'camera' | 'screen'

/** Pictures that the other side sends. */
export interface VideoStream {
  /** Names it in its session; never used again. */
  id: string
  /** Sound is no stream: it is always there. */
  kind: 'video'
  /** What is seen: what the other side says (RFC 4796), else its first video is the camera, and another the screen. */
  content: VideoContent
  /** Pixels in a row, once a key frame has told; {@link SessionEvents.resolution} tells of changes. */
  width?: number
  /** Rows, likewise. */
  height?: number
}

/** The size of a stream's pictures. */
export interface ResolutionEvent {
  /** The stream. */
  id: string
  /** Pixels in a row. */
  width: number
  /** Rows. */
  height: number
}

/** A text message (SIP MESSAGE). */
export interface MessageEvent {
  /** The sender's address: the user part of its URI, or the host if there is none. */
  address: string
  /** The sender's SIP address. */
  uri: string
  /** The sender's name, if it gives one. */
  displayName?: string
  /** The media type; empty if the message names none. */
  contentType: string
  /** The text. */
  body: string
  /** The session in which it came, if it came in one. */
  sessionId?: string
  /** The message's headers by lower-case name, the values of one name in order; credentials are left out. */
  headers: Record<string, string[]>
}

/** How many messages of one kind wait. */
export interface MessageCounts {
  /** Not heard yet. */
  new: number
  /** Heard. */
  old: number
  /** Of the new ones, the urgent. */
  urgentNew: number
  /** Of the old ones, the urgent. */
  urgentOld: number
}

/** What waits in a mailbox (RFC 3842). */
export interface MessageWaitingEvent {
  /** Whether any message waits. */
  waiting: boolean
  /** The mailbox, if it is named. */
  account?: string
  /** Voice messages, if they are counted. */
  voice?: MessageCounts
  /** Fax messages, if they are counted. */
  fax?: MessageCounts
  /** Text messages, if they are counted. */
  text?: MessageCounts
}

/** A party of a call of somebody else. */
export interface DialogParticipant {
  /** Its address. */
  uri?: string
  /** Its name. */
  displayName?: string
}

/** One call of somebody else (RFC 4235). */
export interface DialogState {
  /** Names it in its subscription. */
  id: string
  /** `trying`, `proceeding`, `early`, `confirmed` or `terminated`. */
  state: string
  /** Whether they called or were called. */
  direction?: 'initiator' | 'recipient'
  /** With both tags it can be named in a Replaces, to pick the call up. */
  callId?: string
  /** Their tag. */
  localTag?: string
  /** The other party's tag. */
  remoteTag?: string
  /** Who they are in this call. */
  local?: DialogParticipant
  /** Whom they talk to. */
  remote?: DialogParticipant
}

/** One way to reach somebody (RFC 3863). */
export interface PresenceTuple {
  /** Names it in its document. */
  id: string
  /** Whether they can be reached this way. */
  basic?: 'open' | 'closed'
  /** Where to. */
  contact?: string
  /** A sentence about it. */
  note?: string
}

/** What a notification of the package `dialog`, `presence` or `conference` says. */
export type StateDocument =
  | { kind: 'dialogs'; entity: string; version: number | null; full: boolean; dialogs: DialogState[] }
  | { kind: 'presence'; entity: string; tuples: PresenceTuple[]; note?: string }
  | ({ kind: 'conference' } & ConferenceInfo)

/** The state of what a subscription is about. */
export interface NotifyEvent {
  /** `active`, `pending` if the server has not decided yet, or `terminated` with the last one. */
  state: string
  /** The media type of `body`; empty if there is none. */
  contentType: string
  /** The text. */
  body: string
  /** What it says, for `application/dialog-info+xml`, `application/pidf+xml` and `application/conference-info+xml`. */
  document?: StateDocument
}

/** How a subscription ended. */
export interface SubscriptionEnd {
  /** The server's word (RFC 6665), such as `rejected` or `noresource`. */
  reason?: string
  /** The SIP status with which it refused to go on. */
  code?: number
}

/** How loud a call was in the last 100 ms, 0 to 1 as W3C's `audioLevel`: linear, 1 is full scale. */
export interface LevelEvent {
  /** What the input gives, muted or not; the music while the other side is on hold. */
  local: number
  /** What the other side says, before `setVolume()`. */
  remote: number
}

/** The other side has begun to speak, some 120 ms ago. */
export interface SpeechStartedEvent {
  /** How loud, 0 to 1 as W3C's `audioLevel`: linear, 1 is full scale. */
  level: number
}

/** The other side has been silent for `voiceActivity.endOfTurn`. */
export interface SpeechEndedEvent {
  /** How loud its speech was on average, 0 to 1 as W3C's `audioLevel`. */
  level: number
  /** Milliseconds from the begin of the speech to its end; the silence behind it is not counted. */
  duration: number
}

/** A tone with a meaning (ITU-T E.180, E.182). */
export interface ToneHeardEvent {
  /**
   * - `ringback`: the other telephone rings
   * - `busy`: the other party is busy
   * - `congestion`: no line is free; in America reorder, or fast busy
   * - `specialInformation`: three rising tones before an announcement: the number can't be called
   * - `beep`: in an answered call, a machine records from here on
   */
  tone: 'ringback' | 'busy' | 'congestion' | 'specialInformation' | 'beep'
  /** What it is made of, in Hz, to within a few. */
  frequencies: number[]
}

/** Who has answered a call of ours. */
export interface AnsweredByEvent {
  /** A person, or an answering machine, an announcement, or nobody who says anything. */
  answerer: 'human' | 'machine'
  /** How sure that is: ½ is a guess, 1 is certain. */
  confidence: number
}

/** How loud everybody in a conference was, 0 to 1 as W3C's `audioLevel`; who is muted is silent. */
export interface ConferenceLevelEvent {
  /** Whoever sits here. */
  local: number
  /** The members by the ids of their sessions. */
  members: { id: string; level: number }[]
}

/** The events of a {@link Conference} with their listeners' arguments. */
export interface ConferenceEvents {
  /** A session takes part. */
  join: [session: Session]
  /** A session takes part no more: it ended, was removed, or another took its place. */
  leave: [session: Session]
  /** All of it was put on hold. */
  hold: []
  /** All of it was taken off hold. */
  resume: []
  /** A member is not heard any more, or whoever sits here if there is none. */
  mute: [member: Session | undefined]
  /** A member is heard again, or whoever sits here if there is none. */
  unmute: [member: Session | undefined]
  /** How loud everybody is, every 100 ms while somebody listens. */
  level: [event: ConferenceLevelEvent]
  /** Something is odd, such as a device of this machine that could not be opened, or was lost; the conference goes on. */
  warning: [event: WarningEvent]
  /** What was odd is so no more. */
  warningCleared: [event: Pick<WarningEvent, 'code'>]
  /** It is over. */
  ended: []
}

/** The events of a {@link Subscription} with their listeners' arguments; each is plain data. */
export interface SubscriptionEvents {
  /** The state changed, or is told again. */
  notify: [event: NotifyEvent]
  /** It is over for good; what the server ends for a time is asked for again without a word. */
  terminated: [end: SubscriptionEnd]
}

/** A provisional answer to an outgoing call. */
export interface ProgressEvent {
  /** The SIP status, 180 or 183 mostly. */
  code: number
  /** The reason phrase. */
  reason: string
  /** Whether the other side sends sound before it answers. */
  earlyMedia: boolean
}

/** An outgoing call that is tried elsewhere. */
export interface RedirectedEvent {
  /** The SIP status that sent it there: a 3xx, or the refusal of the address before. */
  code: number
  /** The address that is called now. */
  target: string
}

/** Somebody asks this phone to call another, outside any call (REFER): click-to-dial by a third party. */
export interface CallRequest {
  /** The id to accept or reject it by. */
  id: number
  /** Whom to call. */
  target: string
  /** Whether the call would take the place of one that the target has (Replaces). */
  attended: boolean
  /** The address of the one who asks: the user part of its URI, or the host if there is none. */
  address: string
  /** The SIP address of the one who asks; trust it no more than the server that let it through. */
  uri: string
  /** The name of the one who asks, if it gives one. */
  displayName?: string
  /** What servers and gateways say of the one who asks. */
  identity: CallerIdentity
  /** Who wants the call, if the request says so (RFC 3892). */
  referredBy?: string
  /** The request's headers by lower-case name, the values of one name in order; credentials are left out. */
  headers: Record<string, string[]>
}

/** The events of a {@link Softphone} with their listeners' arguments; each but the sessions themselves is plain data. */
export interface SoftphoneEvents {
  /** A call comes in; nothing acts on it before the listeners have run. */
  pendingSession: [pending: PendingSession]
  /** A pending session ended: the caller gave up, nobody answered in time, or it was rejected here. */
  cancelPendingSession: [id: string, details: PendingSessionEnd]
  /** A pending session was answered or declined on another of the user's phones. */
  handledPendingSession: [id: string, details: PendingSessionEnd]
  /** A session exists, outgoing ones included; its media is not connected yet. */
  sessionStarted: [session: Session]
  /** A session ended, after its own `terminated`; exactly once for each that started. */
  sessionEnded: [session: Session, reason: EndReason]
  /** A conference begins; `join` tells who takes part. */
  conferenceStarted: [conference: Conference]
  /** A line of the phone's log, of any level, secrets left out. */
  trace: [level: LogLevel, message: string, details: unknown]
  /** Something failed that no promise reports; without a listener it goes to the logger. */
  error: [error: SoftphoneError, details: ErrorDetails]
  /** `initialize()` is done. */
  ready: []
  /** The WebSocket is open. */
  connected: [event: ConnectedEvent]
  /** The WebSocket is lost or closed. */
  disconnected: [event: DisconnectedEvent]
  /** The server has accepted the registration; refreshes are silent. */
  registered: [event: RegisteredEvent]
  /** The registration was removed. */
  unregistered: []
  /** The server refused the registration. */
  registrationFailed: [event: RegistrationFailedEvent]
  /** Somebody sent a message. */
  message: [event: MessageEvent]
  /** What waits in the mailbox, as a server tells, subscribed to (`message-summary`) or not. */
  messageWaiting: [event: MessageWaitingEvent]
  /**
   * Somebody asks this phone to call another: call `acceptCallRequest()` or `rejectCallRequest()` within 10 s. Without a listener
   * it is refused with 403; nobody is called before the application says so.
   */
  callRequested: [request: CallRequest]
  /**
   * Somebody wants to subscribe to one of the packages that the option `notifies` names: call `acceptSubscription()` or
   * `rejectSubscription()` within 10 s. Without a listener it is refused.
   */
  subscriptionRequest: [request: SubscriptionRequest]
  /** The access token is about to expire: call `setAccessToken()`. */
  tokenWillExpire: [event: TokenWillExpireEvent]
  /** A microphone, speaker or the default of one came or went: see `listDevices()`. Told within about two seconds, while there is a listener. */
  devicesChanged: []
}

/** The state of a session's signalling. */
export type SessionState = 'starting' | 'pending' | 'active' | 'ended'

/** The state of a session's media connection. */
export type ConnectionState = 'starting' | 'connecting' | 'connected' | 'interrupted' | 'disconnected'

/** The events of a {@link Session} with their listeners' arguments. */
export interface SessionEvents {
  /** The session ended; exactly once, before the phone's `sessionEnded`. */
  terminated: [session: Session, reason: EndReason]
  /** `state` changed. */
  'change:sessionState': [session: Session, state: SessionState]
  /** `connectionState` changed. */
  'change:connectionState': [session: Session, state: ConnectionState]
  /** The session became pending, or is no more. */
  'change:pending': [session: Session, pending: boolean]
  /** The call was answered (true), or is over (false). */
  'change:active': [session: Session, active: boolean]
  /** The session ended. */
  'change:ended': [session: Session, ended: boolean]
  /** The media connection is being made, or no more. */
  'change:connecting': [session: Session, connecting: boolean]
  /** The media connection stands, or no more. */
  'change:connected': [session: Session, connected: boolean]
  /** The WebSocket is lost or nothing has been heard of the other party for 5 seconds (true), or all is back (false). */
  'change:interrupted': [session: Session, interrupted: boolean]
  /** The media connection is gone. */
  'change:disconnected': [session: Session, disconnected: boolean]
  /** All local ICE candidates are known. */
  endOfCandidates: []
  /** The other side rings, or sends early media. */
  progress: [event: ProgressEvent]
  /** The outgoing call is tried elsewhere, with `followRedirects`. */
  redirected: [event: RedirectedEvent]
  /** The other side answered the outgoing call. */
  answered: []
  /** The microphone was muted. */
  mute: []
  /** The microphone was unmuted. */
  unmute: []
  /** The other side sees nothing of the camera. */
  muteVideo: []
  /** The other side sees the camera again. */
  unmuteVideo: []
  /** The other side sends pictures; `setVideoOutput()` takes them. */
  streamAvailable: [stream: VideoStream]
  /** It sends them no more; once for each `streamAvailable`, before `terminated` at the latest. While either side is on hold they stand still. */
  streamUnavailable: [stream: VideoStream]
  /** The pictures of a stream have this size from now on. */
  resolution: [event: ResolutionEvent]
  /** The call was put on hold, here or by the other side. */
  hold: [event: HoldEvent]
  /** The call was taken off hold, here or by the other side; the hold of the other of the two is its own to end. */
  resume: [event: HoldEvent]
  /** The other side was put on hold here, or taken off it. */
  'change:held': [session: Session, held: boolean]
  /** The other side put the call on hold, or took it off. */
  'change:remoteHeld': [session: Session, remoteHeld: boolean]
  /** Media are protected so from now on; told anew if that changes. */
  'change:security': [session: Session, security: SessionSecurity]
  /** The other side sent a digit. */
  dtmf: [event: DtmfEvent]
  /** The other side sent an INFO that is no digit. */
  info: [event: InfoEvent]
  /** The other side reports how the call to the target of `transfer()` or `attendedTransfer()` goes. */
  transferProgress: [event: TransferProgressEvent]
  /**
   * The other side wants to transfer this phone: call `acceptTransfer()` or `rejectTransfer()` within 30 s, else it is rejected.
   * Accepting places a call at the expense of this phone's account: look at `target` first.
   */
  transferRequested: [event: TransferRequestedEvent]
  /** It waits no more: it was accepted or rejected, or the 30 s are over. The end of the call ends it too, without this. */
  transferRequestEnded: []
  /** The call's figures, once a second while media is connected. */
  stats: [stats: CallStats]
  /** How loud both sides were, ten times a second while media flow; it is measured only while somebody listens. */
  level: [event: LevelEvent]
  /** The other side has begun to speak. This and the next three are found out only while somebody listens to them. */
  speechStarted: [event: SpeechStartedEvent]
  /** The other side has ended to speak. */
  speechEnded: [event: SpeechEndedEvent]
  /** The network, or the other side, gives a tone: before the answer in early media, or in the call. Told once each time. */
  toneHeard: [event: ToneHeardEvent]
  /** Whether a person or a machine has answered the outgoing call: told once, within 3 s of the answer. Listen before that. */
  answeredBy: [event: AnsweredByEvent]
  /** Something is odd, but the call goes on. */
  warning: [event: WarningEvent]
  /** What was odd is so no more. */
  warningCleared: [event: Pick<WarningEvent, 'code'>]
}
