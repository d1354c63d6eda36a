import { listened } from '../renderer/port'

/**
 * What carries messages: a `MessagePort` of a page or of `node:worker_threads`, Electron's `MessagePortMain` or
 * `utilityProcess.parentPort`, a `Worker`, anything else with `postMessage` that tells of messages by `addEventListener`, `on` or
 * `onmessage`; or a WebSocket, of a page or of `ws`.
 */
export type BridgePort = { postMessage(message: any): void } | { send(text: string): void }

/** Why a connection is over: by `close()` here, by the other side, or because the port is gone or can't carry any more. */
export interface BridgeEnd {
  reason: 'closed' | 'ended' | 'lost' | 'refused'
}

/** @internal A port's messages of the bridge; others' pass by. */
export class Channel<In extends { kind: string }, Out extends { kind: string }> {
  readonly closed: Promise<BridgeEnd>
  readonly #port: Port
  #stop: (() => void) | undefined
  #settle: (end: BridgeEnd) => void = () => {}

  constructor(port: BridgePort) {
    this.#port = portOf(port)
    this.closed = new Promise((resolve) => (this.#settle = resolve))
  }

  get open(): boolean {
    return this.#stop !== undefined
  }

  /** Hands on what comes, until it is over. */
  listen(take: (message: In) => void): void {
    const heard = (event: unknown) => {
      const message = this.#port.read(isOurs(event) ? event : ((event as { data?: unknown } | null | undefined)?.data ?? event))
      if (this.open && isOurs(message)) take(message as unknown as In)
    }
    this.#stop = listened(this.#port.of, heard, () => this.end({ reason: 'lost' }))
  }

  /** False if it could not be sent, and nothing can be any more. */
  send(message: Out): boolean {
    if (!this.open) return false
    try {
      this.#port.send({ offhook: 'bridge', ...message })
      return true
    } catch (error) {
      // What can't be cloned is this side's fault, and the port lives on.
      if ((error as Error).name === 'DataCloneError') throw error
      this.end({ reason: 'lost' })
      return false
    }
  }

  /** Ends it, once. */
  end(end: BridgeEnd): void {
    this.#stop?.()
    this.#stop = undefined
    this.#settle(end)
  }
}

interface Port {
  of: object
  send(message: object): void
  read(message: unknown): unknown
}

interface Socket {
  send(text: string): void
  readyState?: number
  addEventListener?(name: string, listener: () => void, options?: { once: boolean }): void
}

function portOf(given: BridgePort): Port {
  const { postMessage, send } = (given ?? {}) as Partial<{ postMessage: unknown; send: unknown }>
  if (typeof postMessage === 'function') {
    return { of: given, send: (message) => (given as { postMessage(message: unknown): void }).postMessage(message), read: (message) => message }
  }
  if (typeof send !== 'function') throw new TypeError('The port must have postMessage, or send as a WebSocket has')
  return { of: given, send: sender(given as Socket), read: parsed }
}

/** A WebSocket that is not open yet would throw. */
function sender(socket: Socket): (message: object) => void {
  const CONNECTING = 0
  let waiting: string[] | undefined
  return (message) => {
    const text = JSON.stringify(message)
    if (socket.readyState !== CONNECTING) return socket.send(text)
    if (waiting) return void waiting.push(text)
    const kept = (waiting = [text])
    socket.addEventListener?.('open', () => {
      waiting = undefined
      for (const text of kept) socket.send(text)
    }, { once: true })
  }
}

function parsed(message: unknown): unknown {
  if (typeof message !== 'string') return undefined
  try {
    return JSON.parse(message)
  } catch {
    return undefined
  }
}

function isOurs(message: unknown): message is { offhook: 'bridge'; kind: string } {
  return typeof message === 'object' && message !== null && (message as { offhook?: unknown }).offhook === 'bridge' && 'kind' in message
}
