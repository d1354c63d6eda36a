import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'

/**
 * A WebSocket server that says what a test tells it to: emits `message` for each SIP message received,
 * and by itself answers only REGISTER, with 200 or what `registrar` gives.
 */
export class RawServer extends EventEmitter {
  registrar = (request) => reply(request, 200, 'OK', ['Expires: 600', contact(request)])
  #http = createServer((_, response) => response.writeHead(404).end())
  #sockets = new Set()

  static async start() {
    const server = new RawServer()
    server.#http.on('upgrade', (request, socket) => server.#accept(request, socket))
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get url() {
    return `ws://127.0.0.1:${this.#http.address().port}/`
  }

  /** Sends one WebSocket message to everybody: text, or binary where it is a Buffer. */
  send(message) {
    const opcode = typeof message === 'string' ? 1 : 2
    for (const socket of this.#sockets) socket.write(frame(opcode, Buffer.from(message)))
  }

  /** Writes bytes as they are, past the framing. */
  write(bytes) {
    for (const socket of this.#sockets) socket.write(bytes)
  }

  /** How many bytes nobody has read yet. */
  get backlog() {
    return Math.max(0, ...[...this.#sockets].map((socket) => socket.writableLength))
  }

  /** Breaks every connection. */
  drop() {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy()
    this.#http.closeAllConnections()
    await new Promise((closed) => this.#http.close(closed))
  }

  #accept(request, socket) {
    const key = request.headers['sec-websocket-key']
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: sip\r\n\r\n`,
    )
    this.#sockets.add(socket)
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (let next = unframe(pending); next; next = unframe(pending)) {
        pending = next.rest
        this.#receive(next, socket)
      }
    })
  }

  #receive({ opcode, payload }, socket) {
    if (opcode === 8) return socket.end(frame(8, payload))
    if (opcode === 9) return socket.write(frame(10, payload))
    if (opcode > 2) return
    const text = payload.toString()
    const answer = text.startsWith('REGISTER ') ? this.registrar(text) : undefined
    if (answer !== undefined) socket.write(frame(1, Buffer.from(answer)))
    if (text.trim() !== '') this.emit('message', text)
  }
}

/** A response to a request, with the headers that it must copy. */
export function reply(request, code, reason, headers = [], body = '') {
  const copied = request.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq|v|f|t|i):/i.test(line))
  const tagged = copied.map((line) => (/^(to|t):/i.test(line) && !/;tag=/.test(line) ? `${line};tag=raw` : line))
  return message(`SIP/2.0 ${code} ${reason}`, [...tagged, ...headers], body)
}

/** A SIP message from its parts. */
export function message(start, headers, body = '') {
  return [start, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
}

/** An INVITE to a phone that registered here. */
export function invite(target, id, { headers = [], sdp = offer } = {}) {
  return message(
    `INVITE ${target} SIP/2.0`,
    [
      `Via: SIP/2.0/WS raw.invalid;branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
      `From: <sip:mallory@raw.invalid>;tag=${id}`,
      'To: <sip:alice@raw.invalid>',
      `Call-ID: ${id}`,
      'CSeq: 1 INVITE',
      'Contact: <sip:mallory@raw.invalid;transport=ws>',
      'Content-Type: application/sdp',
      ...headers,
    ],
    sdp,
  )
}

/** The URI of the Contact that a REGISTER carries. */
export function contactOf(register) {
  return /^(?:contact|m): *<([^>]+)>/im.exec(register)[1]
}

const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':')

/** An offer that is good but for nobody being behind it. */
export const offer = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 0',
  'c=IN IP4 127.0.0.1',
  'a=rtcp-mux',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${fingerprint}`,
  'a=setup:actpass',
  'a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host',
  '',
].join('\r\n')

/** The Contact that a REGISTER carries, for its answer. */
export function contact(register) {
  return register.split('\r\n').find((line) => /^(contact|m):/i.test(line))
}

function frame(opcode, payload) {
  const header = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65536 ? 4 : 10)
  header[0] = 0x80 | opcode
  if (payload.length < 126) header[1] = payload.length
  else if (payload.length < 65536) header.writeUInt16BE(payload.length, ((header[1] = 126), 2))
  else header.writeBigUInt64BE(BigInt(payload.length), ((header[1] = 127), 2))
  return Buffer.concat([header, payload])
}

function unframe(bytes) {
  if (bytes.length < 6) return undefined
  let length = bytes[1] & 0x7f
  let offset = 2
  if (length === 126) [length, offset] = [bytes.readUInt16BE(2), 4]
  else if (length === 127) {
    if (bytes.length < 14) return undefined
    ;[length, offset] = [Number(bytes.readBigUInt64BE(2)), 10]
  }
  if (bytes.length < offset + 4 + length) return undefined
  const mask = bytes.subarray(offset, offset + 4)
  const payload = Buffer.from(bytes.subarray(offset + 4, offset + 4 + length))
  payload.forEach((byte, index) => (payload[index] = byte ^ mask[index % 4]))
  return { opcode: bytes[0] & 0x0f, payload, rest: bytes.subarray(offset + 4 + length) }
}
