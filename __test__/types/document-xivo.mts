// XiVO's document as an application: the line that is known, the four groups of events, two calls of which one is always going on.
import { XcWebrtc, type LineConfig } from 'offhook/compat/xivo'

export interface Place {
  line: LineConfig
  port: number
}

export function application({ line, port }: Place, said: (...words: unknown[]) => void) {
  const xc_webrtc = new XcWebrtc()
  xc_webrtc.setDebug('error', false, false)
  xc_webrtc.setIceUrls([{ url: 'stun:127.0.0.1:9' }, { url: 'turn:127.0.0.1:9', username: 'user', credential: 'myPassword' }])
  xc_webrtc.disableICE()
  xc_webrtc.setPhoneOptions({ audio: 'none' })
  for (const group of Object.values(xc_webrtc.MessageType)) {
    xc_webrtc.setHandler(group, ({ type, data, sipCallId }) => said(group, type, data?.callee ?? data?.caller, typeof sipCallId))
  }
  xc_webrtc.initByLineConfig(line, 'alice', false, port, 'token', 'audio_remote', '127.0.0.1')
  return xc_webrtc
}
