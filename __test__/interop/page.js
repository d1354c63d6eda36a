// Runs in Chromium: a JsSIP phone whose sound is a WebAudio tone and whose ear is an AnalyserNode.
// Bundled by chromium.mjs; the tests drive `window.phone`.
import JsSIP from 'jssip'
import { readCounter } from './read-counter.mjs'

const FFT_SIZE = 8192

class Phone {
  #ua
  #context
  #sessions = []
  #events = []
  #waiters = new Set()
  #screen
  #sightings = []

  async start({ server, uri, password, codecs, certificate, sessionTimers = false }) {
    this.#context = new AudioContext({ sampleRate: 48000 })
    await this.#context.resume()
    this.codecs = codecs
    this.certificates = certificate ? [await makeCertificate(certificate)] : undefined
    const socket = new JsSIP.WebSocketInterface(server)
    this.#ua = new JsSIP.UA({ sockets: [socket], uri, password, session_timers: sessionTimers, register: true })
    for (const name of ['connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed']) {
      this.#ua.on(name, (event) => this.#note(name, { cause: event?.cause }))
    }
    this.#ua.on('newMessage', ({ originator, request }) => {
      if (originator === 'remote') this.#note('message', { from: request.from.uri.toString(), body: request.body })
    })
    this.#ua.on('newRTCSession', ({ session }) => this.#adopt(session))
    this.#ua.start()
  }

  /** Waits for the next event of one of those names which no earlier wait has taken. */
  event(names, deadline) {
    return new Promise((resolve, reject) => {
      const take = () => {
        const index = this.#events.findIndex(({ name }) => names.includes(name))
        if (index < 0) return false
        const [{ name, details }] = this.#events.splice(index, 1)
        resolve({ name, ...details })
        clearTimeout(timer)
        this.#waiters.delete(take)
        return true
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(take)
        reject(new Error(`no ${names} in ${deadline} ms; there were: ${JSON.stringify(this.#events)}`))
      }, deadline)
      this.#waiters.add(take)
      take()
    })
  }

  call(target, frequency, headers = []) {
    this.#ua.call(target, { ...this.#mediaOptions(frequency), extraHeaders: headers })
  }

  answer(frequency) {
    this.#last().answer(this.#mediaOptions(frequency))
  }

  /** Calls with the camera, or with a wish for the other side's pictures alone. */
  async callWithVideo(target, frequency, camera = true) {
    const options = this.#mediaOptions(frequency)
    if (camera) options.mediaStream.addTrack(await cameraTrack())
    this.#ua.call(target, { ...options, rtcOfferConstraints: { offerToReceiveVideo: 1 } })
  }

  async answerWithVideo(frequency) {
    const options = this.#mediaOptions(frequency)
    options.mediaStream.addTrack(await cameraTrack())
    this.#last().answer(options)
  }

  /** Shows a canvas beside the camera, as a browser shows a screen; resolves once the other side has answered. */
  async addScreen() {
    const canvas = document.createElement('canvas')
    const context = canvas.getContext('2d')
    let count = 0
    setInterval(() => {
      context.fillStyle = `hsl(${(count += 7)} 80% 50%)`
      context.fillRect(0, 0, canvas.width, canvas.height)
    }, 50)
    const [track] = canvas.captureStream(10).getVideoTracks()
    await this.#ready()
    this.#screen = this.#last().connection.addTrack(track, new MediaStream([track]))
    await this.renegotiate(false)
  }

  async removeScreen() {
    await this.#ready()
    this.#last().connection.removeTrack(this.#screen)
    await this.renegotiate(false)
  }

  /** Looks at the other side's camera from now on, if that is there. */
  async look() {
    const tracks = this.#last().connection.getReceivers().map(({ track }) => track)
    const video = document.createElement('video')
    Object.assign(video, { srcObject: new MediaStream(tracks.filter(({ kind }) => kind === 'video').slice(0, 1)), muted: true })
    this.#sightings = []
    const note = () => {
      const count = readCounter(video)
      if (count !== undefined && count !== this.#sightings.at(-1)?.[0]) this.#sightings.push([count, performance.timeOrigin + performance.now()])
      video.requestVideoFrameCallback(note)
    }
    video.requestVideoFrameCallback(note)
    await video.play()
  }

  /** The counters that were seen, in order. */
  seen() {
    return this.#sightings.map(([count]) => count)
  }

  /** The same with the time of each, in milliseconds since 1970. */
  sightings() {
    return this.#sightings
  }

  /** What of video comes and goes, by kind and codec. */
  async pictures() {
    const report = await this.#last().connection.getStats()
    const video = [...report.values()].filter(({ kind, type }) => kind === 'video' && /^(in|out)bound-rtp$/.test(type))
    return video.map(({ type, codecId, framesDecoded, framesEncoded, pliCount, nackCount, freezeCount, totalFreezesDuration }) => {
      const codec = report.get(codecId)?.mimeType
      return { type, codec, frames: framesDecoded ?? framesEncoded, pliCount, nackCount, freezeCount, totalFreezesDuration }
    })
  }

  reject(code) {
    this.#last().terminate({ status_code: code })
  }

  hangUp() {
    this.#last().terminate()
  }

  sendDtmf(tones, duration, gap, transportType = 'RFC2833') {
    this.#last().sendDTMF(tones, { transportType, duration, interToneGap: gap })
  }

  /** Transfers the other side of the first call, to the other side of the last one where `attended`. */
  refer(target, attended = false) {
    const names = ['requestSucceeded', 'requestFailed', 'trying', 'progress', 'accepted', 'failed']
    const noted = (name) => [name, (event) => this.#note(`refer:${name}`, { code: event?.status_line?.status_code })]
    this.#sessions[0].refer(target, {
      ...(attended && { replaces: this.#last() }),
      eventHandlers: Object.fromEntries(names.map(noted)),
    })
  }

  /** Resolves once the message is taken, with the status of the answer. */
  sendMessage(target, body) {
    return new Promise((resolve, reject) => {
      const eventHandlers = {
        succeeded: ({ response }) => resolve(response.status_code),
        failed: ({ cause }) => reject(new Error(cause)),
      }
      this.#ua.sendMessage(target, body, { contentType: 'text/plain', eventHandlers })
    })
  }

  /** Makes a new offer, with another way for the sound where `iceRestart`. */
  async renegotiate(iceRestart, options = {}) {
    await this.#ready()
    return new Promise((done) => this.#last().renegotiate({ ...options, rtcOfferConstraints: { iceRestart } }, done))
  }

  /** Takes no offer while its own is open: JsSIP answers 491 and takes it all the same, and its own is void then. */
  refuseCrossingOffers() {
    const session = this.#last()
    session.on('reinvite', ({ reject }) => session.connection.signalingState === 'stable' || reject({ status_code: 491 }))
  }

  sendInfo(contentType, body) {
    this.#last().sendInfo(contentType, body)
  }

  async hold(options) {
    await this.#ready()
    await new Promise((done) => this.#last().hold(options, done))
  }

  async unhold(options) {
    await this.#ready()
    await new Promise((done) => this.#last().unhold(options, done))
  }

  /** Until no offer is open: meanwhile JsSIP does nothing that would need another, and tells nobody. */
  async #ready() {
    while (!this.#last().isReadyToReOffer()) await new Promise((passed) => setTimeout(passed, 10))
  }

  /** Whom it takes to be on hold. */
  onHold() {
    return this.#last().isOnHold()
  }

  /** Resolves with the loudest frequency heard once it is within a bin of the one asked for; rejects with what was heard. */
  async hears(frequency, deadline) {
    const analyser = await this.#ear()
    const bins = new Float32Array(analyser.frequencyBinCount)
    const width = this.#context.sampleRate / FFT_SIZE
    const end = performance.now() + deadline
    let loudest
    do {
      await new Promise((resolve) => setTimeout(resolve, 25))
      analyser.getFloatFrequencyData(bins)
      const bin = bins.indexOf(Math.max(...bins))
      loudest = { frequency: bin * width, level: bins[bin] }
      if (loudest.level > -60 && Math.abs(loudest.frequency - frequency) <= 2 * width) return loudest
    } while (performance.now() < end)
    throw new Error(`expected ${frequency} Hz, heard ${JSON.stringify(loudest)}`)
  }

  /** Waits until of these frequencies it hears exactly the wanted ones. */
  async hearsOnly(wanted, frequencies, deadline) {
    const analyser = await this.#ear()
    const bins = new Float32Array(analyser.frequencyBinCount)
    const width = this.#context.sampleRate / FFT_SIZE
    const level = (frequency) => Math.max(...[-1, 0, 1].map((near) => bins[Math.round(frequency / width) + near]))
    const end = performance.now() + deadline
    let heard
    do {
      await new Promise((resolve) => setTimeout(resolve, 200))
      analyser.getFloatFrequencyData(bins)
      heard = frequencies.filter((frequency) => level(frequency) > -60)
      if (`${heard}` === `${wanted}`) return
    } while (performance.now() < end)
    throw new Error(`expected ${wanted} Hz, heard ${heard}`)
  }

  /** The peer connection of the last session, for who measures it. */
  get connection() {
    return this.#last().connection
  }

  /** The codec that packets arrive in, and how many did. */
  async received() {
    const report = await this.#last().connection.getStats()
    const inbound = [...report.values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
    return { codec: report.get(inbound?.codecId)?.mimeType, packets: inbound?.packetsReceived ?? 0, lost: inbound?.packetsLost }
  }

  async stop() {
    this.#ua.stop()
    await this.#context.close()
  }

  #adopt(session) {
    this.#sessions.push(session)
    session.on('sdp', (event) => this.#chooseCodecs(event))
    for (const name of ['progress', 'accepted', 'confirmed', 'ended', 'failed']) {
      session.on(name, (event) => this.#note(name, { originator: event?.originator, cause: event?.cause }))
    }
    for (const name of ['reinvite', 'update']) session.on(name, () => this.#note(name, {}))
    for (const name of ['hold', 'unhold']) {
      session.on(name, ({ originator }) => this.#note(name, { originator }))
    }
    session.on('newDTMF', ({ originator, dtmf }) => {
      if (originator === 'remote') this.#note('dtmf', { tone: dtmf.tone, duration: dtmf.duration })
    })
    session.on('refer', ({ request, accept }) => {
      this.#note('refer', { to: request.getHeader('Refer-To') })
      accept(undefined, this.#mediaOptions(1400))
    })
    session.on('replaces', ({ request, accept }) => {
      this.#note('replaces', { from: request.from.uri.toString() })
      accept()
    })
    session.on('newInfo', ({ originator, info }) => {
      this.#note('info', { originator, contentType: info.contentType, body: info.body })
    })
    if (session.direction === 'incoming') this.#note('incoming', { from: session.remote_identity.uri.toString() })
  }

  #chooseCodecs(event) {
    if (event.originator === 'local' && this.codecs) event.sdp = onlyCodecs(event.sdp, this.codecs)
    this.#note('sdp', { originator: event.originator, sdp: event.sdp })
  }

  #mediaOptions(frequency) {
    return {
      mediaStream: this.#tone(frequency),
      pcConfig: { iceServers: [], ...(this.certificates && { certificates: this.certificates }) },
    }
  }

  #tone(frequency) {
    const destination = this.#context.createMediaStreamDestination()
    const oscillator = new OscillatorNode(this.#context, { frequency })
    const gain = new GainNode(this.#context, { gain: 0.3 })
    oscillator.connect(gain).connect(destination)
    oscillator.start()
    return destination.stream
  }

  async #ear() {
    const session = this.#last()
    if (session.ear) return session.ear
    const [receiver] = session.connection.getReceivers()
    const stream = new MediaStream([receiver.track])
    // Chromium decodes a remote track for WebAudio only while an element plays it.
    session.element = Object.assign(new Audio(), { srcObject: stream, muted: true })
    await session.element.play()
    session.ear = new AnalyserNode(this.#context, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 })
    this.#context.createMediaStreamSource(stream).connect(session.ear)
    return session.ear
  }

  #last() {
    return this.#sessions.at(-1)
  }

  #note(name, details) {
    this.#events.push({ name, details: JSON.parse(JSON.stringify(details)) })
    for (const take of [...this.#waiters]) if (take()) break
  }
}

async function cameraTrack() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, frameRate: 15 } })
  return stream.getVideoTracks()[0]
}

function makeCertificate(kind) {
  const algorithm =
    kind === 'RSA'
      ? { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-256' }
  return RTCPeerConnection.generateCertificate(algorithm)
}

/** The SDP with only these codecs and telephone-event in its audio line. */
function onlyCodecs(sdp, codecs) {
  const lines = sdp.split('\r\n')
  const wanted = new Set()
  for (const line of lines) {
    const [, type, codec] = /^a=rtpmap:(\d+) ([^/]+)\//.exec(line) ?? []
    if (type && [...codecs, 'telephone-event'].includes(codec)) wanted.add(type)
  }
  return lines
    .filter((line) => {
      const [, type] = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /.exec(line) ?? []
      return type === undefined || wanted.has(type)
    })
    .map((line) =>
      line.startsWith('m=audio')
        ? line.split(' ').filter((word, index) => index < 3 || wanted.has(word)).join(' ')
        : line,
    )
    .join('\r\n')
}

window.Phone = Phone
