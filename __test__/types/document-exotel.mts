// Exotel's integration document as an application: the account, the three callbacks, a call that is answered, muted, held and ended.
import { ExotelWebClient } from 'offhook/compat/exotel'
import type { SoftphoneOptions } from 'offhook'

export interface Place {
  domain: string
  port: string
  security: string
  password: string
  /** What the document has not: the sound and the log of a phone without a browser. */
  phone: Partial<SoftphoneOptions>
}

export function application({ domain, port, security, password, phone }: Place, said: (...words: unknown[]) => void) {
  const sipAccountInfo = {
    'userName': 'alice',
    'authUser': 'alice',
    'sipdomain': domain,
    'domain': '127.0.0.1' + ':' + port,
    'displayname': 'Alice',
    'secret': password,
    'port': port,
    'security': security,
  }
  function RegisterEventCallBack(state: string, phone: string) {
    said(state, phone)
  }
  function CallListenerCallback(callObj: object, eventType: string, phone: string) {
    said(eventType, phone, Object.keys(callObj).includes('callId'))
    const call = exWebClient.getCall()
    if (eventType === 'incoming') call?.Answer()
    if (eventType === 'connected') {
      call?.Mute()
      call?.UnMute()
      call?.Hold()
      call?.UnHold()
    }
  }
  function SessionCallback(callState: string, phone: string) {
    said(callState, phone)
  }
  const exWebClient = new ExotelWebClient()
  exWebClient.initWebrtc({ ...sipAccountInfo, phone }, RegisterEventCallBack, CallListenerCallback, SessionCallback)
  exWebClient.DoRegister()
  return exWebClient
}
