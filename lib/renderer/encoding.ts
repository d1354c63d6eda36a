import type { VideoCodec } from './channel'

/** How one stream is encoded now. */
export interface Encoding {
  codec: VideoCodec
  width: number
  height: number
  /** Bits per second. */
  bitrate: number
  framerate: number
}

/** How WebCodecs is asked for it. */
export function configOf({ codec, width, height, bitrate, framerate }: Encoding): VideoEncoderConfig {
  const common = { width, height, bitrate, framerate, latencyMode: 'realtime' as const }
  return codec === 'vp8' ? { codec, ...common } : { codec: h264(width, height), avc: { format: 'annexb' }, ...common }
}

/** Constrained Baseline, which every browser decodes (RFC 7742 §5), of the level that the size needs (H.264 table A-1, 30 a second). */
function h264(width: number, height: number): string {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16)
  return `avc1.42E0${blocks <= 3600 ? '1F' : blocks <= 8192 ? '28' : '33'}`
}

/** Bits for a pixel of a picture that moves: with fewer it is blurred, and a smaller one is better; more are wasted. */
const ENOUGH = 0.04
const PLENTY = 0.1

const scales = [1, 3 / 4, 1 / 2, 3 / 8, 1 / 4] as const

/** What suits a picture of this size. */
export interface Fitted {
  width: number
  height: number
  bitrate: number
  scale: number
}

/**
 * Chooses size and bitrate: no more than `allowed` bits per second, nor than a picture of this size can use. With few bits a picture
 * that moves gets smaller; one with text in it (`detailed`) keeps its size. `scale` is what is used now: it grows only if there is
 * more than enough.
 */
export function fitted(width: number, height: number, framerate: number, allowed: number, detailed: boolean, scale: number): Fitted {
  const enough = (one: number) => width * height * one * one * framerate * ENOUGH
  const fits = (one: number) => detailed || enough(one) * (one > scale ? 1.3 : 1) <= allowed
  const chosen = scales.find(fits) ?? 1 / 4
  const size = { width: even(width * chosen), height: even(height * chosen) }
  return { ...size, bitrate: Math.round(Math.min(allowed, size.width * size.height * framerate * PLENTY)), scale: chosen }
}

// H.264 knows no odd sizes.
function even(size: number): number {
  return Math.max(2, Math.floor(size / 2) * 2)
}

/** The part of a picture that has even sizes; the whole, if it has. */
export function evenPart(frame: VideoFrame): VideoFrame {
  const { x, y, width, height } = frame.visibleRect ?? { x: 0, y: 0, width: frame.codedWidth, height: frame.codedHeight }
  if (width % 2 === 0 && height % 2 === 0) return frame
  return new VideoFrame(frame, { visibleRect: { x, y, width: even(width), height: even(height) } })
}

/** Whether this page can encode it. */
export async function canEncode(codec: VideoCodec): Promise<boolean> {
  const config = configOf({ codec, width: 640, height: 360, bitrate: 600_000, framerate: 30 })
  const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }))
  return supported === true
}
