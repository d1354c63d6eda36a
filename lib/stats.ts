/** One object of a statistics report; its members have the names of W3C webrtc-stats for its `type`. */
export interface StatsObject {
  /** The key of this object in the report. */
  id: string
  /** `inbound-rtp`, `outbound-rtp`, `remote-inbound-rtp`, `remote-outbound-rtp`, `candidate-pair`, `codec`, … */
  type: string
  /** Milliseconds since 1970. */
  timestamp: number
  [member: string]: unknown
}

/** A call's statistics: each object by its id, as W3C's `RTCStatsReport`. */
export type StatsReport = Map<string, StatsObject>

/** A call's figures in short. */
export interface CallStats {
  /** The estimated mean opinion score, 1–5. */
  mos: number
  /** Milliseconds of round trip, from RTCP; null until it is known. */
  rttMs: number | null
  /** Milliseconds of jitter of what is received. */
  jitterMs: number
  /** Percent of packets lost, of what is received, in the last second. */
  lossPct: number
  /** Percent of the sound played that had to be made up, in the last second. */
  concealedPct: number
  /** Milliseconds that received sound waits in the jitter buffer. */
  bufferMs: number
  /** The codec by its SDP name; null until it is negotiated. */
  codec: string | null
  /** Packets received so far. */
  packetsReceived: number
  /** Packets sent so far. */
  packetsSent: number
  /** Packets lost so far, of what was to be received. */
  packetsLost: number
}
