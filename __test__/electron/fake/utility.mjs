// What a utility process is here: a child process, whose `process.parentPort` is that of Electron.
import { EventEmitter } from 'node:events'

const ports = new Map()

/** The other end is in the process that forked this one. */
class CarriedPort extends EventEmitter {
  constructor(id) {
    super()
    this.id = id
    ports.set(id, this)
  }
  start() {}
  postMessage(data) {
    process.send({ port: this.id, data })
  }
  close() {
    process.send({ port: this.id, closed: true })
  }
}

const parentPort = Object.assign(new EventEmitter(), { postMessage: (said) => process.send({ said }) })
process.parentPort = parentPort
process.on('message', ({ port, data, closed, given }) => {
  if (given) parentPort.emit('message', { data, ports: given.map((id) => new CarriedPort(id)) })
  else if (closed) ports.get(port)?.emit('close')
  else ports.get(port)?.emit('message', { data, ports: [] })
})
await import(process.argv[2])
process.send({ begun: true })
