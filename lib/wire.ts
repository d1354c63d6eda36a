import type { EndReasonInit, EndSide } from './end-reason'
import type { ErrorCode } from './error-code'
import type { ErrorType, SipStatus } from './errors'
import type {
  AutoAnswerSource,
  CallerIdentity,
  ConnectionState,
  DtmfMethod,
  EndToEndId,
  MessageWaitingEvent,
  SessionState,
  StateDocument,
  WarningCode,
} from './events'
import type { NotifierEnd } from './notifier'
import type { LogLevel } from './options'
import type { CallStats } from './stats'

/*
 * What crosses to the addon as JSON: the serde forms of `crates/phone` (event.rs, command.rs, audio.rs, error.rs).
 */

export type HeaderList = [name: string, value: string][]

export interface WireError {
  code: ErrorCode
  type: ErrorType
  message: string
  cause?: string
  sip?: SipStatus
}

export interface WirePending {
  id: string
  address: string
  uri: string
  displayName: string | null
  conversationId: string
  autoAnswer: boolean
  autoAnswerDelay: number
  autoAnswerSource: AutoAnswerSource | null
  replaces?: string
  identity?: CallerIdentity
  callId: string
  headers: HeaderList
}

export interface WireMessage {
  sessionId?: string
  address: string
  uri: string
  displayName: string | null
  contentType: string
  body: string
  headers: HeaderList
}

export interface WireCallRequest {
  id: number
  target: string
  attended: boolean
  address: string
  uri: string
  displayName: string | null
  identity?: CallerIdentity
  referredBy?: string
  headers: HeaderList
}

export interface WireSubscriptionRequest {
  id: number
  event: string
  target: string
  address: string
  uri: string
  displayName: string | null
  identity?: CallerIdentity
  accept: string[]
  expires: number
  headers: HeaderList
}

/** What the reply to `sendOptions` holds. */
export interface WireCapabilities {
  allow: string[]
  accept: string[]
  supported: string[]
  userAgent?: string
  headers: HeaderList
}

export interface WirePendingEnd {
  side: EndSide
  reason: EndReasonInit
  conversationId: string
  elsewhere?: 'answered' | 'declined'
}

export interface WireSession {
  id: string
  conversationId: string
  callId: string
  address: string
  uri: string
  displayName: string | null
  identity?: CallerIdentity
  sessionId?: EndToEndId
  direction: 'incoming' | 'outgoing'
  state: SessionState
  connectionState: ConnectionState
  muted: boolean
  held: boolean
  remoteHeld: boolean
  headers: HeaderList
  startTime: number | null
  codec?: string | null
}

export type WireChanges = Partial<
  Pick<
    WireSession,
    'sessionId' | 'state' | 'connectionState' | 'muted' | 'held' | 'remoteHeld' | 'startTime' | 'callId' | 'conversationId' | 'codec'
  >
>

