/** The pictures of a track, one after the other: whoever asks gets the newest, and what nobody asked for is dropped. */
export interface Frames {
  /** Undefined once the track has ended or `stop()` was called. */
  next(): Promise<VideoFrame | undefined>
  /** Leaves the track alone, which goes on. */
  stop(): void
}

interface TrackProcessor {
  readable: ReadableStream<VideoFrame>
}
type TrackProcessorClass = new (init: { track: MediaStreamTrack }) => TrackProcessor

export function framesOf(track: MediaStreamTrack): Frames {
  const { MediaStreamTrackProcessor } = globalThis as { MediaStreamTrackProcessor?: TrackProcessorClass }
  return MediaStreamTrackProcessor ? processed(new MediaStreamTrackProcessor({ track })) : played(track)
}

function processed({ readable }: TrackProcessor): Frames {
  const reader = readable.getReader()
  return {
    next: async () => (await reader.read()).value,
    stop: () => void reader.cancel().catch(() => {}),
  }
}

/** By a video element that nobody sees, if a page has no MediaStreamTrackProcessor (Firefox, Safari): only while it is visible. */
function played(track: MediaStreamTrack): Frames {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = new MediaStream([track])
  const ended = new AbortController()
  const { signal } = ended
  track.addEventListener('ended', () => ended.abort(), { signal })
  if (track.readyState === 'ended') ended.abort()
  void video.play().catch(() => {})
  return {
    next: () =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(undefined)
        const gone = () => resolve(undefined)
        signal.addEventListener('abort', gone, { once: true })
        video.requestVideoFrameCallback((now) => {
          signal.removeEventListener('abort', gone)
          resolve(signal.aborted ? undefined : new VideoFrame(video, { timestamp: Math.round(now * 1000) }))
        })
      }),
    stop() {
      ended.abort()
      video.srcObject = null
    },
  }
}
