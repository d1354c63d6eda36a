import type { AcceptOptions, AudioSink, IceServersFunction, LogLevel, Session, SoftphoneOptions } from '../../index'

/** A STUN or TURN server, as browsers take it. */
export interface IceServerConfiguration {
  /** One or several: `stun:host:port`, `turn:host:port?transport=udp`. */
  urls?: string | readonly string[]
  /** One address, as older browsers had it. */
  url?: string
  /** The TURN user. */
  username?: string
  /** The TURN password. */
  credential?: string
}

/** Options of a {@link PureCloudWebrtcSdk}: the document's, those of a `Softphone`, and where the REST API is. */
export interface PureCloudOptions extends Omit<SoftphoneOptions, 'iceServers' | 'iceTransportPolicy' | 'logLevel'> {
  /** STUN and TURN servers, or a function that gives them; default none. */
  iceServers?: readonly IceServerConfiguration[] | IceServersFunction
  /** `'all'`, the default, or `'relay'`, which uses TURN only. */
  iceTransportPolicy?: 'all' | 'relay' | (string & {})
  /** The least important level that is logged; default `'info'`, also instead of what is none, which is warned of. */
  logLevel?: LogLevel | (string & {})
  /**
   * Where the public API is, for `startSoftphoneSession()` and `endSession()`; default `https://api.<environment>`.
   * False if the platform has none: sessions are then placed and ended by SIP.
   */
  baseUrl?: string | false
  /** The streaming host of later versions: the same as `servers`. */
  wsHost?: string
}

/** Options of `acceptPendingSession`, as in the document. */
export type PendingSessionOptions = AcceptOptions

/**
 * The other party's sound: if it goes to an `AudioSink`, that one, which gives 16-bit mono PCM in frames of 20 ms; if it goes to a
 * speaker or a file, the phone's session, which other calls take as their input and whose `level` says how loud it is.
 */
export type PeerStream = AudioSink | Session

/** What `startSoftphoneSession` asks the public API for; members that are not named here are sent as they are. */
export interface SoftphoneSessionParameters {
  /** The number to call. */
  phoneNumber?: string
  /** The caller's number to show. */
  callerId?: string
  /** The caller's name to show. */
  callerIdName?: string
  /** The queue to call on behalf of. */
  callFromQueueId?: string
  /** The queue to call. */
  callQueueId?: string
  /** The user to call. */
  callUserId?: string
  /** The priority of the call in its queue. */
  priority?: number
  /** The language to route by. */
  languageId?: string
  /** The skills to route by. */
  routingSkillsIds?: readonly string[]
  /** Conversations to join. */
  conversationIds?: readonly string[]
  /** More than one party to call. */
  participants?: readonly { address: string; name?: string; userId?: string; queueId?: string }[]
  /** User-to-user information. */
  uuiData?: string
  [member: string]: unknown
}

/** What `startSoftphoneSession` gives. */
export interface StartedConversation {
  /** The conversation's id: that of the session which comes. */
  id: string
  /** The conversation's address. */
  selfUri: string
}

/** Options of {@link PureCloudWebrtcSdk.endSession}: one of the two. */
export interface EndSessionOptions {
  /** The id of the session. */
  id?: string
  /** The id of its conversation. */
  conversationId?: string
}
