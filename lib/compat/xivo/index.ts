export { Cti, CtiClient, type CtiApi, type CtiOptions, type WebSocketLike } from './cti'
export type { IceConfig, IceUrl, LineConfig } from './line'
export { General, Incoming, MessageType, Outgoing, Registration, type EventGroup, type Handler, type XcEvent } from './messages'
export { xc_webrtc, XcWebrtc, type SipStackStatus } from './xc-webrtc'
