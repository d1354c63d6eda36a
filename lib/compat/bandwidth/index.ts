export { BandwidthRtcError } from './errors'
export type { RtcLogLevel } from './log'
export {
  Rooms,
  type CreatedParticipant,
  type Participant,
  type RoomEnd,
  type RoomSession,
  type RoomsEvents,
  type RoomsOptions,
  type TagOptions,
} from './rooms'
export { BandwidthRtc, type MediaDevice, type RtcAuthParams, type RtcOptions } from './rtc'
export type { Camera, CameraRequest, Cameras, NumberConstraint, VideoConstraints } from './cameras'
export type { DeviceConstraint } from './device-constraint'
export type { AudioLevel, MediaType, RtcStream, StreamConstraints } from './streams'
export type { RoomAccount, TokenClaims } from './token'
