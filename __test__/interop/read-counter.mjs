/** Runs in a page: the counter in what a canvas or a video shows; undefined if there is none. */
export function readCounter(image) {
  const [columns, rows] = [4, 3]
  const small = new OffscreenCanvas(64, 64)
  const context = small.getContext('2d', { willReadFrequently: true })
  context.drawImage(image, 0, 0, 64, 64)
  const { data } = context.getImageData(0, 0, 64, 64)
  const bits = Array.from({ length: columns * rows }, (_, bit) => {
    const x = Math.floor(((bit % columns) + 0.5) * (64 / columns))
    const y = Math.floor((Math.floor(bit / columns) + 0.5) * (48 / rows))
    return data[(y * 64 + x) * 4] > 128 ? 1 : 0
  })
  const isCounter = bits.slice(7).every((bit, index) => bit === 1 - bits[index])
  return isCounter ? bits.slice(0, 7).reduce((count, bit, index) => count | (bit << index), 0) : undefined
}
