export type { SipAccountInfo } from './account'
export { Call, type CallObject, type CallState } from './call'
export type { ExotelApi, MakeCallParameters } from './click-to-call'
export {
  ExotelWebClient,
  SessionListener,
  type CallListenerCallback,
  type RegisterEventCallBack,
  type SessionCallback,
  type SessionState,
} from './client'
export type { RegisterState } from './line'
