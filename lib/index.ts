export { AudioSink, type AudioSinkOptions } from './audio-sink'
export {
  AudioSource,
  type AudioSourceOptions,
  type ClearedSound,
  type MarkOutcome,
  type SampleRate,
  type SourceMark,
  type SourcePosition,
} from './audio-source'
export type { Capture } from './capture'
export type * from './conference-info'
export { listDevices, type AudioDevice } from './devices'
export { TypedEmitter } from './emitter'
export type { CallAnswer, CallBegin, CallEnd } from './diagnostics'
export { EndReason, type CallSummary, type EndCondition, type EndSide, type RedirectTarget } from './end-reason'
export type { ErrorCode } from './error-code'
export { SoftphoneError, type ErrorType, type SipStatus, type SoftphoneErrorInit, type SoftphoneErrorJson } from './errors'
export type * from './events'
export { metrics, type ClockFigures, type Health, type PeerHealth } from './health'
export {
  Notifier,
  type AcceptSubscriptionOptions,
  type NotifierEnd,
  type NotifierEvents,
  type NotifyOptions,
  type SubscriptionRequest,
} from './notifier'
export type * from './options'
export { Orphan } from './orphan'
export {
  preflight,
  type PreflightCheck,
  type PreflightCheckName,
  type PreflightOptions,
  type PreflightResult,
  type PreflightStatus,
} from './preflight'
export type { PreflightCode } from './preflight-code'
export { Recording, type RecordingFormat, type RecordingLegs, type RecordingResult, type RecordOptions } from './recording'
export { Session } from './session'
export { Conference } from './conference'
export { Softphone } from './softphone'
export { Subscription } from './subscription'
export type * from './stats'
export type { RawFrame, RawVideoFormat } from './raw-video'
export { VideoSink, type VideoSinkOptions } from './video-sink'
export {
  VideoSource,
  type EncodedFrame,
  type VideoCodec,
  type VideoSourceEvents,
  type VideoSourceOptions,
} from './video-source'
