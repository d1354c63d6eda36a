import { Channel, MOST_UNDER_WAY, type Message, type VideoCodec, type VideoPort, type VideoPortEnd } from './channel'
import { Encoder, type EncodedPicture } from './encoder'
import { canEncode, fitted } from './encoding'
import { framesOf, type Frames } from './frames'
import { Trials } from './trials'

/** Options of {@link publish}. */
export interface PublishOptions {
  /** The codecs that may be used, best first; default both, and which is better is measured. A call has its own say. */
  codecs?: readonly VideoCodec[]
  /** Bits per second at most, of which small pictures and a narrow network use less; default 2,500,000. */
  maxBitrate?: number
  /** Pictures per second at most; default 30, and 15 of a screen. */
  maxFrameRate?: number
}

/** How a publication goes, in numbers since it began. */
export interface PublishStats {
  /** Pictures that came from the camera or the screen. */
  captured: number
  /** Pictures that were encoded and sent. */
  sent: number
  /** Of these, key frames. */
  keyFrames: number
  /** Pictures that were dropped before they were encoded, because the encoder or the other side was not ready for more. */
  dropped: number
  /** What is encoded now; undefined while nothing is. */
  codec: VideoCodec | undefined
  /** The size of what is encoded now. */
  width: number | undefined
  height: number | undefined
  /** Bits per second of what is encoded now. */
  bitrate: number | undefined
}

/** What {@link publish} gives. */
export interface Publication {
  /** Ends it; the track goes on. */
  close(): void
  /** Goes on with another stream's pictures, such as those of another camera. */
  replace(mediaStream: MediaStream): void
  /** Settles with why it is over: also when its track ends, or the other side closes or is gone. */
  readonly closed: Promise<VideoPortEnd>
  readonly stats: PublishStats
}

const MAX_BITRATE = 2_500_000
/** Microseconds by which cameras are uneven. */
const UNEVEN = 8000
/** A screen that stands still gives no picture: what it gave last is encoded again this many milliseconds after a key frame was asked for. */
const STILL = 150
/** How long the codecs are tried at most, in milliseconds: a screen that stands still gives nothing to try. */
const LONGEST_TRIAL = 1500

/**
 * Publishes the video of a `MediaStream` (camera or screen) over a port, encoded by WebCodecs: on its other side is `connectVideoSource`
 * of `offhook/renderer/host`.
 *
 * Nothing is encoded before the other side is there and wants it. Bitrate and key frames are as the call asks; pictures that would
 * be late are dropped before they are encoded.
 *
 * @throws `TypeError` for a stream without video and for options that are wrong; `Error` if the page has no WebCodecs, because it is
 * loaded neither over HTTPS nor from this machine.
 */
export function publish(port: VideoPort, mediaStream: MediaStream, options: PublishOptions = {}): Publication {
  const publisher = new Publisher(port, trackOf(mediaStream), checked(options))
  return {
    close: () => publisher.end({ reason: 'closed' }),
    replace: (stream) => publisher.replace(trackOf(stream)),
    closed: publisher.closed,
    get stats() {
      return publisher.stats
    },
  }
}

