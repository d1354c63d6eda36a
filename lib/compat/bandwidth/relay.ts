import { VideoSink, VideoSource, type EncodedFrame, type Session, type VideoCodec } from '../../index'

/** Milliseconds to wait for the first picture, which says the codec; and at least between two changes of one watcher's codec. */
const PATIENCE = 1000

/** Somebody who watches, or is about to. */
export interface Watcher {
  /** What watches is of one relay: the publication may have a newer one. */
  readonly relay: Relay
  /** What their call shows: another source once the pictures come in another codec. */
  source: VideoSource
  /** Their call, once it has begun. */
  session: Session | undefined
  /** When their call was last asked for another codec. */
  turned: number
}

/**
 * One publication's pictures on their way to those who watch it, as they are: nothing is decoded. It asks the publisher for a key frame
 * whenever somebody needs one, which the engine does twice a second at most.
 */
export class Relay {
  readonly #sink = new VideoSink()
  readonly #watchers = new Set<Watcher>()
  readonly #stop: () => void
  readonly #failed: (error: unknown) => void
  /** Who is about to watch. */
  #waiting = 0
  #closed = false
  #codec: VideoCodec | undefined
  #first: () => void = () => {}
  readonly #came = new Promise<void>((resolve) => (this.#first = resolve))

  constructor(session: Session, streamId: string, failed: (error: unknown) => void) {
    this.#failed = failed
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

  /** Takes somebody in, once it is known in which codec the pictures come; `drop` undoes it. */
  async watcher(): Promise<Watcher> {
    this.#waiting += 1
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)))
    await Promise.race([this.#came, late])
    clearTimeout(timer)
    this.#waiting -= 1
    const watcher: Watcher = { relay: this, source: this.#source(this.#codec), session: undefined, turned: -Infinity }
    // One that is over meanwhile shows nothing.
    if (this.#closed) watcher.source.close()
    else this.#watchers.add(watcher)
    return watcher
  }

  /** Gives somebody nothing more. */
  drop(watcher: Watcher): void {
    watcher.source.close()
    this.#watchers.delete(watcher)
  }

  /** Ends it, once, and gives the calls of those who watched. */
  close(): Session[] {
    // A newer relay may have the stream: it keeps it.
    if (this.#closed) return []
    this.#closed = true
    const sessions = [...this.#watchers].flatMap(({ session }) => session ?? [])
    for (const watcher of this.#watchers) this.drop(watcher)
    this.#stop()
    this.#first()
    return sessions
  }

  #source(codec: VideoCodec | undefined): VideoSource {
    const source = new VideoSource(codec ? { codecs: [codec] } : {})
    source.on('keyFrameRequest', () => this.#sink.requestKeyFrame())
    source.on('active', (active) => active && this.#sink.requestKeyFrame())
    return source
  }

  #pass(frame: EncodedFrame): void {
    this.#codec = frame.codec
    this.#first()
    for (const watcher of this.#watchers) {
      const { source } = watcher
      if (source.codec !== undefined && source.codec !== frame.codec) this.#turn(watcher, frame.codec)
      else if (source.codecs.includes(frame.codec)) source.write(frame)
    }
  }

  /** Asks a call that has agreed on another codec for the one in which the pictures come; one that refuses it sees nothing, and is ended. */
  #turn(watcher: Watcher, codec: VideoCodec): void {
    const { source: before, session, turned } = watcher
    // A publisher that changes to and fro does not keep all the others at it.
    if (!session || performance.now() - turned < PATIENCE) return
    watcher.turned = performance.now()
    watcher.source = this.#source(codec)
    const turning = session.setVideo(watcher.source)
    before.close()
    turning.catch((error: unknown) => this.#refused(watcher, session, error))
  }

  #refused(watcher: Watcher, session: Session, error: unknown): void {
    if (!this.#watchers.has(watcher) || session.state === 'ended') return
    this.#failed(error)
    session.end({ reason: 'incompatible-parameters', text: 'The pictures come in another codec' }).catch(this.#failed)
  }
}
