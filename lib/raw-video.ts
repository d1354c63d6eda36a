import { SoftphoneError } from './errors'
import { native, type NativeRawPicture } from './native'
import { typeName } from './schema'

/** How a raw picture's bytes lie: three planes with colours at half the size, or four bytes a pixel. */
export type RawVideoFormat = 'I420' | 'RGBA'

/** One raw picture, row after row without gaps, in the colours of ITU-R BT.601 (limited range in I420). */
export interface RawFrame {
  /** How its bytes lie. */
  format: RawVideoFormat
  /** Pixels from left to right; an odd side of I420 has its colours rounded up. */
  width: number
  /** Pixels from top to bottom; at most 3840 × 2160 pixels in all. */
  height: number
  /** Microseconds by the clock of whoever made it; default the time at which it is written. */
  timestamp?: number
  /** Degrees by which it is to be turned clockwise before it is shown; default 0. */
  rotation?: 0 | 90 | 180 | 270
  /** Its bytes: `width * height * 4` of RGBA, `width * height` and two quarters of that of I420. */
  data: Uint8Array
}

/** @internal Throws `ERR_RAW_VIDEO` if the addon was built without a codec for raw pictures. */
export function needRawVideo(name: string): void {
  if (native().hasRawVideo()) return
  const text = `Bad argument "${name}": this build of offhook has no raw video; send and take encoded frames`
  throw new SoftphoneError(text, { code: 'ERR_RAW_VIDEO', type: 'not_supported' })
}

/** @internal What a picture that is written is, in the words of the addon; members that are wrong are named by `wrong`. */
export function checkedPicture(frame: Record<string, unknown>, wrong: (name: string, expected: string, what: string) => Error): NativeRawPicture {
  const { format, width, height, rotation = 0, timestamp = performance.now() * 1000 } = frame
  if (format !== 'I420' && format !== 'RGBA') throw wrong('frame.format', "'I420' or 'RGBA'", typeName(format))
  for (const [name, side] of Object.entries({ width, height })) {
    const fits = Number.isInteger(side) && (side as number) >= 1 && (side as number) <= 16_383
    if (!fits) throw wrong(`frame.${name}`, 'a number of pixels, 1 to 16383', typeName(side))
  }
  if (![0, 90, 180, 270].includes(rotation as number)) throw wrong('frame.rotation', '0, 90, 180 or 270', typeName(rotation))
  return { format, width, height, rotation, timestamp } as NativeRawPicture
}
