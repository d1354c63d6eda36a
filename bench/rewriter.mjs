import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

/** Stands between a phone, which is end 0 of an impaired line, and its server: descriptions on the way are those that the line wants. */
export class SipRewriter {
  #server

  static async open(target, line) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sip' })
    await once(server, 'listening')
    server.on('connection', (phone) => {
      const upstream = new WebSocket(target, 'sip')
      const early = []
      const up = (message) => (upstream.readyState === WebSocket.OPEN ? upstream.send(message) : early.push(message))
      phone.on('message', (data) => up(rewritten(`${data}`, line, 0)))
      upstream.on('open', () => early.splice(0).forEach((message) => upstream.send(message)))
      upstream.on('message', (data) => phone.send(rewritten(`${data}`, line, 1)))
      phone.on('close', () => upstream.close())
      upstream.on('close', () => phone.close())
      for (const socket of [phone, upstream]) socket.on('error', () => socket.terminate())
    })
    return new SipRewriter(server)
  }

  constructor(server) {
    this.#server = server
  }

  get url() {
    return `ws://127.0.0.1:${this.#server.address().port}`
  }

  close() {
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
  }
}

function rewritten(message, line, end) {
  const [head, body] = message.split('\r\n\r\n')
  if (!body?.startsWith('v=0')) return message
  const sdp = line.rewrite(message.slice(head.length + 4), end)
  return `${head.replace(/^(Content-Length|l)[ \t]*:.*$/im, `Content-Length: ${Buffer.byteLength(sdp)}`)}\r\n\r\n${sdp}`
}
