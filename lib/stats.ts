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
  /** The estimated mean opinion score of the last second, 1 to 4.5, by the E-model (ITU-T G.107, G.107.1). */
  mos: number
  /**
   * Milliseconds from the other side's mouth to the ear here: half the round trip, the packets, the codec, the jitter buffer, and the
   * loudspeaker if there is one. What the other side's own devices take is not known and not in it.
   */
  delayMs: number
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
