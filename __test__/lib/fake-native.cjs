'use strict'

// Stands in for the addon, so that the tests of lib/ say what the engine does and see what it is told.

const phones = []
const sources = []
const sinks = []
const videoSources = []
const videoSinks = []

class NativePhone {
  commands = []
  refed = true

  constructor(options, onEvent) {
    this.options = JSON.parse(options)
    this.onEvent = onEvent
    phones.push(this)
  }

  command(ticket, command) {
    const { ticket: abort, ...parsed } = JSON.parse(command)
    this.commands.push({ ticket, ...parsed, ...(abort !== undefined && { abort }) })
    this.onCommand?.(this.commands.at(-1))
  }

  stats(ticket, id) {
    this.commands.push({ ticket, type: 'stats', id })
    this.onCommand?.(this.commands.at(-1))
  }

  report(ticket, id, path) {
    this.commands.push({ ticket, type: 'report', id, path })
    this.onCommand?.(this.commands.at(-1))
  }

  capture(ticket, path) {
    this.commands.push({ ticket, type: 'capture', path })
    this.onCommand?.(this.commands.at(-1))
  }

  stopCapture(ticket) {
    this.commands.push({ ticket, type: 'stopCapture' })
    this.onCommand?.(this.commands.at(-1))
  }

  /** How many times somebody asked how it stands. */
  looks = 0

  health() {
    this.looks++
    return JSON.stringify({ status: 'ready', connected: true, registered: true, calls: 0, ringing: 0, load: 0, queues: { events: 7, commands: 1 } })
  }

  metrics() {
    return '# the figures of one\n'
  }

  ref() {
    this.refed = true
  }

  unref() {
    this.refed = false
  }

  /** Says an event, as the engine would. */
  say(event) {
    this.onEvent(JSON.stringify(event))
  }

  /** Answers the latest command of a type. */
  reply(type, { value, error } = {}) {
    const { ticket } = this.commands.findLast((command) => command.type === type)
    this.say({ type: 'reply', ticket, value, error })
  }
}

class NativeEnd {
  engaged = false
  wasEngaged = false

  expect() {
    this.wasEngaged = false
  }
}

class NativeSource extends NativeEnd {
  id = sources.length + 1
  written = []
  marks = []
  waiting = 0
  at = { sent: 0 }
  paused = false
  ended = false
  closed = false

  constructor(rate, lowWater, onEvent) {
    super()
    Object.assign(this, { rate, lowWater, onEvent })
    sources.push(this)
  }

  write(pcm) {
    this.written.push(Buffer.from(pcm))
    this.waiting += (pcm.length / 2 / this.rate) * 1000
    return this.waiting
  }

  clear() {
    const dropped = this.waiting
    this.waiting = 0
    const marks = this.marks.splice(0).map((mark) => ({ mark, outcome: 'cleared', position: this.at.sent }))
    return { played: 20, dropped, marks }
  }

  queued() {
    return this.waiting
  }

  position() {
    return this.at
  }

  pause() {
    this.paused = true
  }

  resume() {
    this.paused = false
  }

  mark(mark) {
    this.marks.push(mark)
    return null
  }

  end() {
    this.ended = true
  }

  close() {
    this.closed = true
  }
}

class NativeSink extends NativeEnd {
  id = sinks.length + 1
  frames = []
  dropped = 0
  closed = false

  constructor(rate, queue, onReadable) {
    super()
    Object.assign(this, { rate, queue, onReadable })
    sinks.push(this)
  }

  read() {
    return this.frames.shift() ?? null
  }

  close() {
    this.closed = true
  }
}

class NativeVideoSource extends NativeEnd {
  id = 100 + videoSources.length
  written = []
  takes = true
  closed = false

  constructor(codecs, onEvent) {
    super()
    Object.assign(this, { codecs, onEvent })
    videoSources.push(this)
  }

  write(codec, timestamp, data) {
    if (data[0] === 255) throw new Error('the frame is not VP8')
    this.written.push({ codec, timestamp, data: Buffer.from(data) })
    return this.takes
  }

  close() {
    this.closed = true
  }
}

class NativeVideoSink extends NativeEnd {
  id = 200 + videoSinks.length
  frames = []
  dropped = 0
  asked = 0
  closed = false

  constructor(queue, onReadable) {
    super()
    Object.assign(this, { queue, onReadable })
    videoSinks.push(this)
  }

  read() {
    return this.frames.shift() ?? null
  }

  requestKeyFrame() {
    this.asked++
  }

  close() {
    this.closed = true
  }
}

const devices = []
const watches = new Set()

class NativeDeviceWatch {
  constructor(onChange) {
    this.onChange = onChange
    watches.add(this)
  }

  close() {
    watches.delete(this)
  }
}

const listDevices = () => Promise.resolve(JSON.stringify(devices))

const checked = []
const checkOptions = (options) => void checked.push(JSON.parse(options))

module.exports = {
  clockFigures: () => JSON.stringify({ ticks: 100, late: 2, skipped: 1, spared: 0 }),
  metrics: () => '# the figures of all\n',
  checkOptions,
  checked,
  NativePhone,
  NativeSource,
  NativeSink,
  NativeVideoSource,
  NativeVideoSink,
  NativeDeviceWatch,
  listDevices,
  devices,
  watches,
  phones,
  sources,
  sinks,
  videoSources,
  videoSinks,
}
