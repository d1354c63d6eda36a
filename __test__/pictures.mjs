// Pictures of tests: frames of VP8 in form, whose octets carry a counter.
import { once } from 'node:events'
import { VideoSink, VideoSource } from 'offhook'
import { next } from './phones.mjs'

/** Milliseconds between two frames: with what one has by default, a call sends no more than it may begin with. */
export const EVERY = 100

/** A frame with this number in it; a key frame says that it has 320 by 180 pixels (RFC 6386 §9.1). */
export function frame(count, key, length = 2600) {
  const data = Buffer.alloc(length, count % 251)
  const tag = key ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00] : [0x11, 0, 0]
  data.set(tag)
  data.writeUInt32BE(count, 12)
  return { codec: 'vp8', key, timestamp: count * EVERY * 1000, data }
}

/** A source that is written to ten times a second until it is closed; a key frame comes first, and whenever one is asked for. */
export function camera(t) {
  const source = new VideoSource({ codecs: ['vp8'] })
  let wanted = true
  let count = 0
  const written = []
  source.on('keyFrameRequest', () => (wanted = true))
  const timer = setInterval(() => {
    if (!source.active) return void (wanted = true)
    const picture = frame(count++, wanted)
    wanted = !source.write(picture)
    written.push(picture)
  }, EVERY)
  const close = () => {
    clearInterval(timer)
    source.close()
  }
  t.after(close)
  return { source, written, close }
}

/** Where the pictures of a session's stream go from now on: `frames(n)` gives the next n. */
export async function screen(t, session, { id }) {
  const sink = new VideoSink()
  t.after(() => sink.destroy())
  await session.setVideoOutput(id, sink)
  const frames = async (count, deadline = 10_000) => {
    const read = []
    const signal = AbortSignal.timeout(deadline)
    while (read.length < count) {
      const picture = sink.read()
      if (picture) read.push(picture)
      else await once(sink, 'readable', { signal })
    }
    return read
  }
  return { sink, frames }
}

/** The next stream that a session's other side shows, or one that it shows already. */
export async function shown(session, content = 'camera') {
  for (;;) {
    const there = session.streams.find((stream) => stream.content === content)
    if (there) return there
    await next(session, 'streamAvailable', 10_000)
  }
}

/** The numbers of frames. */
export const counters = (frames) => frames.map(({ data }) => data.readUInt32BE(12))
