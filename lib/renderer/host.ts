import { Channel, exact, MOST_UNDER_WAY, type FrameMessage, type Message, type VideoCodec, type VideoPort, type VideoPortEnd } from './channel'

export type { VideoCodec, VideoPort, VideoPortEnd } from './channel'

/** One encoded picture. */
export interface PageFrame {
  codec: VideoCodec
  /** Whether it can be decoded without those before it. */
  key: boolean
  /** When it was taken, in microseconds of its source's clock. */
  timestamp: number
  /** VP8 as RFC 7741 has it in one frame, or H.264 with start codes (Annex B). */
  data: Uint8Array
}

/** What a page's pictures are written to: a `VideoSource`, or anything of its shape. */
export interface VideoSourceLike {
  /** Takes a picture; false if it was dropped. */
  write(frame: PageFrame): boolean
  /** Whether it takes nothing any more. */
  readonly closed?: boolean
  /** Whether somebody wants pictures; if it is not there, always. */
  readonly active?: boolean
  /** The codec that is wanted; undefined leaves it to the page. */
  readonly codec?: VideoCodec | undefined
  on(event: 'keyFrameRequest' | 'bitrate' | 'active' | 'close', listener: (...args: any[]) => void): unknown
  off(event: 'keyFrameRequest' | 'bitrate' | 'active' | 'close', listener: (...args: any[]) => void): unknown
}

/** Where the pictures come from that a page shows: a `VideoSink` of encoded frames, or any Readable of such objects. */
export interface VideoSinkLike {
  /** Whether nothing comes out of it any more, because all was read. */
  readonly readableEnded?: boolean
  /** Whether nothing comes out of it any more, because it was destroyed. */
  readonly destroyed?: boolean
  requestKeyFrame?(): void
  pause(): unknown
  resume(): unknown
  on(event: 'data' | 'end' | 'close', listener: (...args: any[]) => void): unknown
  off(event: 'data' | 'end' | 'close', listener: (...args: any[]) => void): unknown
}

/** One page's connection to a source or a sink. */
export interface PageConnection {
  /** Ends it; the port, the source and the sink stay as they are. */
  close(): void
  /** Settles with why it is over: also when the page's stream ends, or the page is gone. */
  readonly closed: Promise<VideoPortEnd>
}

/** A page that publishes. */
export interface PublishingPage extends PageConnection {
  /** The codecs that the page can encode, the one first that it does best; resolves when it has found out, or with none when it is gone. */
  readonly codecs: Promise<readonly VideoCodec[]>
}

/** What sources have said last that they may be sent, in bits per second: a page that is loaded again begins with it. */
const bitrates = new WeakMap<VideoSourceLike, number>()

/** Of one picture: key frames of large screens have a megabyte. */
const LARGEST_FRAME = 4 * 1024 * 1024

/**
 * Writes to a source what a page publishes over a port by `publish()` of `offhook/renderer`, and tells the page what the source is
 * asked for: key frames, a bitrate, or nothing while nobody watches.
 *
 * @throws `TypeError` for what is no port.
 */
export function connectVideoSource(port: VideoPort, source: VideoSourceLike): PublishingPage {
  const channel = new Channel(port, 'publish')
  let know: (codecs: readonly VideoCodec[]) => void = () => {}
  const codecs = new Promise<readonly VideoCodec[]>((resolve) => (know = resolve))
  const tellState = () => channel.send(stateOf(source))
  const listeners = {
    keyFrameRequest: () => channel.send({ kind: 'keyFrame' }),
    bitrate: (bitsPerSecond: number) => {
      bitrates.set(source, bitsPerSecond)
      tellState()
    },
    active: tellState,
    close: () => channel.end({ reason: 'ended' }),
  }
  channel.listen((message) => {
    if (message.kind === 'hello') {
      if (message.codecs) know(codecsOf(message.codecs))
      tellState()
    } else if (message.kind === 'frame') {
      written(channel, source, message)
    }
  })
  attach(source, listeners, channel)
  if (source.closed) channel.end({ reason: 'ended' })
  void channel.closed.then(() => know([]))
  return { codecs, closed: channel.closed, close: () => channel.end({ reason: 'closed' }) }
}

/**
 * Gives a page what comes out of a sink of encoded frames, for `render()` of `offhook/renderer` to show. While the page is slow the
 * sink is paused, and drops what it must.
 *
 * @throws `TypeError` for what is no port.
 */
export function connectVideoSink(port: VideoPort, sink: VideoSinkLike): PageConnection {
  const channel = new Channel(port, 'render')
  let sent = 0
  let taken = 0
  const flow = () => (sent - taken < MOST_UNDER_WAY ? sink.resume() : sink.pause())
  const listeners = {
    data: ({ codec, key, timestamp, data }: PageFrame) => {
      sent += 1
      channel.send({ kind: 'frame', number: sent, codec, key, timestamp, data: exact(data) })
      flow()
    },
    end: () => channel.end({ reason: 'ended' }),
    close: () => channel.end({ reason: 'ended' }),
  }
  channel.listen((message) => {
    if (message.kind === 'keyFrame') sink.requestKeyFrame?.()
    if (message.kind === 'taken' && Number.isSafeInteger(message.number)) taken = Math.min(sent, Math.max(taken, message.number))
    if (message.kind === 'hello') {
      // A page that begins has nothing of what is under way.
      taken = sent
      sink.requestKeyFrame?.()
    }
    flow()
  })
  attach(sink, listeners, channel)
  // Nobody knows yet whether a page is there: it says so.
  sink.pause()
  if (sink.readableEnded || sink.destroyed) channel.end({ reason: 'ended' })
  void channel.closed.then(() => sink.pause())
  return { closed: channel.closed, close: () => channel.end({ reason: 'closed' }) }
}

function stateOf(source: VideoSourceLike): Message {
  const { active, codec } = source
  const bitrate = bitrates.get(source)
  return { kind: 'state', active: active !== false, ...(codec && { codec }), ...(bitrate !== undefined && { bitrate }) }
}

function written(channel: Channel, source: VideoSourceLike, { number, codec, key, timestamp, data }: FrameMessage): void {
  try {
    checkFrame({ codec, key, timestamp, data })
    source.write({ codec, key, timestamp, data })
    channel.send({ kind: 'taken', number })
  } catch (error) {
    channel.end({ reason: 'failed', error: error as Error })
  }
}

// What a page sends may be anything.
function checkFrame({ codec, key, timestamp, data }: PageFrame): void {
  const known = (codec === 'vp8' || codec === 'h264') && typeof key === 'boolean' && Number.isFinite(timestamp)
  if (!known || !(data instanceof Uint8Array)) throw new TypeError('A page has sent what is no encoded picture')
  if (data.byteLength > LARGEST_FRAME) throw new RangeError(`A page has sent a picture of ${data.byteLength} octets: ${LARGEST_FRAME} is the most`)
}

function codecsOf(codecs: unknown): VideoCodec[] {
  return (Array.isArray(codecs) ? codecs : []).filter((codec): codec is VideoCodec => codec === 'vp8' || codec === 'h264')
}

interface Emitter {
  on(event: any, listener: (...args: any[]) => void): unknown
  off(event: any, listener: (...args: any[]) => void): unknown
}

/** Listens until the connection is over. */
function attach(emitter: Emitter, listeners: Record<string, (...args: any[]) => void>, channel: Channel): void {
  for (const [event, listener] of Object.entries(listeners)) emitter.on(event, listener)
  void channel.closed.then(() => {
    for (const [event, listener] of Object.entries(listeners)) emitter.off(event, listener)
  })
}
