import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** Longer than this nothing waits before a bottleneck; what comes then is lost. */
const QUEUE_MS = 200

/**
 * A line between two peers, in user space: each is told the other's address as one of this line's, and what goes to that is
 * passed on, lost or kept waiting. `loss` is the share that is lost at random, `rate` what passes in bit/s, both ways; `delay` is
 * what each datagram takes in milliseconds, and `jitter` what two legs may add to that each, in order. `address` is where both find it.
 */
export class ImpairedLine {
  /** What was dropped of each payload type, by either reason; of what is not RTP, under `other`. */
  dropped = new Map()
  #ends
  #loss
  #rate
  #delay
  #jitter
  #random

  static async open({ loss = 0, rate = Infinity, delay = 0, jitter = 0, seed = 7, address = '127.0.0.1' } = {}) {
    const sockets = await Promise.all([bound(address), bound(address)])
    return new ImpairedLine(sockets, { loss, rate, delay, jitter, seed })
  }

  constructor(sockets, { loss, rate, delay, jitter, seed }) {
    this.#loss = loss
    this.#rate = rate
    this.#delay = delay
    this.#jitter = jitter
    this.#random = random(seed)
    // What arrives at the socket that stands for one end comes from the other.
    this.#ends = sockets.map((socket) => ({ socket, peer: undefined, busy: 0, arrives: 0, waiting: [] }))
    sockets.forEach((socket, index) => {
      socket.on('message', (datagram, from) => this.#pass(datagram, from, 1 - index))
    })
  }

  /** The description of end 0 or 1, as the other end is to see it. */
  rewrite(sdp, end) {
    const { socket } = this.#ends[end]
    const { address, port } = socket.address()
    const own = /^a=candidate:\S+ 1 udp \d+ ((?:\d+\.){3}\d+) (\d+) typ host.*$/im.exec(sdp)
    if (own) this.#ends[end].peer ??= { address: own[1], port: Number(own[2]) }
    const lines = sdp.split('\r\n').filter((line) => !/^a=(candidate|end-of-candidates|rtcp:|ice-options)/.test(line))
    return lines
      .map((line) => line.replace(/^(m=\w+) [1-9]\d* /, `$1 ${port} `))
      .flatMap((line) => (line.startsWith('a=mid:') ? [line, `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`] : [line]))
      .map((line) => line.replace(/^c=IN .*/, `c=IN IP4 ${address}`))
      .join('\r\n')
  }

  close() {
    for (const { socket, waiting } of this.#ends) {
      // Timers that still run find nothing to send.
      waiting.length = 0
      socket.close()
    }
  }

  #pass(datagram, from, sender) {
    const source = this.#ends[sender]
    const target = this.#ends[1 - sender]
    source.peer = { address: from.address, port: from.port }
    if (target.peer === undefined) return
    const now = performance.now()
    const starts = Math.max(now, source.busy)
    const isMedia = datagram[0] >= 128 && datagram[0] < 192
    if (starts - now > QUEUE_MS || (isMedia && this.#random() < this.#loss)) return this.#drop(datagram)
    source.busy = starts + ((datagram.length + 28) * 8000) / this.#rate
    const legs = this.#jitter === 0 ? 0 : this.#jitter * (this.#random() + this.#random())
    source.arrives = Math.max(source.arrives, source.busy + this.#delay + legs)
    const send = () => source.socket.send(datagram, target.peer.port, target.peer.address, () => {})
    if (source.arrives - now < 1) return send()
    source.waiting.push({ due: source.arrives, send })
    setTimeout(() => flush(source), source.arrives - now)
  }

  #drop(datagram) {
    const isRtp = datagram[0] >= 128 && datagram[0] < 192 && !(datagram[1] >= 192 && datagram[1] < 224)
    const kind = isRtp ? datagram[1] & 127 : 'other'
    this.dropped.set(kind, (this.dropped.get(kind) ?? 0) + 1)
  }
}

/** Sends what is due, in order: timers of different lengths may fire out of turn. */
function flush({ waiting }) {
  const now = performance.now() + 1
  while (waiting.length > 0 && waiting[0].due <= now) waiting.shift().send()
}

async function bound(address) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }).bind(0, address)
  await once(socket, 'listening')
  return socket
}

/** The same numbers in each run (mulberry32). */
function random(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
