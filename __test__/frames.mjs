/**
 * A frame of VP8 as far as its header goes, which is all that the engine reads (RFC 6386 §9.1): its last octets name it. A key frame
 * says its size.
 */
export function vp8Frame(name, { key = false, width = 320, height = 240, octets = 400, timestamp = 0 } = {}) {
  const data = new Uint8Array(octets).fill(0x55)
  const tag = (key ? 0 : 1) | (1 << 4) | ((octets - 10) << 5)
  data.set([tag & 0xff, (tag >> 8) & 0xff, (tag >> 16) & 0xff])
  if (key) data.set([0x9d, 0x01, 0x2a, width & 0xff, width >> 8, height & 0xff, height >> 8], 3)
  const ending = new TextEncoder().encode(name)
  data.set([...ending, ending.length], octets - ending.length - 1)
  return { codec: 'vp8', key, timestamp, data }
}

/** A picture of H.264 as far as its units go, with start codes (RFC 6184 §1.3); a key frame has parameter sets before it. */
export function h264Frame(name, { key = false, octets = 400, timestamp = 0 } = {}) {
  const sets = key ? [0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x96, 0x54, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80] : []
  const data = new Uint8Array(octets).fill(0x55)
  data.set([...sets, 0, 0, 0, 1, key ? 0x65 : 0x41, 0x88])
  const ending = new TextEncoder().encode(name)
  data.set([...ending, ending.length], octets - ending.length - 1)
  return { codec: 'h264', key, timestamp, data }
}

/** The name of such a frame. */
export function nameOf({ data }) {
  const length = data[data.length - 1]
  return new TextDecoder().decode(data.subarray(data.length - 1 - length, data.length - 1))
}

/** Writes a frame thirty times a second, named after who films and its number, and key frames when they are asked for; gives what stops it. */
export function film(source, who, frame = vp8Frame) {
  let count = 0
  let key = true
  source.on('keyFrameRequest', () => (key = true))
  source.on('active', (active) => (key ||= active))
  const timer = setInterval(() => {
    count += 1
    if (source.write(frame(`${who} ${count}`, { key, timestamp: count * 33_333 }))) key = false
  }, 33)
  return () => clearInterval(timer)
}
