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

  /**
   * Sends it, unless the port is gone.
   *
   * @throws what can't be cloned, or written as JSON; the port lives on.
   */
  send(message: Out): void {
    if (!this.open) return
    const said = this.#port.say({ offhook: 'bridge', ...message })
    try {
      said()
    } catch (error) {
      if ((error as Error).name === 'DataCloneError') throw error
      this.end({ reason: 'lost' })
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
  /** Makes a message ready; what is given sends it. */
  say(message: object): () => void
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
    return { of: given, say: (message) => () => (given as { postMessage(message: unknown): void }).postMessage(message), read: (message) => message }
  }
  if (typeof send !== 'function') throw new TypeError('The port must have postMessage, or send as a WebSocket has')
  return { of: given, say: sender(given as Socket), read: parsed }
}

function sender(socket: Socket): (message: object) => () => void {
  const CONNECTING = 0
  let waiting: string[] | undefined
  // In Node nobody may hear of a frame that breaks the rules, and the process would end; `close` follows.
  socket.addEventListener?.('error', () => {})
  return (message) => {
    const text = JSON.stringify(message)
    return () => {
      if (socket.readyState !== CONNECTING) return socket.send(text)
      // It would throw before it is open.
      if (waiting) return void waiting.push(text)
      const kept = (waiting = [text])
      const send = () => {
        waiting = undefined
        for (const text of kept) socket.send(text)
      }
      socket.addEventListener?.('open', send, { once: true })
    }
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
