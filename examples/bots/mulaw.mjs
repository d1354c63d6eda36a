// G.711 mu-law (ITU-T G.711): eight bits for a sample of sixteen.
const bias = 132
const most = 32_635

/** A Buffer of 16-bit PCM as mu-law. */
export function encode(pcm) {
  const bytes = Buffer.alloc(pcm.length >> 1)
  for (let index = 0; index < bytes.length; index++) bytes[index] = compress(pcm.readInt16LE(2 * index))
  return bytes
}

/** Mu-law as 16-bit PCM. */
export function decode(bytes) {
  return Int16Array.from(bytes, (byte) => expanded[byte])
}

function compress(sample) {
  const magnitude = Math.min(Math.abs(sample), most) + bias
  // The highest bit is one of 7 to 14.
  const segment = 24 - Math.clz32(magnitude)
  const step = (magnitude >> (segment + 3)) & 15
  return ~((sample < 0 ? 128 : 0) | (segment << 4) | step) & 255
}

const expanded = Int16Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 255
  const magnitude = ((((bits & 15) << 3) + bias) << ((bits >> 4) & 7)) - bias
  return bits & 128 ? -magnitude : magnitude
})
