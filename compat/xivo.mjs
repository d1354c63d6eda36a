import xivo from './xivo.js'

export const { Cti, CtiClient, General, Incoming, MessageType, Outgoing, Registration, XcWebrtc, xc_webrtc } = xivo
