import { once } from 'node:events'
import { WebSocketServer } from 'ws'

/** A service at a WebSocket of this machine, of which a test is the other half: what came, in order, and what it says. */
export async function stub(t) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  const accept = async () => {
    const [socket, request] = await once(server, 'connection')
    const came = []
    const waiting = new Set()
    socket.on('message', (data, binary) => {
      came.push(binary ? data : JSON.parse(data))
      for (const look of waiting) look()
    })
    /** The first message of this kind from here on, or that came before and was not asked for. */
    const next = (is, deadline = 15_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle(reject, new Error(`no ${is} among ${came.length} messages`)), deadline)
        const settle = (how, value) => {
          clearTimeout(timer)
          waiting.delete(look)
          how(value)
        }
        const look = () => {
          const index = came.findIndex((message) => is(message))
          if (index >= 0) settle(resolve, came.splice(index, 1)[0])
        }
        waiting.add(look)
        look()
      })
    const say = (message) => socket.send(JSON.stringify(message))
    return { socket, request, came, next, say }
  }
  return { url: `ws://127.0.0.1:${server.address().port}/service`, accept }
}

/** Milliseconds of a tone as Buffer of PCM. */
export function tone(frequency, rate, milliseconds) {
  const length = (rate * milliseconds) / 1000
  const samples = Int16Array.from({ length }, (_, index) => 8000 * Math.sin((2 * Math.PI * frequency * index) / rate))
  return Buffer.from(samples.buffer)
}

/** The share of the energy of some PCM that is at this frequency. */
export function share(pcm, rate, frequency) {
  let [energy, real, imaginary] = [0, 0, 0]
  for (let index = 0; index < pcm.length / 2; index++) {
    const sample = pcm.readInt16LE(2 * index)
    const angle = (2 * Math.PI * frequency * index) / rate
    energy += sample * sample
    real += sample * Math.cos(angle)
    imaginary += sample * Math.sin(angle)
  }
  return energy === 0 ? 0 : (2 * (real * real + imaginary * imaginary)) / (energy * (pcm.length / 2))
}
