// PureCloud's document as an application: its constructor, its four ways to accept, its outbound recipe, its listeners with its types.
import { PureCloudWebrtcSdk, type SoftphoneSession } from 'offhook/compat/purecloud'
import type { SoftphoneOptions } from 'offhook'

export interface Place {
  token: string
  /** What the document has not: where the SIP server is. */
  here: SoftphoneOptions
}

export function application({ token, here }: Place, said: (...words: unknown[]) => void) {
  const options = {
    accessToken: token,
    environment: 'mypurecloud.com',
    orgId: '0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55',
    sessionSurvivability: true,
    autoAnswerOutboundCalls: false,
    autoConnectSessions: true,
    iceServers: [{ urls: 'stun:127.0.0.1:9' }],
    iceTransportPolicy: 'all',
  }
  const sdk = new PureCloudWebrtcSdk({ ...options, ...here, baseUrl: false })
  const stream = { tone: 1000 }

  sdk.on('pendingSession', ({ id, address, conversationId, autoAnswer }) => {
    said('pendingSession', address, conversationId, autoAnswer)
    // "to do this for outbound calls, you'll have to disable autoAnswerOutboundCalls and answer them yourself"
    if (autoAnswer) sdk.acceptPendingSession(id, { mediaStream: stream, autoConnectSession: true })
    else sdk.acceptPendingSession(id, { autoStartMedia: false, autoConnectSession: false })
  })
  sdk.on('cancelPendingSession', (id: string) => said('cancelPendingSession', id))
  sdk.on('handledPendingSession', (id: string) => said('handledPendingSession', id))
  sdk.on('sessionStarted', (session: SoftphoneSession) => {
    session.on('terminated', (ended: SoftphoneSession, reason: string) => {
      if (reason === 'success') said('terminated', ended === session)
    })
    session.on('change:connectionState', (_: SoftphoneSession, connectionState: string) => said('connectionState', connectionState))
    session.on('change:interrupted', (_: SoftphoneSession, interrupted: boolean) => said('interrupted', interrupted))
    session.on('change:active', (_: SoftphoneSession, active: boolean) => said('active', active))
    session.on('endOfCandidates', () => said('endOfCandidates'))
    session.on('peerStreamAdded', () => said('streams', session.streams.length))
    if (session.state === 'pending') session.accept()
  })
  sdk.on('sessionEnded', (session: SoftphoneSession, reason) => {
    switch (reason) {
      case 'success':
        return said('sessionEnded', session.conversationId)
      default:
        return said('sessionEnded otherwise', reason)
    }
  })
  sdk.on('trace', (level: string, message: string, details: object) => void [level, message, Object.keys(details)])
  sdk.on('error', (error: Error, details: object) => said('error', error.message, Object.keys(details)))
  return sdk
}
