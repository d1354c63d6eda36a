import { native } from './native'

/** How one of `peers` stands that is asked by OPTIONS: see {@link SoftphoneOptions.pingInterval}. */
export interface PeerHealth {
  /** Its address. */
  address: string
  /** Whether it comes over TLS. */
  secure: boolean
  /** `'reachable'` if it has answered, `'unreachable'` if the last two questions have had no answer, `'unknown'` before either. */
  state: 'unknown' | 'reachable' | 'unreachable'
  /** The status of its last answer: 503, say, of one that takes no calls now. */
  code?: number
}

/** How a phone stands, for a health check. */
export interface Health {
  /**
   * Whether a call would be taken now: `'ready'`, or why not. `'full'`: `maxSessions` is reached, or the machine has no time for
   * another; `'draining'`: `drain()` was called; `'unreachable'`: not connected, or not registered; `'closed'`: destroyed.
   */
  status: 'ready' | 'full' | 'draining' | 'unreachable' | 'closed'
  /** Whether the connection to a server is open. */
  connected: boolean
  /** Whether the server holds the registration. */
  registered: boolean
  /** Calls that there are, those that ring included. */
  calls: number
  /** Calls that are not answered. */
  ringing: number
  /** How full it is, 0 to 1: by `maxSessions` or by `load`, whichever is more. */
  load: number
  /** Those of `peers` that have come, if there is a `pingInterval`; 256 at most. */
  peers: PeerHealth[]
  /** What waits between the phone and the application: octets of events to be read, and commands. */
  queues: { events: number; commands: number }
}

/** How the media clock of the process has kept its time. */
export interface ClockFigures {
  /** Ticks of 10 ms, over all threads. */
  ticks: number
  /** Of these, how many began more than 10 ms late. */
  late: number
  /** Ticks that were left out because they were due too long ago. */
  skipped: number
}

/** @internal How the media clock of the process has kept its time until now. */
export function clockFigures(): ClockFigures {
  const { ticks, late, skipped } = JSON.parse(native().clockFigures()) as ClockFigures
  return { ticks, late, skipped }
}

/** @internal What a phone that does not run has to say. */
export function idle(status: 'unreachable' | 'closed'): Health {
  return { status, connected: false, registered: false, calls: 0, ringing: 0, load: 0, peers: [], queues: { events: 0, commands: 0 } }
}

/**
 * What this process and all its phones have to show, in Prometheus' text form; docs/fleet.md lists the names. Phones that were destroyed
 * count on in what is added up.
 */
export function metrics(): string {
  return native().metrics()
}
