import type { MessageWaitingEvent, PendingSession, TransferRequestedEvent } from '../events'
import type { SoftphoneErrorJson } from '../errors'
import type { Session } from '../session'
import type { VideoNews } from './page-video'

/** @internal What both sides speak; a page of another version is refused. */
export const VERSION = 1

/** What of a session crosses. */
export const sessionProperties = [
  'id',
  'conversationId',
  'callId',
  'address',
  'uri',
  'displayName',
  'identity',
  'sessionId',
  'direction',
  'state',
  'connectionState',
  'active',
  'interrupted',
  'connected',
  'muted',
  'videoMuted',
  'streams',
  'warnings',
  'held',
  'remoteHeld',
  'headers',
  'codec',
  'security',
  'startTime',
] as const

/** A session as it was at the last event: the properties of a `Session`, by their names. */
export interface SessionSnapshot extends Readonly<Pick<Session, (typeof sessionProperties)[number]>> {
  /** The id of the conference that the other party takes part in. */
  readonly conference: string | null
  /** The transfer that the other party asks for, while it waits for `acceptTransfer()` or `rejectTransfer()`. */
  readonly transferRequest: TransferRequestedEvent | null
}

/** A conference as it was at the last event. */
export interface ConferenceSnapshot {
  readonly id: string
  /** The ids of the sessions that take part, in the order in which they joined. */
  readonly members: readonly string[]
  /** Whether all of it is on hold. */
  readonly held: boolean
  /** Whether whoever sits here is not heard. */
  readonly muted: boolean
  /** The ids of the members who are not heard. */
  readonly silenced: readonly string[]
}

/** What a page knows of the phone. It is never changed: each change makes a new one, of which what did not change is the same. */
export interface BridgeState {
  /** Whether the phone has answered yet, and whether the port is open. */
  readonly bridge: 'connecting' | 'open' | 'closed'
  /** Whether the phone's WebSocket is open. */
  readonly connected: boolean
  /** Whether the server holds the registration. */
  readonly registered: boolean
  /** What waits in the mailbox; undefined until the server has told. */
  readonly messageWaiting: MessageWaitingEvent | undefined
  /** The calls that ring. */
  readonly pendingSessions: readonly PendingSession[]
  /** The sessions that have started and not ended. */
  readonly sessions: readonly SessionSnapshot[]
  /** The conferences that are not over. */
  readonly conferences: readonly ConferenceSnapshot[]
}

/** @internal What of the phone itself crosses: each as a whole, if it has changed. */
export type PhoneProperties = Pick<BridgeState, 'connected' | 'registered' | 'pendingSessions' | 'messageWaiting'>

/** @internal What changed: of a session or conference that is there already only its new values. */
export interface Changes extends Partial<PhoneProperties> {
  sessions?: Changed[]
  conferences?: Changed[]
  /** The ids of sessions that are over. */
  endedSessions?: string[]
  /** The ids of conferences that are over. */
  endedConferences?: string[]
}

/** @internal */
export type Changed = { id: string } & Record<string, unknown>

/** @internal Whose method is called, or whose event it is. */
export interface Addressee {
  of: 'phone' | 'session' | 'conference'
  id?: string
}

/** @internal From the page. */
export type PageMessage =
  | { kind: 'hello'; version: number; page: number }
  | { kind: 'call'; number: number; to: Addressee; method: string; args: unknown[] }
  | { kind: 'abort'; number: number }
  | { kind: 'listen'; to: Addressee; event: string; wanted: boolean }
  | { kind: 'taken'; at: number }
  | { kind: 'video'; port: number; data: unknown }
  | { kind: 'bye' }

/** @internal From the phone; `at` counts them, so that `taken` can say how far the page is. */
export type PhoneMessage = { at: number } & (
  | { kind: 'ready' }
  | { kind: 'refused'; error: SoftphoneErrorJson }
  | { kind: 'welcome'; changes: Changes; ended: { id: string; reason: unknown }[] }
  | { kind: 'news'; changes?: Changes; event?: { of: Addressee; name: string; args: unknown[] } }
  | { kind: 'reply'; page: number; number: number; value?: unknown; error?: SoftphoneErrorJson }
  | { kind: 'behind' }
  | ({ kind: 'video' } & VideoNews)
  | { kind: 'subscription'; id: number; name: 'notify' | 'terminated'; event: unknown }
  | { kind: 'bye' }
)

/** @internal Told only while a page listens, which says so of each event: they cost something to find out, come often, or mean that somebody answers for them. */
export const wantedEvents = {
  phone: ['trace', 'error', 'devicesChanged', 'callRequested'],
  session: ['stats', 'level', 'speechStarted', 'speechEnded', 'toneHeard', 'answeredBy'],
  conference: ['level'],
} as const

/** @internal The key of what is no plain data: a session, a conference, an error, the end of a call, a map, a port of video. */
export const REFERENCE = 'offhook:is'

/** @internal How many messages a page says at once that it has taken. */
export const TAKEN_AT_ONCE = 16
