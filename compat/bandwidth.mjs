import bandwidth from './bandwidth.js'

export const { BandwidthRtc, BandwidthRtcError, Rooms } = bandwidth
