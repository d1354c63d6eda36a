import { listened } from './port'

/** A codec of video. */
export type VideoCodec = 'vp8' | 'h264'

/**
 * What carries messages: a `MessagePort` of a page or of `node:worker_threads`, Electron's `MessagePortMain`, a `Worker`, or anything
 * else with `postMessage` that tells of messages by `addEventListener`, `on` or `onmessage`.
 *
 * It carries one stream of each direction. Everything is copied; nothing is transferred.
 */
export interface VideoPort {
  postMessage(message: any): void
}

/**
 * Why a connection over a port is over: `close()` was called here, the stream ended or was closed on the other side, the port is gone
 * (the page was closed or loaded again), or something failed.
 */
export interface VideoPortEnd {
  reason: 'closed' | 'ended' | 'lost' | 'failed'
  /** What failed. */
  error?: Error
}

/** @internal One encoded picture on its way; `number` counts them, so that `taken` can say how far the other side is. */
export interface FrameMessage {
  kind: 'frame'
  number: number
  codec: VideoCodec
  key: boolean
  /** Microseconds. */
  timestamp: number
  data: Uint8Array
}

/** @internal Each side says hello when it begins; who is there already answers with what the other has missed. */
export type Message =
  | { kind: 'hello'; codecs?: VideoCodec[] }
  | { kind: 'state'; active: boolean; codec?: VideoCodec; bitrate?: number }
  | FrameMessage
  | { kind: 'taken'; number: number }
  | { kind: 'keyFrame' }
  | { kind: 'end' }

/** @internal Pictures that may be under way over a port, and those in the encoder: what is not taken waits in the other side's memory. */
export const MOST_UNDER_WAY = 8

/** @internal One stream's messages on a port, of one direction: what a page publishes, or what it renders. */
export class Channel {
  readonly closed: Promise<VideoPortEnd>
  readonly #port: VideoPort
  readonly #stream: 'publish' | 'render'
  #stop: (() => void) | undefined
  #settle: (end: VideoPortEnd) => void = () => {}

  constructor(port: VideoPort, stream: 'publish' | 'render') {
    if (typeof (port as VideoPort | null | undefined)?.postMessage !== 'function') {
      throw new TypeError('The port must have postMessage, as a MessagePort has')
    }
    this.#port = port
    this.#stream = stream
    this.closed = new Promise((resolve) => (this.#settle = resolve))
  }

  get open(): boolean {
    return this.#stop !== undefined
  }

  /** Hands on what comes; the last that is handed on is before `closed`. */
  listen(take: (message: Message) => void): void {
    this.#stop = listened(this.#port, (event) => this.#heard(event, take), () => this.end({ reason: 'lost' }))
    this.send({ kind: 'hello' })
  }

  send(message: Message): void {
    if (!this.open) return
    try {
      this.#port.postMessage({ offhook: this.#stream, ...message })
    } catch {
      // Electron's port throws once its page is gone, and its `close` comes later.
      this.end({ reason: 'lost' })
    }
  }

  /** Ends it, once; the other side is told unless it is the one that ended it, or gone. */
  end(end: VideoPortEnd): void {
    if (!this.open) return
    if (end.reason !== 'lost') this.send({ kind: 'end' })
    this.#stop?.()
    this.#stop = undefined
    this.#settle(end)
  }

  #heard(event: unknown, take: (message: Message) => void): void {
    const message = isOurs(event) ? event : (event as { data?: unknown } | null | undefined)?.data
    if (!this.open || !isOurs(message) || message.offhook !== this.#stream) return
    if (message.kind !== 'end') return take(message)
    this.#stop?.()
    this.#stop = undefined
    this.#settle({ reason: 'ended' })
  }
}

function isOurs(message: unknown): message is Message & { offhook: string } {
  return typeof message === 'object' && message !== null && 'offhook' in message && 'kind' in message
}

/** @internal The same octets in memory of their own: a view of a larger buffer would be copied with all of it. */
export function exact(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength && data.constructor === Uint8Array ? data : new Uint8Array(data)
}
