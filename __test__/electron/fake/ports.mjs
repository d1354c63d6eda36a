import { EventEmitter } from 'node:events'
import { MessageChannel } from 'node:worker_threads'

/** A MessagePortMain over a port of Node: it says nothing before `start()`, and a message comes as `{ data, ports }`. */
export class MessagePortMain extends EventEmitter {
  constructor(raw) {
    super()
    this.raw = raw
  }

  start() {
    this.raw.on('message', (data) => this.emit('message', { data, ports: [] }))
    this.raw.on('close', () => this.emit('close'))
  }

  postMessage(data) {
    this.raw.postMessage(data)
  }

  close() {
    this.raw.close()
  }
}

export class MessageChannelMain {
  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.port1 = new MessagePortMain(port1)
    this.port2 = new MessagePortMain(port2)
  }
}
