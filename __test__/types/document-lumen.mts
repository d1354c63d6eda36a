// Lumen's document as an application: the configuration with all its hooks, and a call.
import { WhistleEngine } from 'offhook/compat/whistle'
import type { SoftphoneOptions } from 'offhook'

export interface Place {
  domain: string
  port: number
  jwt: string
  /** What the document has not: a gateway without TLS, and the sound of a phone without a browser. */
  here: { insecure: boolean; phone: Partial<SoftphoneOptions> }
}

export function application({ domain, port, jwt, here }: Place, said: (...words: unknown[]) => void) {
  const config = {
    'user': 'alice',
    'domain': domain,
    'proxy': '127.0.0.1',
    'port': port,
    'authorization_jwt': `Bearer ${jwt}`,

    // optional hooks to customize functionality
    'call_failed': function () { said('call_failed') },
    'call_connected': function () { said('call_connected') },
    'call_disconnected': function () { said('call_disconnected') },
    'call_ended': function () { said('call_ended') },
    'incoming_call': function () { said('incoming_call') },
  }
  const engine = new WhistleEngine()
  engine.start({ ...config, ...here })
  engine.dial('+1234567890')
  return engine
}
