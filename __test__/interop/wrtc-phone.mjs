// A process of its own, forked by wrtc.mjs: a JsSIP phone with libwebrtc, driven over IPC.
import { Readable } from 'node:stream'
import wrtc from '@roamhq/wrtc'
import JsSIP from 'jssip'
import { WebSocket } from 'ws'
import { hears } from '../sound.mjs'

const { MediaStream, RTCPeerConnection, RTCSessionDescription, nonstandard } = wrtc
const { RTCAudioSink, RTCAudioSource, RTCVideoSink, RTCVideoSource } = nonstandard
const rate = 48_000
const frame = rate / 100

// JsSIP takes its browser from the globals.
Object.assign(globalThis, { window: wrtc, RTCPeerConnection, RTCSessionDescription, WebSocket })

class WrtcPhone {
  #ua
  #pcConfig
  #streamsAlone
  #session
  #voice
  #camera
  #events = []
  #arrived = () => {}

  /** Registers: `{ server, uri, password, pcConfig?, streamsAlone? }`; with the last no side is told an address of UDP. */
  async start({ server, uri, password, pcConfig = { iceServers: [] }, streamsAlone = false }) {
    this.#pcConfig = pcConfig
    this.#streamsAlone = streamsAlone
    const sockets = [new JsSIP.WebSocketInterface(server)]
    this.#ua = new JsSIP.UA({ sockets, uri, password, session_timers: false })
    this.#ua.on('registered', () => this.#note('registered'))
    this.#ua.on('registrationFailed', ({ cause }) => this.#note('registrationFailed', { cause }))
    this.#ua.on('newRTCSession', ({ session }) => this.#adopt(session))
    this.#ua.start()
    await this.event('registered')
  }

  /** Takes the next event of that name, within a deadline. */
  async event(name, deadline = 5000) {
    const signal = AbortSignal.timeout(deadline)
    for (;;) {
      const index = this.#events.findIndex((event) => event.name === name)
      if (index >= 0) return this.#events.splice(index, 1)[0]
      await new Promise((resolve, reject) => {
        this.#arrived = resolve
        signal.onabort = () => reject(new Error(`no ${name} in ${deadline} ms, but ${JSON.stringify(this.#events)}`))
      })
    }
  }

  call(target, frequency) {
    this.#ua.call(target, this.#media(frequency))
  }

  answer(frequency) {
    this.#session.answer(this.#media(frequency))
  }

  hangUp() {
    this.#session.terminate()
  }

  /** From now on its calls show pictures that carry a counter. */
  film() {
    this.#camera = camera(new RTCVideoSource())
  }

  /** Waits for so many pictures of the other side's, and gives their counters. */
  seen(count, deadline = 15_000) {
    const { track } = this.#session.connection.getReceivers().find(({ track: { kind } }) => kind === 'video')
    const sink = new RTCVideoSink(track)
    const counts = []
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${counts.length} pictures in ${deadline} ms`)), deadline)
      sink.onframe = ({ frame }) => {
        if (counts.push(counterOf(frame)) < count) return
        clearTimeout(late)
        resolve(counts)
      }
    }).finally(() => sink.stop())
  }

  /** Resolves when the other side has answered our new offer. */
  hold() {
    return new Promise((done) => this.#session.hold({}, done))
  }

  unhold() {
    return new Promise((done) => this.#session.unhold({}, done))
  }

  restartIce() {
    return new Promise((done) => this.#session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, done))
  }

  /** Resolves once the frequency is heard, and dominates. */
  async hears(frequency, deadline = 5000) {
    const { track } = this.#session.connection.getReceivers().find(({ track: { kind } }) => kind === 'audio')
    const sink = new RTCAudioSink(track)
    const ear = new Readable({ read() {} })
    try {
      await new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no sound in ${deadline} ms`)), deadline)
        sink.ondata = ({ samples, sampleRate, channelCount }) => {
          clearTimeout(late)
          ear.rate = sampleRate
          ear.push(bytes(samples, channelCount))
          resolve()
        }
      })
      return await hears(ear, frequency, deadline)
    } finally {
      sink.stop()
      ear.destroy()
    }
  }

  /** The codec that packets arrive in, and how many did. */
  async received() {
    const report = await this.#session.connection.getStats()
    const inbound = [...report.values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
    return { codec: report.get(inbound?.codecId)?.mimeType, packets: inbound?.packetsReceived ?? 0 }
  }

  #adopt(session) {
    this.#session = session
    for (const name of ['accepted', 'confirmed', 'ended', 'failed']) {
      session.on(name, ({ originator, cause }) => this.#note(name, { originator, cause }))
    }
    session.on('ended', () => this.#voice?.stop())
    session.on('sdp', (event) => {
      if (this.#streamsAlone) event.sdp = event.sdp.replace(/^a=candidate:\S+ \d+ udp .*\r\n/gim, '')
    })
    if (session.direction === 'incoming') this.#note('incoming')
  }

  #media(frequency) {
    this.#voice?.stop()
    this.#voice = tone(new RTCAudioSource(), frequency)
    const mediaStream = new MediaStream([this.#voice.track, ...(this.#camera ? [this.#camera] : [])])
    return { mediaStream, pcConfig: this.#pcConfig }
  }

  #note(name, details = {}) {
    this.#events.push({ name, ...details })
    this.#arrived()
  }
}

/** Feeds a sine tone into a source, as much as the clock asks for. */
function tone(source, frequency) {
  const started = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    for (; sent * 10 < performance.now() - started; sent++) {
      const samples = Int16Array.from({ length: frame }, (_, index) => {
        const time = (sent * frame + index) / rate
        return Math.round(10_000 * Math.sin(2 * Math.PI * frequency * time))
      })
      source.onData({ samples, sampleRate: rate, bitsPerSample: 16, channelCount: 1, numberOfFrames: frame })
    }
  }, 10)
  const track = source.createTrack()
  return {
    track,
    stop() {
      clearInterval(timer)
      track.stop()
    },
  }
}

/** A track of 30 pictures a second, whose eight columns are white for the ones of a counter, the least first. */
function camera(source) {
  const [width, height] = [320, 240]
  let count = 0
  setInterval(() => {
    const data = new Uint8ClampedArray(width * height * 1.5).fill(128)
    for (let at = 0; at < width * height; at++) data[at] = (count >> Math.floor(((at % width) * 8) / width)) & 1 ? 220 : 30
    source.onFrame({ width, height, data })
    count = (count + 1) % 256
  }, 33).unref()
  return source.createTrack()
}

/** The counter in a picture, whatever its size is by now. */
function counterOf({ width, height, data }) {
  const row = Math.floor(height / 2) * width
  return Array.from({ length: 8 }, (_, bit) => (data[row + Math.floor(((bit + 0.5) * width) / 8)] > 128 ? 1 << bit : 0)).reduce((sum, bit) => sum + bit)
}

/** The first channel, copied: the sink uses its memory again. */
function bytes(samples, channels) {
  const mono = samples.filter((_, index) => index % channels === 0)
  return Buffer.from(mono.buffer, mono.byteOffset, mono.byteLength)
}

const phone = new WrtcPhone()
process.on('message', async ({ id, method, given }) => {
  try {
    process.send({ id, result: await phone[method](...given) })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
// The library crashes in an orderly exit.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
