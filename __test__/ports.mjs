import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'

/** Two ends as Electron's MessagePortMain has them: emitters of `{ data, ports }`, which say nothing before `start()`. */
export function electronChannel() {
  const ends = [new EventEmitter(), new EventEmitter()]
  for (const [index, end] of ends.entries()) {
    const other = ends[1 - index]
    const early = []
    Object.assign(end, {
      started: false,
      postMessage(message, transfer = []) {
        if (end.closed) throw new Error('The port is closed')
        assert.deepEqual(transfer, [], 'Electron loses what is transferred')
        const data = structuredClone(message)
        const give = () => other.emit('message', { data, ports: [] })
        if (other.started) setImmediate(give)
        else other.early.push(give)
      },
      early,
      start() {
        end.started = true
        for (const give of early.splice(0)) setImmediate(give)
      },
      close() {
        for (const one of ends) if (!one.closed) setImmediate(() => one.emit('close'))
        for (const one of ends) one.closed = true
      },
    })
  }
  return ends
}
