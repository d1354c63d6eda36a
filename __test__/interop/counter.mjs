import { writeFileSync } from 'node:fs'
import { VideoSource } from 'offhook'

export { readCounter } from './read-counter.mjs'

/** Pictures of a clip; their counters go from 0 to one less. */
export const COUNTED = 96
const columns = 4
const rows = 3

/**
 * Writes a y4m clip for Chromium's fake camera, whose pictures carry a counter: twelve fields, white for 1, the least bit first, of
 * which the last five are the first five turned round. A bar moves below it, so that each picture costs some bits.
 */
export function writeCounterClip(path, { width = 640, height = 480, rate = 30 } = {}) {
  const frames = Array.from({ length: COUNTED }, (_, count) => Buffer.concat([Buffer.from('FRAME\n'), counterPicture(count, width, height)]))
  writeFileSync(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F${rate}:1 Ip A1:1 C420jpeg\n`), ...frames]))
  return path
}

/** A raw source of such pictures, fifteen a second. */
export function counting(t, { width, height }) {
  const source = new VideoSource({ format: 'raw' })
  let count = 0
  const timer = setInterval(() => {
    source.write({ format: 'I420', width, height, data: counterPicture(count, width, height) })
    count = (count + 1) % COUNTED
  }, 1000 / 15)
  t.after(() => (clearInterval(timer), source.close()))
  return source
}

/** Such a picture, in I420. */
export function counterPicture(count, width, height) {
  const luma = Buffer.alloc(width * height, 128)
  const fields = height * 0.75
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const bit = Math.floor((y / fields) * rows) * columns + Math.floor((x / width) * columns)
      luma[y * width + x] = y < fields ? (bitOf(count, bit) ? 220 : 30) : (x + count * 7) % 64 < 32 ? 90 : 160
    }
  }
  return Buffer.concat([luma, Buffer.alloc((width * height) / 2, 128)])
}

function bitOf(count, bit) {
  return bit < 7 ? (count >> bit) & 1 : 1 - ((count >> (bit - 7)) & 1)
}

/** The counter in a picture of I420, of whatever size; undefined if there is none. */
export function counterIn(luma, width, height) {
  const bits = Array.from({ length: columns * rows }, (_, bit) => {
    const x = Math.floor((((bit % columns) + 0.5) * width) / columns)
    const y = Math.floor(((Math.floor(bit / columns) + 0.5) * height * 0.75) / rows)
    return luma[y * width + x] > 128 ? 1 : 0
  })
  const isCounter = bits.slice(7).every((bit, index) => bit === 1 - bits[index])
  return isCounter ? bits.slice(0, 7).reduce((count, bit, index) => count | (bit << index), 0) : undefined
}
