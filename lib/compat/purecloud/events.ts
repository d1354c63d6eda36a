import type {
  ConnectedEvent,
  ConnectionState,
  DisconnectedEvent,
  EndCondition,
  EndReason,
  PendingSession,
  PendingSessionEnd,
  SessionEvents,
  SessionState,
} from '../../index'
import type { PeerStream } from './options'
import type { SoftphoneSession } from './session'

/** The levels of `trace`, as the document names them. */
export type TraceLevel = 'trace' | 'debug' | 'log' | 'warn' | 'error'

/** The events of a {@link PureCloudWebrtcSdk} with their listeners' arguments. */
export interface SdkEvents {
  /** `initialize()` is done. */
  ready: []
  /** The WebSocket is open. */
  connected: [event: ConnectedEvent]
  /** The WebSocket is lost or closed; `info` is always `Streaming API connection disconnected`. */
  disconnected: [info: string, event: DisconnectedEvent]
  /**
   * A call comes in, or the platform calls for an outbound one. `autoAnswer` is true for an outbound call, whoever answers it: the call
   * asks for it by a header (`autoAnswerSource`), or `startSoftphoneSession()` has named its conversation.
   */
  pendingSession: [pending: PendingSession]
  /** The caller gave up, or nobody answered in time. */
  cancelPendingSession: [id: string, details: PendingSessionEnd]
  /** Another client of the user has handled the pending session. */
  handledPendingSession: [id: string, details: PendingSessionEnd]
  /** A session exists; its media is not connected yet. */
  sessionStarted: [session: SoftphoneSession]
  /** A session ended, after its own `terminated`. */
  sessionEnded: [session: SoftphoneSession, reason: EndCondition, details: EndReason]
  /** A line of the log, of any level, secrets left out. */
  trace: [level: TraceLevel, message: string, details: object]
  /** Something failed that no promise reports; without a listener it is logged. */
  error: [error: Error, details: object]
  /** Every event, its name first. */
  '*': [event: string, ...args: unknown[]]
}

/** What the document's session events carry: the session is always the SDK's. */
type SessionArguments = {
  /** `reason` is a string of XEP-0166 §7.4, such as `'success'`; `details` has its text, who ended it, and the SIP status. */
  terminated: [session: SoftphoneSession, reason: EndCondition, details: EndReason]
  'change:sessionState': [session: SoftphoneSession, state: SessionState]
  'change:connectionState': [session: SoftphoneSession, connectionState: ConnectionState]
  'change:held': [session: SoftphoneSession, held: boolean]
  'change:remoteHeld': [session: SoftphoneSession, remoteHeld: boolean]
}

type Flag =
  | 'change:pending'
  | 'change:active'
  | 'change:ended'
  | 'change:connecting'
  | 'change:connected'
  | 'change:interrupted'
  | 'change:disconnected'

type Plain = 'endOfCandidates' | 'progress' | 'answered' | 'mute' | 'unmute' | 'hold' | 'resume' | 'dtmf' | 'info' | 'stats' | 'warning' | 'warningCleared'

/** The events of a {@link SoftphoneSession} with their listeners' arguments. */
export type SoftphoneSessionEvents = SessionArguments &
  Record<Flag, [session: SoftphoneSession, value: boolean]> &
  Pick<SessionEvents, Plain> & {
    /** The other party's sound is there. */
    peerStreamAdded: [session: SoftphoneSession, stream: PeerStream]
    /** The other party's sound is over. */
    peerStreamRemoved: [session: SoftphoneSession, stream: PeerStream]
    /** Every event, its name first. */
    '*': [event: string, ...args: unknown[]]
  }
