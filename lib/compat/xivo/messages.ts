/** The groups of events. */
export const MessageType = {
  GENERAL: 'general',
  OUTGOING: 'outgoing',
  INCOMING: 'incoming',
  REGISTRATION: 'registration',
} as const

/** Events of the stack. */
export const General = { STARTED: 'Started', FAILED: 'Failed' } as const

/** Events of the registration. */
export const Registration = { REGISTERED: 'Registered', UNREGISTERED: 'Unregistered' } as const

/** Events of calls that come in. */
export const Incoming = {
  SETUP: 'Setup',
  RINGING: 'Ringing',
  AUTO_ANSWERED: 'AutoAnswered',
  REMOTE_MEDIA_ADDED: 'RemoteMediaAdded',
  CONNECTED: 'Connected',
  TERMINATED: 'Terminated',
  HOLD: 'Hold',
  RESUME: 'Resume',
} as const

/** Events of calls that go out. */
export const Outgoing = {
  ESTABLISHING: 'Establishing',
  RINGING: 'Ringing',
  CONNECTED: 'Connected',
  TERMINATED: 'Terminated',
  FAILED: 'Failed',
  HOLD: 'Hold',
  RESUME: 'Resume',
} as const

/** The name of a group of events. */
export type EventGroup = (typeof MessageType)[keyof typeof MessageType]

/** What a handler gets; members that say nothing are left out. */
export interface XcEvent {
  /** One of `General`, `Registration`, `Incoming`, `Outgoing`. */
  type: string
  /** The other party's number, or why something failed or ended. */
  data?: { caller?: string; callee?: string; reason?: string }
  /** The call it concerns. */
  sipCallId?: string
}

/** Told about the events of one group. */
export type Handler = (event: XcEvent) => void
