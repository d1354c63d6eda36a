/** How much of an element a document holds (RFC 4575): all of it, what has changed, or that it is gone. */
export type ConferenceElementState = 'full' | 'partial' | 'deleted'

/** A stream of one who takes part in a conference. */
export interface ConferenceMedia {
  /** Names it among its endpoint's. */
  id: string
  /** `audio`, `video`, `text` or `message`. */
  type?: string
  /** Its name. */
  displayText?: string
  /** The label that its description gives it (RFC 4574). */
  label?: string
  /** From the endpoint's side. */
  status?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
}

/** A device with which somebody takes part in a conference. */
export interface ConferenceEndpoint {
  /** Its address, which names it among its user's. */
  entity: string
  /** How much of it this is. */
  state: ConferenceElementState
  /** Its name. */
  displayText?: string
  /** `connected`, `on-hold`, `muted-via-focus`, `pending`, `alerting`, `dialing-in`, `dialing-out`, `disconnecting` or `disconnected`. */
  status?: string
  /** `dialed-in`, `dialed-out` or `focus-owner`. */
  joiningMethod?: string
  /** Why it left: `departed`, `booted`, `failed` or `busy`. */
  disconnectionMethod?: string
  /** The Call-ID of its call, if the focus tells it. */
  callId?: string
  /** Its streams. */
  media: ConferenceMedia[]
}

/** One who takes part in a conference. */
export interface ConferenceUser {
  /** Their address, which names them in the conference. */
  entity: string
  /** How much of them this is. */
  state: ConferenceElementState
  /** Their name. */
  displayText?: string
  /** What they are in the conference. */
  roles?: string[]
  /** The devices with which they take part. */
  endpoints: ConferenceEndpoint[]
}

/** Who is in a conference (RFC 4575). */
export interface ConferenceInfo {
  /** The conference's address. */
  entity: string
  /** Counts the documents of one subscription. */
  version: number | null
  /** How much of it this is. */
  state: ConferenceElementState
  /** Its name. */
  displayText?: string
  /** What it is about. */
  subject?: string
  /** How many take part, if that is said. */
  userCount?: number
  /** Whether nobody else may come in, if that is said. */
  locked?: boolean
  /** Who takes part. */
  users: ConferenceUser[]
}
