/** @internal Where pictures are shown. */
export interface Screen {
  /** Shows a picture as soon as it can, and closes it; one that is not shown yet makes way for it. */
  show(frame: VideoFrame): void
  /** Shows nothing any more. */
  clear(): void
}

/** What pictures are drawn into, or played by. */
export type RenderTarget = HTMLCanvasElement | OffscreenCanvas | HTMLVideoElement

/** @internal */
export function screenOf(target: RenderTarget, shown: () => void): Screen {
  if (typeof HTMLVideoElement !== 'undefined' && target instanceof HTMLVideoElement) return played(target, shown)
  const isCanvas = [globalThis.HTMLCanvasElement, globalThis.OffscreenCanvas].some((Canvas) => Canvas && target instanceof Canvas)
  if (!isCanvas) throw new TypeError('Pictures are drawn into a canvas, or played by a video element: give one of them')
  return drawn(target as HTMLCanvasElement | OffscreenCanvas, shown)
}

/** By requestAnimationFrame: a page that is hidden draws nothing, and the newest picture once it is seen. */
function drawn(canvas: HTMLCanvasElement | OffscreenCanvas, shown: () => void): Screen {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null
  if (!context) throw new TypeError('The canvas is drawn by something else: give one without a WebGL context')
  let next: VideoFrame | undefined
  let asked: number | undefined
  const draw = () => {
    asked = undefined
    if (!next) return
    const { displayWidth: width, displayHeight: height } = next
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    context.drawImage(next, 0, 0, width, height)
    next.close()
    next = undefined
    shown()
  }
  return {
    show(frame) {
      next?.close()
      next = frame
      asked ??= requestAnimationFrame(draw)
    },
    clear() {
      next?.close()
      next = undefined
      if (asked !== undefined) cancelAnimationFrame(asked)
      context.clearRect(0, 0, canvas.width, canvas.height)
    },
  }
}

interface TrackGenerator extends MediaStreamTrack {
  writable: WritableStream<VideoFrame>
}
type TrackGeneratorClass = new (init: { kind: 'video' }) => TrackGenerator

function played(video: HTMLVideoElement, shown: () => void): Screen {
  const { MediaStreamTrackGenerator } = globalThis as { MediaStreamTrackGenerator?: TrackGeneratorClass }
  const { track, screen } = MediaStreamTrackGenerator ? generated(new MediaStreamTrackGenerator({ kind: 'video' }), shown) : captured(shown)
  const stream = new MediaStream([track])
  video.srcObject = stream
  // One that may not begin by itself begins when somebody presses play.
  void video.play().catch(() => {})
  return {
    show: (frame) => screen.show(frame),
    clear() {
      screen.clear()
      track.stop()
      if (video.srcObject === stream) video.srcObject = null
    },
  }
}

function generated(track: TrackGenerator, shown: () => void): { track: MediaStreamTrack; screen: Screen } {
  const writer = track.writable.getWriter()
  let writing = false
  let next: VideoFrame | undefined
  const write = async (frame: VideoFrame) => {
    writing = true
    // It is closed by whom it is written to.
    await writer.write(frame).then(shown, () => frame.close())
    writing = false
    const waiting = next
    next = undefined
    if (waiting) void write(waiting)
  }
  const screen = {
    show(frame: VideoFrame) {
      if (!writing) return void write(frame)
      next?.close()
      next = frame
    },
    clear() {
      next?.close()
      next = undefined
      void writer.close().catch(() => {})
    },
  }
  return { track, screen }
}

/** By a canvas that nobody sees, in browsers that generate no tracks: only while the page is visible. */
function captured(shown: () => void): { track: MediaStreamTrack; screen: Screen } {
  const canvas = document.createElement('canvas')
  const screen = drawn(canvas, shown)
  const [track] = canvas.captureStream().getVideoTracks()
  if (!track) throw new Error('This browser captures no canvas: render into a canvas of the page')
  return { track, screen }
}
