import { Channel, type FrameMessage, type Message, type VideoCodec, type VideoPort, type VideoPortEnd } from './channel'
import { screenOf, type RenderTarget, type Screen } from './picture'

/** How a rendering goes, in numbers since it began. */
export interface RenderStats {
  /** Encoded pictures that came. */
  received: number
  /** Pictures that were decoded. */
  decoded: number
  /** Pictures that were drawn, or played by the video element. */
  shown: number
  /** Encoded pictures that could not be decoded: before the first key frame, and after an error until the next. */
  dropped: number
  /** Times that a key frame was asked for. */
  keyFrameRequests: number
  /** What is decoded now; undefined before the first picture. */
  codec: VideoCodec | undefined
  /** The size of what is shown. */
  width: number | undefined
  height: number | undefined
}

/** What {@link render} gives. */
export interface Rendering {
  /** Ends it, and clears the canvas or the video element. */
  close(): void
  /** Settles with why it is over: also when the stream ends, or the other side closes or is gone. */
  readonly closed: Promise<VideoPortEnd>
  readonly stats: RenderStats
}

/** Pictures that may wait for the decoder before the other side is told to wait. */
const MOST_QUEUED = 4
/** Milliseconds between two requests for a key frame: it takes a while to come. */
const PATIENCE = 500

/**
 * Shows the pictures that come over a port, decoded by WebCodecs, in a canvas or a video element: on the port's other side is
 * `connectVideoSink` of `offhook/renderer/host`.
 *
 * A canvas gets the size of the pictures. It is drawn by `requestAnimationFrame`, so not at all while the page is hidden. After an error
 * a key frame is asked for, and the picture stands still until it comes.
 *
 * @throws `TypeError` for what is neither a canvas nor a video element; `Error` if the page has no WebCodecs, because it is loaded
 * neither over HTTPS nor from this machine.
 */
export function render(port: VideoPort, target: RenderTarget): Rendering {
  if (typeof VideoDecoder === 'undefined') {
    throw new Error('This page has no WebCodecs to decode video with: load it over HTTPS or from this machine, in a browser that has them')
  }
  const renderer = new Renderer(port, target)
  return {
    close: () => renderer.close(),
    closed: renderer.closed,
    get stats() {
      return renderer.stats
    },
  }
}

class Renderer {
  readonly #channel: Channel
  readonly #screen: Screen
  readonly #counts = { received: 0, decoded: 0, shown: 0, dropped: 0, keyFrameRequests: 0 }
  #decoder: { codec: VideoCodec; config: string; decoder: VideoDecoder } | undefined
  #size: { width: number; height: number } | undefined
  #waiting = true
  #askedAt = -Infinity
  /** The last picture that came while the decoder had enough: the other side learns of it later. */
  #untold: number | undefined

  constructor(port: VideoPort, target: RenderTarget) {
    this.#channel = new Channel(port, 'render')
    this.#screen = screenOf(target, () => (this.#counts.shown += 1))
    this.#channel.listen((message) => this.#heard(message))
    void this.closed.then(() => {
      this.#stopDecoding()
      this.#screen.clear()
    })
  }

  get closed(): Promise<VideoPortEnd> {
    return this.#channel.closed
  }

  get stats(): RenderStats {
    return { ...this.#counts, codec: this.#decoder?.codec, width: this.#size?.width, height: this.#size?.height }
  }

  close(): void {
    this.#channel.end({ reason: 'closed' })
  }

  #heard(message: Message): void {
    // Who begins anew knows nothing of us, and has dropped what was under way.
    if (message.kind === 'hello') this.#channel.send({ kind: 'hello' })
    if (message.kind !== 'frame') return
    this.#counts.received += 1
    this.#decode(message)
    if (!this.#told(message.number)) this.#untold = message.number
  }

  #told(number: number): boolean {
    if ((this.#decoder?.decoder.decodeQueueSize ?? 0) > MOST_QUEUED) return false
    this.#channel.send({ kind: 'taken', number })
    return true
  }

  #decode({ codec, key, timestamp, data }: FrameMessage): void {
    if (this.#waiting && !key) {
      this.#counts.dropped += 1
      return this.#askForKey()
    }
    try {
      const decoder = this.#configured(codec, key, data)
      decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp, data: data as Uint8Array<ArrayBuffer> }))
      this.#waiting = false
    } catch {
      this.#broken()
    }
  }

  /** The decoder for this; another codec, or another profile of it, gets a new one. */
  #configured(codec: VideoCodec, key: boolean, data: Uint8Array): VideoDecoder {
    const config = key ? configOf(codec, data) : this.#decoder?.config
    if (this.#decoder && this.#decoder.codec === codec && this.#decoder.config === config) return this.#decoder.decoder
    this.#stopDecoding()
    if (config === undefined) throw new Error('A decoder begins with a key frame')
    const decoder: VideoDecoder = new VideoDecoder({
      output: (frame) => this.#show(frame),
      error: () => {
        if (this.#decoder?.decoder === decoder) this.#broken()
      },
    })
    decoder.addEventListener('dequeue', () => {
      if (this.#untold !== undefined && this.#told(this.#untold)) this.#untold = undefined
    })
    decoder.configure({ codec: config, optimizeForLatency: true })
    this.#decoder = { codec, config, decoder }
    return decoder
  }

  #show(frame: VideoFrame): void {
    this.#counts.decoded += 1
    this.#size = { width: frame.displayWidth, height: frame.displayHeight }
    if (this.#channel.open) this.#screen.show(frame)
    else frame.close()
  }

  #broken(): void {
    this.#counts.dropped += 1
    this.#stopDecoding()
    this.#askForKey()
  }

  #askForKey(): void {
    if (performance.now() - this.#askedAt < PATIENCE) return
    this.#askedAt = performance.now()
    this.#counts.keyFrameRequests += 1
    this.#channel.send({ kind: 'keyFrame' })
  }

  #stopDecoding(): void {
    const { decoder } = this.#decoder ?? {}
    this.#decoder = undefined
    this.#waiting = true
    if (decoder && decoder.state !== 'closed') decoder.close()
    if (this.#untold !== undefined) this.#channel.send({ kind: 'taken', number: this.#untold })
    this.#untold = undefined
  }
}

/** What WebCodecs calls it: of H.264 as the first parameter set of the key frame says (RFC 6381 §3.3). */
function configOf(codec: VideoCodec, data: Uint8Array): string {
  if (codec === 'vp8') return 'vp8'
  for (let at = 0; at + 6 < data.length; at += 1) {
    const begins = data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1 && ((data[at + 3] ?? 0) & 0x1f) === 7
    if (begins) return `avc1.${[...data.subarray(at + 4, at + 7)].map((octet) => octet.toString(16).padStart(2, '0')).join('')}`
  }
  throw new Error('A key frame of H.264 has its parameter sets with it')
}
