import { VideoSink, VideoSource, type EncodedFrame, type Session, type VideoCodec } from '../../index'

/** Milliseconds to wait for the first picture, which says the codec. */
const PATIENCE = 1000

/**
 * One publication's pictures on their way to those who watch it, as they are: nothing is decoded. It asks the publisher for a key frame
 * whenever somebody needs one, which the engine does twice a second at most.
 */
export class Relay {
  readonly #sink = new VideoSink()
  /** Who watches: the sources of their calls, which begin later. */
  readonly #watchers = new Map<VideoSource, Session | undefined>()
  readonly #stop: () => void
  /** Who is about to watch. */
  #waiting = 0
  #codec: VideoCodec | undefined
  #first: () => void = () => {}
  readonly #came = new Promise<void>((resolve) => (this.#first = resolve))

  constructor(session: Session, streamId: string, failed: (error: unknown) => void) {
    this.#sink.on('data', (frame: EncodedFrame) => this.#pass(frame))
    const lasts = () => session.streams.some(({ id }) => id === streamId)
    const show = (output: VideoSink | 'none') =>
      session.setVideoOutput(streamId, output).catch((error: unknown) => {
        // A stream that has ended meanwhile needs no help.
        if (lasts()) failed(error)
      })
    void show(this.#sink)
    this.#stop = () => {
      if (lasts()) void show('none')
      this.#sink.destroy()
    }
  }

  /** Whether nobody watches. */
  get idle(): boolean {
    return this.#watchers.size + this.#waiting === 0
  }

  /** A source for who watches, once it is known in which codec the pictures come. */
  async source(): Promise<VideoSource> {
    this.#waiting += 1
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)))
    await Promise.race([this.#came, late])
    clearTimeout(timer)
    this.#waiting -= 1
    const source = new VideoSource(this.#codec ? { codecs: [this.#codec] } : {})
    this.#watchers.set(source, undefined)
    source.on('keyFrameRequest', () => this.#sink.requestKeyFrame())
    source.on('active', (active) => active && this.#sink.requestKeyFrame())
    return source
  }

  /** Knows the call that a source is for. */
  begin(source: VideoSource, session: Session): void {
    if (this.#watchers.has(source)) this.#watchers.set(source, session)
  }

  /** Gives somebody nothing more. */
  drop(source: VideoSource): void {
    source.close()
    this.#watchers.delete(source)
  }

  /** Ends it, and gives the calls of those who watched. */
  close(): Session[] {
    const sessions = [...this.#watchers.values()].flatMap((session) => session ?? [])
    for (const source of this.#watchers.keys()) this.drop(source)
    this.#stop()
    this.#first()
    return sessions
  }

  #pass(frame: EncodedFrame): void {
    this.#codec = frame.codec
    this.#first()
    for (const source of this.#watchers.keys()) if (source.codecs.includes(frame.codec)) source.write(frame)
  }
}
