import { EventEmitter } from 'node:events'
import { SoftphoneError, VideoSink, VideoSource } from '../index'
import { connectVideoSink, connectVideoSource, type PageConnection } from '../renderer/host'

/** Streams of pictures of one page at once, of both directions. */
const MOST_STREAMS = 64

/** @internal What is said of one stream; `text` if the port carries nothing but text, and octets are base64. */
export interface VideoNews {
  port: number
  data: unknown
  text?: true
}

interface Stream {
  port: EventEmitter
  end: VideoSource | VideoSink
}

/**
 * The cameras and screens that a page shows, and the pictures that it sees: all of them over its one port.
 *
 * @internal
 */
export class PageVideo {
  readonly #streams = new Map<number, Stream>()
  readonly #isText: boolean
  readonly #tell: (news: VideoNews) => void

  constructor(isText: boolean, tell: (news: VideoNews) => void) {
    this.#isText = isText
    this.#tell = tell
  }

  /** What the page publishes there, or where the pictures go that it renders there. */
  at(port: unknown, is: 'source' | 'sink'): VideoSource | VideoSink {
    const [kind, connect] = is === 'source' ? [VideoSource, connectVideoSource as Connect] as const : [VideoSink, connectVideoSink as Connect] as const
    const there = typeof port === 'number' ? this.#streams.get(port)?.end : undefined
    if (there instanceof kind) return there
    if (!Number.isSafeInteger(port) || there) throw wrong('A port of video serves one stream, of one direction')
    if (this.#streams.size >= MOST_STREAMS) throw new SoftphoneError(`${MOST_STREAMS} streams of this page are open: close some of them`, { code: 'ERR_BUSY', type: 'generic' })
    return this.#open(port as number, new kind(), connect)
  }

  /** The page says something of a stream. */
  hear({ port, data }: Partial<VideoNews>): void {
    this.#streams.get(port as number)?.port.emit('message', { data: this.#isText ? withOctets(data) : data })
  }

  /** The page is gone. */
  end(): void {
    for (const { port } of [...this.#streams.values()]) port.emit('close')
  }

  #open<End extends VideoSource | VideoSink>(number: number, end: End, connect: Connect): End {
    const postMessage = (data: object) => this.#tell({ port: number, data: this.#isText ? withText(data) : data, ...(this.#isText && { text: true }) })
    const port = Object.assign(new EventEmitter(), { postMessage })
    const stream = { port, end }
    this.#streams.set(number, stream)
    void connect(port, end).closed.then(() => {
      if (this.#streams.get(number) === stream) this.#streams.delete(number)
      end.close()
    })
    return end
  }
}

type Connect = (port: { postMessage(message: any): void }, end: any) => PageConnection

function withText(message: object): object {
  const { data } = message as { data?: unknown }
  return data instanceof Uint8Array ? { ...message, data: Buffer.from(data).toString('base64') } : message
}

function withOctets(message: unknown): unknown {
  const { data } = (message ?? {}) as { data?: unknown }
  return typeof data === 'string' ? { ...(message as object), data: new Uint8Array(Buffer.from(data, 'base64')) } : message
}

function wrong(text: string): SoftphoneError {
  return new SoftphoneError(text, { code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options' })
}