/** The ordered stream: what happened, and how commands ended after the events they caused. */
export type WireEvent =
  | { type: 'reply'; ticket: number; value?: unknown; error?: WireError }
  | { type: 'ready' }
  | { type: 'connected'; reconnect: boolean; server: string }
  | { type: 'disconnected'; reconnecting: boolean; reason: string; retryIn: number | null }
  | { type: 'registered'; expires: number }
  | { type: 'unregistered' }
  | { type: 'registrationFailed'; code: number | null; reason: string; fatal: boolean; retryIn: number | null }
  | ({ type: 'pendingSession' } & WirePending)
  | ({ type: 'autoAnswerQuery' } & WirePending)
  | { type: 'cancelPendingSession'; id: string; details: WirePendingEnd }
  | { type: 'handledPendingSession'; id: string; details: WirePendingEnd }
  | { type: 'sessionStarted'; session: WireSession }
  | { type: 'sessionChanged'; id: string; changes: WireChanges }
  | { type: 'progress'; id: string; code: number; reason: string; earlyMedia: boolean }
  | { type: 'redirected'; id: string; code: number; target: string }
  | { type: 'answered'; id: string }
  | { type: 'endOfCandidates'; id: string }
  | { type: 'dtmf'; id: string; tone: string; duration: number; method: DtmfMethod }
  | { type: 'info'; id: string; contentType: string; body: string }
  | { type: 'transferProgress'; id: string; code: number; reason: string }
  | { type: 'transferRequested'; id: string; target: string; referredBy: string | null; attended: boolean }
  | { type: 'conference'; id: number; news: WireConferenceNews }
  | ({ type: 'levels' } & WireLevels)
  | { type: 'terminated'; id: string; reason: EndReasonInit }
  | { type: 'sessionEnded'; id: string; reason: EndReasonInit }
  | { type: 'warning'; id: string; warning: WarningCode; text: string; chosen?: string; inUse?: string; reason?: string }
  | { type: 'warningCleared'; id: string; warning: WarningCode }
  | ({ type: 'message' } & WireMessage)
  | ({ type: 'messageWaiting' } & MessageWaitingEvent)
  | { type: 'notified'; subscription: number; state: string; contentType: string; body: string; document?: StateDocument }
  | { type: 'subscriptionEnded'; subscription: number; reason: string | null; code: number | null }
  | ({ type: 'callRequested' } & WireCallRequest)
  | ({ type: 'subscriptionRequest' } & WireSubscriptionRequest)
  | { type: 'notifierEnded'; notifier: number; reason: NotifierEnd['reason']; code: number | null }
  | { type: 'trace'; level: LogLevel; message: string; details: unknown }
  | { type: 'error'; error: WireError; id: string | null }
  | { type: 'tokenWillExpire'; expiresIn: number }
  | { type: 'tokenNeeded' }
  | { type: 'stats'; id: string; stats: CallStats }
  | { type: 'level'; id: string; local: number; remote: number }
  | { type: 'closed' }

/** What happened to a conference. */
export type WireConferenceNews =
  | { type: 'started' }
  | { type: 'joined'; session: string }
  | { type: 'left'; session: string }
  | { type: 'held'; held: boolean }
  | { type: 'muted'; session: string | null; muted: boolean }
  | { type: 'warning'; text: string }
  | { type: 'ended' }

/** How loud everybody in a conference was; `local` is null if nobody sits here. */
export interface WireLevels {
  conference: number
  local: number | null
  members: { id: string; level: number }[]
}

/** What is asked of a conference. */
export type WireConferenceRequest =
  | { type: 'add'; session: string }
  | { type: 'remove'; session: string }
  | { type: 'hold'; held: boolean; music?: WireInput | undefined; via?: 'invite' | 'update' | undefined }
  | { type: 'mute'; session?: string | undefined; muted: boolean }
  | { type: 'setInput'; input: WireInput }
  | { type: 'setOutput'; output: WireOutput }
  | { type: 'setLevels'; wanted: boolean }
  | { type: 'end' }
  | { type: 'dissolve' }

export type WireInput =
  | { type: 'default' }
  | { type: 'device'; id: string }
  | { type: 'source'; id: number }
  | { type: 'wav'; path: string; repeat: boolean }
  | { type: 'tone'; frequency: number; level?: number }
  | { type: 'session'; id: string }
  | { type: 'none' }

export type WireOutput =
  | { type: 'default' }
  | { type: 'device'; id: string }
  | { type: 'sink'; id: number }
  | { type: 'wav'; path: string }
  | { type: 'none' }

export interface WireIceServer {
  urls: string[]
  username?: string | undefined
  credential?: string | undefined
}

export interface WireCallOptions {
  input?: WireInput | undefined
  output?: WireOutput | undefined
  headers?: HeaderList | undefined
  conversationId?: string | undefined
  timeout?: number | undefined
  displayName?: string | undefined
  preferredIdentity?: string | undefined
  anonymous?: boolean | undefined
  userToUser?: string | { data: string; encoding?: string | undefined } | undefined
  autoAnswer?: { delay?: number | undefined; required?: boolean | undefined } | undefined
}

