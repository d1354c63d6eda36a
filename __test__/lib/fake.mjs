import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

process.env.OFFHOOK_NATIVE_PATH = fileURLToPath(new URL('fake-native.cjs', import.meta.url))

export const fake = createRequire(import.meta.url)('./fake-native.cjs')
const { Softphone } = await import('offhook')

const silent = { debug() {}, log() {}, info() {}, warn() {}, error() {} }

/** A phone and the engine behind it. */
export function makePhone(options = {}) {
  const phone = new Softphone({ uri: 'sip:alice@example.com', logger: silent, ...options })
  return { phone, engine: fake.phones.at(-1) }
}

/** Every event that an emitter emits, in order, as [name, ...arguments]. */
export function recorded(emitter) {
  const events = []
  const { emit } = emitter
  emitter.emit = function (...event) {
    events.push(event)
    return emit.apply(this, event)
  }
  return events
}

export const ids = {
  one: '00000000-0000-4000-8000-000000000001',
  two: '00000000-0000-4000-8000-000000000002',
}

export function pending(more = {}) {
  return {
    type: 'pendingSession',
    id: ids.one,
    address: 'bob',
    uri: 'sip:bob@example.com',
    called: 'alice',
    displayName: 'Bob',
    conversationId: 'conversation-1',
    autoAnswer: false,
    autoAnswerDelay: 0,
    autoAnswerSource: null,
    callId: 'call-1',
    headers: [
      ['Via', 'one'],
      ['via', 'two'],
      ['__proto__', 'polluted'],
    ],
    video: false,
    screen: false,
    ...more,
  }
}

export function started(more = {}) {
  return {
    type: 'sessionStarted',
    session: {
      id: ids.one,
      conversationId: 'conversation-1',
      callId: 'call-1',
      address: 'bob',
      uri: 'sip:bob@example.com',
      displayName: null,
      direction: 'incoming',
      state: 'pending',
      connectionState: 'starting',
      active: false,
      interrupted: false,
      muted: false,
      videoMuted: false,
      held: false,
      remoteHeld: false,
      headers: [],
      startTime: null,
      ...more,
    },
  }
}

export const success = { condition: 'success', text: 'The other party hung up', side: 'remote', q850: 16 }
export const busy = { condition: 'busy', text: 'Busy Here', side: 'remote', sip: { code: 486, reason: 'Busy Here' } }