class Publisher {
  readonly #channel: Channel
  readonly #options: PublishOptions
  readonly #encoder = new Encoder(
    (picture) => this.#send(picture),
    (error) => this.end({ reason: 'failed', error }),
  )
  readonly #counts = { captured: 0, sent: 0, keyFrames: 0, dropped: 0 }
  #track: MediaStreamTrack
  #frames: Frames
  /** What is encoded if the other side leaves it to this page, best first; undefined before it is known. */
  #codecs: VideoCodec[] | undefined
  #trials: Trials | undefined
  #wanted: { active: boolean; codec?: VideoCodec; bitrate?: number } = { active: false }
  #keyWanted = true
  #scale = 1
  #taken = 0
  /** When the last picture that was encoded was taken, in microseconds of this page's clock. */
  #encodedAt = -Infinity
  #latest: { frame: VideoFrame; came: number } | undefined
  #still: ReturnType<typeof setTimeout> | undefined

  constructor(port: VideoPort, track: MediaStreamTrack, options: PublishOptions) {
    this.#channel = new Channel(port, 'publish')
    this.#options = options
    this.#track = track
    this.#frames = framesOf(track)
    this.#channel.listen((message) => this.#heard(message))
    void this.closed.then(() => this.#release())
    void this.#choose()
    void this.#pump(this.#frames)
  }

  get closed(): Promise<VideoPortEnd> {
    return this.#channel.closed
  }

  get stats(): PublishStats {
    const { codec, width, height, bitrate } = this.#encoder.encoding ?? {}
    return { ...this.#counts, codec, width, height, bitrate }
  }

  end(end: VideoPortEnd): void {
    this.#channel.end(end)
  }

  replace(track: MediaStreamTrack): void {
    if (!this.#channel.open) return
    this.#frames.stop()
    this.#track = track
    this.#frames = framesOf(track)
    this.#keyWanted = true
    void this.#pump(this.#frames)
  }

  async #pump(frames: Frames): Promise<void> {
    // Each track has a clock of its own, and what is sent has one.
    let offset: number | undefined
    for (;;) {
      const captured = await frames.next().catch(() => undefined)
      if (frames !== this.#frames || !this.#channel.open) return captured?.close()
      if (!captured) return this.end({ reason: 'ended' })
      this.#counts.captured += 1
      offset ??= performance.now() * 1000 - captured.timestamp
      const frame = new VideoFrame(captured, { timestamp: Math.round(captured.timestamp + offset) })
      captured.close()
      await this.#trials?.encode(frame)
      // Another track may have taken its place meanwhile, or it may be over.
      if (frames !== this.#frames || !this.#channel.open) return frame.close()
      this.#keep(frame)
      this.#encode(frame)
    }
  }

  /** Finds out what this page can encode, and what best; says so. */
  async #choose(): Promise<void> {
    const { codecs = ['vp8', 'h264'] } = this.#options
    const able = await Promise.all(codecs.map(canEncode))
    const there = codecs.filter((_, index) => able[index])
    if (!this.#channel.open) return
    if (there.length === 0) return this.end({ reason: 'failed', error: new Error(`This page can encode none of ${codecs.join(', ')}`) })
    this.#codecs = this.#options.codecs ? there : await this.#tried(there)
    this.#channel.send({ kind: 'hello', codecs: this.#codecs })
  }

  async #tried(codecs: VideoCodec[]): Promise<VideoCodec[]> {
    const trials = new Trials(codecs, this.#framerate)
    this.#trials = trials
    const until = performance.now() + LONGEST_TRIAL
    // Whatever the call has agreed on is taken, however slow.
    while (!trials.done && this.#channel.open && performance.now() < until && !this.#wanted.codec) await pause(20)
    this.#trials = undefined
    trials.close()
    return trials.order
  }

  #heard(message: Message): void {
    if (message.kind === 'hello') return this.#greet()
    if (message.kind === 'keyFrame') return this.#wantKey()
    if (message.kind === 'taken') this.#taken = Math.max(this.#taken, message.number)
    if (message.kind !== 'state') return
    const { active, codec, bitrate } = message
    if (active && !this.#wanted.active) this.#wantKey()
    this.#wanted = { active, ...(codec && { codec }), ...(bitrate !== undefined && { bitrate }) }
    if (!active) this.#encoder.close()
  }

  /** The other side has just begun, or begins anew: it has nothing of what is under way. */
  #greet(): void {
    this.#taken = this.#counts.sent
    if (this.#codecs) this.#channel.send({ kind: 'hello', codecs: this.#codecs })
    this.#wantKey()
  }

  #wantKey(): void {
    this.#keyWanted = true
    clearTimeout(this.#still)
    this.#still = setTimeout(() => this.#again(), STILL)
  }

  /** Encodes what came last once more, at the time that it is now. */
  #again(): void {
    if (!this.#latest || !this.#keyWanted || !this.#wanted.active || !this.#channel.open) return
    const { frame, came } = this.#latest
    const timestamp = Math.round(frame.timestamp + (performance.now() - came) * 1000)
    const repeated = new VideoFrame(frame, { timestamp })
    this.#encode(repeated)
    repeated.close()
    if (this.#keyWanted) this.#still = setTimeout(() => this.#again(), STILL)
  }

  #encode(frame: VideoFrame): void {
    const codec = this.#wanted.codec ?? this.#codecs?.[0]
    if (!this.#wanted.active || !codec) return
    if (frame.timestamp - this.#encodedAt < (this.#keyWanted ? 1 : 1e6 / this.#framerate - UNEVEN)) return
    const { sent } = this.#counts
    if (this.#encoder.busy || sent - this.#taken + this.#encoder.queued >= MOST_UNDER_WAY) {
      this.#counts.dropped += 1
      return
    }
    const framerate = this.#framerate
    const { maxBitrate = MAX_BITRATE } = this.#options
    const allowed = Math.min(this.#wanted.bitrate ?? maxBitrate, maxBitrate)
    const { scale, ...size } = fitted(frame.displayWidth, frame.displayHeight, framerate, allowed, this.#detailed, this.#scale)
    this.#scale = scale
    const key = this.#keyWanted || this.#encoder.encoding?.codec !== codec
    this.#keyWanted = false
    this.#encodedAt = frame.timestamp
    this.#encoder.encode(frame, { codec, framerate, ...size }, key)
  }

  #send({ codec, key, timestamp, data }: EncodedPicture): void {
    this.#counts.sent += 1
    if (key) this.#counts.keyFrames += 1
    this.#channel.send({ kind: 'frame', number: this.#counts.sent, codec, key, timestamp, data })
  }

  #keep(frame: VideoFrame): void {
    this.#latest?.frame.close()
    this.#latest = { frame, came: performance.now() }
  }

  get #framerate(): number {
    return this.#options.maxFrameRate ?? (this.#detailed ? 15 : 30)
  }

  /** Whether there is text in it. */
  get #detailed(): boolean {
    const { contentHint } = this.#track
    if (contentHint !== '') return contentHint === 'detail' || contentHint === 'text'
    return this.#track.getSettings().displaySurface !== undefined
  }

  #release(): void {
    clearTimeout(this.#still)
    this.#frames.stop()
    this.#trials?.close()
    this.#encoder.close()
    this.#latest?.frame.close()
    this.#latest = undefined
  }
}

function trackOf(mediaStream: MediaStream): MediaStreamTrack {
  const [track] = mediaStream instanceof MediaStream ? mediaStream.getVideoTracks() : []
  if (!track) throw new TypeError('There is no video to publish: give a MediaStream with a video track')
  return track
}

function checked(options: PublishOptions): PublishOptions {
  if (typeof VideoEncoder === 'undefined') {
    throw new Error('This page has no WebCodecs to encode video with: load it over HTTPS or from this machine, in a browser that has them')
  }
  const { codecs, ...limits } = options
  const known = codecs === undefined || (codecs.length > 0 && codecs.every((codec) => codec === 'vp8' || codec === 'h264'))
  if (!known) throw new TypeError("Option 'codecs' must be an array of 'vp8' and 'h264'")
  for (const [name, value] of Object.entries(limits)) {
    if (name !== 'maxBitrate' && name !== 'maxFrameRate') throw new TypeError(`Option '${name}' must be one of codecs, maxBitrate, maxFrameRate, but is unknown`)
    if (value !== undefined && !(typeof value === 'number' && value > 0)) throw new TypeError(`Option '${name}' must be a number above 0`)
  }
  return options
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