/** What the other party is told of an end. */
export interface WireEnd {
  reason?: string | undefined
  cause?: number | undefined
  text?: string | undefined
}

export type WireCommand =
  | { type: 'initialize' }
  | { type: 'disconnect' }
  | { type: 'reconnect' }
  | { type: 'register' }
  | { type: 'unregister' }
  | { type: 'destroy' }
  | {
      type: 'call'
      target: string
      options: WireCallOptions
    }
  | {
      type: 'accept'
      id: string
      options: {
        input?: WireInput | undefined
        output?: WireOutput | undefined
        autoStartMedia?: boolean | undefined
        autoConnectSession?: boolean | undefined
        headers?: HeaderList | undefined
      }
    }
  | { type: 'connect'; id: string }
  | { type: 'sendEarlyMedia'; id: string }
  | { type: 'reject'; id: string; code?: number | undefined; reason?: string | undefined; cause?: number | undefined }
  | { type: 'redirect'; id: string; target: string; code?: number | undefined; reason?: string | undefined }
  | ({ type: 'end'; id?: string | undefined; conversationId?: string | undefined } & WireEnd)
  | { type: 'abort'; ticket: number }
  | { type: 'mute'; id: string; muted: boolean }
  | { type: 'hold'; id: string; held: boolean; music?: WireInput | undefined; via?: 'invite' | 'update' | undefined }
  | {
      type: 'sendDtmf'
      id: string
      tones: string
      duration?: number | undefined
      gap?: number | undefined
      via?: DtmfMethod | undefined
    }
  | { type: 'sendInfo'; id: string; contentType: string; body: string }
  | { type: 'transfer'; id: string; target: string }
  | { type: 'attendedTransfer'; id: string; other: string; ringing?: 'wait' | 'blind' }
  | { type: 'acceptTransfer'; id: string; options: WireCallOptions }
  | { type: 'rejectTransfer'; id: string }
  | { type: 'sendMessage'; target: string; body: string; contentType?: string | undefined; headers?: HeaderList | undefined }
  | { type: 'sendOptions'; target: string; headers?: HeaderList | undefined }
  | {
      type: 'subscribe'
      target: string
      event: string
      options: { expires?: number | undefined; accept?: string[] | undefined; headers?: HeaderList | undefined }
    }
  | { type: 'unsubscribe'; subscription: number }
  | {
      type: 'acceptSubscription'
      notifier: number
      expires?: number | undefined
      contentType?: string | undefined
      body?: string | undefined
    }
  | { type: 'acceptCallRequest'; request: number; options: WireCallOptions }
  | { type: 'rejectCallRequest'; request: number; code?: number | undefined; reason?: string | undefined }
  | { type: 'rejectSubscription'; notifier: number; code?: number | undefined; reason?: string | undefined }
  | { type: 'notify'; notifier: number; contentType?: string | undefined; body: string }
  | { type: 'terminateNotifier'; notifier: number; reason?: string | undefined }
  | { type: 'expectCall'; conversationId: string; timeout?: number | undefined }
  | { type: 'autoAnswerDecision'; id: string; answer: boolean }
  | { type: 'setAccessToken'; token: string }
  | { type: 'setIceServers'; iceServers: WireIceServer[] }
  | {
      type: 'setAudioDevice'
      input?: WireInput | undefined
      output?: WireOutput | undefined
      ring?: WireOutput | undefined
    }
  | { type: 'setInput'; id: string; input: WireInput }
  | { type: 'setOutput'; id: string; output: WireOutput }
  | { type: 'setVolume'; id?: string | undefined; volume: number }
  | { type: 'confer'; sessions: string[]; input?: WireInput | undefined; output?: WireOutput | undefined }
  | { type: 'conference'; id: number; request: WireConferenceRequest }
  | { type: 'measure'; id: string; wanted: boolean }
  | { type: 'setLogLevel'; level: LogLevel }
  | { type: 'delivered'; id: string }
