import { Topics } from './topics'

/** What `xc_webrtc` needs of a CTI client: the platform's own `Cti`, or the one of this module. */
export interface CtiApi {
  /** Calls back for each message of this type. */
  setHandler(type: string, handler: (message: never) => void): void
  /** Calls back no more. */
  unsetHandler(type: string, handler: (message: never) => void): void
  /** Asks for a configuration: `LineConfig` answers `'line'`. */
  getConfig(objectType: string): void
  /** Asks for the STUN and TURN servers: `IceConfig` answers. */
  getIceConfig(): void
  /** Calls the target of a transfer. */
  attendedTransfer(destination: string): void
  /** Connects it with the party that waits. */
  completeTransfer(): void
}

/** As much of W3C's `WebSocket` as the client needs; `ws` on npm is one too. */
export interface WebSocketLike {
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  send(text: string): void
  close(): void
}

/** Options of {@link CtiClient.WebSocket}. */
export interface CtiOptions {
  /** The WebSocket to use; default the global one, which Node has from version 22 on. */
  WebSocket?: new (url: string) => WebSocketLike
}

const CONNECTING = 0
const OPEN = 1
/** Messages that wait for the connection at most. */
const MOST_WAITING = 100

/** A small client of the XUC server's CTI WebSocket: what line, ICE servers and transfers need. */
export class CtiClient implements CtiApi {
  /** The types of messages that this client tells; any other type's name works as well. */
  readonly MessageType = {
    ERROR: 'Error',
    LOGGEDON: 'LoggedOn',
    LINKSTATUSUPDATE: 'LinkStatusUpdate',
    LINECONFIG: 'LineConfig',
    ICECONFIG: 'IceConfig',
    PHONEEVENT: 'PhoneEvent',
    WEBRTCCMD: 'WebRTCCmd',
  } as const

  /** The connection, as the platform's client has it: `Cti.WebSocket.init(url, username, phoneNumber)`. */
  readonly WebSocket = {
    init: (url: string, _username?: string, _phoneNumber?: string, options: CtiOptions = {}): void => this.#open(url, options),
    close: (): void => this.close(),
  }

  readonly #topics = new Topics<never>()
  // What is asked before the connection stands.
  #waiting: string[] = []
  #socket: WebSocketLike | undefined

  /** Calls back for each message of this type; the same handler once. */
  setHandler(type: string, handler: (message: never) => void): void {
    this.#topics.add(type, handler)
  }

  /** Calls back no more. */
  unsetHandler(type: string, handler: (message: never) => void): void {
    this.#topics.remove(type, handler)
  }

  /** Removes all handlers. */
  clearHandlers(): void {
    this.#topics.clear()
  }

  /** Asks for a configuration: `LineConfig` answers `'line'`. */
  getConfig(objectType: string): void {
    this.sendCallback({ claz: 'web', command: 'getConfig', objectType })
  }

  /** Asks for the STUN and TURN servers: `IceConfig` answers. */
  getIceConfig(): void {
    this.sendCallback({ claz: 'web', command: 'getIceConfig' })
  }

  /** Calls the target of a transfer. */
  attendedTransfer(destination: string): void {
    this.sendCallback({ claz: 'web', command: 'attendedTransfer', destination })
  }

  /** Connects it with the party that waits. */
  completeTransfer(): void {
    this.sendCallback({ claz: 'web', command: 'completeTransfer' })
  }

  /** Gives the transfer up. */
  cancelTransfer(): void {
    this.sendCallback({ claz: 'web', command: 'cancelTransfer' })
  }

  /**
   * Sends any message; before the connection stands, it waits.
   *
   * @throws `Error` if the connection is closed: what is asked for now must not happen at some other time.
   */
  sendCallback(message: object): void {
    const text = JSON.stringify(message)
    const { readyState } = this.#socket ?? { readyState: CONNECTING }
    if (readyState === OPEN) return this.#socket?.send(text)
    if (readyState !== CONNECTING) throw new Error('The CTI WebSocket is closed')
    if (this.#waiting.length >= MOST_WAITING) throw new Error('There is no CTI WebSocket')
    this.#waiting.push(text)
  }

  /** Closes the connection. */
  close(): void {
    this.#waiting = []
    this.#socket?.close()
  }

  #open(url: string, { WebSocket: Given }: CtiOptions): void {
    const Socket = Given ?? (globalThis as { WebSocket?: new (url: string) => WebSocketLike }).WebSocket
    if (!Socket) throw new Error('This Node has no WebSocket: pass one, such as that of the package ws, as { WebSocket }')
    const before = this.#socket
    const socket = new Socket(url)
    this.#socket = socket
    before?.close()
    const tell = (type: string, message: object) => socket === this.#socket && this.#tell(type, message)
    socket.onopen = () => {
      if (socket !== this.#socket) return
      for (const text of this.#waiting.splice(0)) socket.send(text)
      tell('LinkStatusUpdate', { status: 'opened' })
    }
    socket.onclose = () => tell('LinkStatusUpdate', { status: 'closed' })
    socket.onerror = () => tell('Error', { Error: 'The CTI WebSocket failed' })
    socket.onmessage = ({ data }: { data: unknown }) => socket === this.#socket && this.#hear(String(data))
  }

  #hear(text: string): void {
    let message: { msgType?: unknown; ctiMessage?: unknown } | null
    try {
      message = JSON.parse(text) as typeof message
    } catch {
      return this.#tell('Error', { Error: 'The CTI server sent what is no JSON' })
    }
    if (typeof message?.msgType === 'string') this.#tell(message.msgType, message.ctiMessage)
  }

  #tell(type: string, message: unknown): void {
    this.#topics.publish(type, message as never)
  }
}

/** The client that `xc_webrtc` uses unless it is given another. */
export const Cti = new CtiClient()
