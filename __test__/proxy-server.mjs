import { once } from 'node:events'
import { connect, createServer, isIP } from 'node:net'

/**
 * A proxy of this process, HTTP CONNECT and SOCKS5 on one port; it knows every name as this machine. With `login` it wants Basic, or the
 * user's name and password. `asked` has what was asked for, with the credentials that came along; `disconnect()` breaks its tunnels, and
 * after `close()` `listen()` takes the same port again.
 */
export async function proxyOf(t, { login } = {}) {
  const proxy = new ProxyServer(login)
  await proxy.listen()
  t.after(() => proxy.close())
  return proxy
}

class ProxyServer {
  asked = []
  port = 0
  #login
  #sockets = new Set()
  #server

  constructor(login) {
    this.#login = login
  }

  url(scheme = 'http') {
    return `${scheme}://${this.#login ? `${this.#login.map(encodeURIComponent).join(':')}@` : ''}127.0.0.1:${this.port}`
  }

  async listen() {
    this.#server = createServer((socket) => this.#serve(this.#keep(socket)).catch(() => socket.destroy()))
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = this.#server.address().port
  }

  disconnect() {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close() {
    if (!this.#server.listening) return
    this.#server.close()
    this.disconnect()
    await once(this.#server, 'close')
  }

  #keep(socket) {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }

  async #serve(socket) {
    const first = await takes(socket, 1)
    if (first[0] === 5) await this.#socks(socket)
    else await this.#http(socket, first.toString())
  }

  async #http(socket, begun) {
    let head = begun
    while (!head.endsWith('\r\n\r\n')) head += (await takes(socket, 1)).toString()
    const [, host, port] = /^CONNECT \[?(.+?)\]?:(\d+) HTTP\/1\.1\r\n/.exec(head)
    const given = /^Proxy-Authorization: Basic (.*)$/m.exec(head)?.[1].trim()
    const credentials = given && Buffer.from(given, 'base64').toString()
    this.asked.push({ host, port: Number(port), credentials })
    if (this.#login && credentials !== this.#login.join(':')) {
      return socket.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="test"\r\nConnection: close\r\n\r\n')
    }
    this.#lead(socket, host, Number(port), 'HTTP/1.1 200 OK\r\n\r\n')
  }

  async #socks(socket) {
    const [methods] = await takes(socket, 1)
    await takes(socket, methods)
    let credentials
    socket.write(Buffer.from([5, this.#login ? 2 : 0]))
    if (this.#login) {
      const [, length] = await takes(socket, 2)
      const name = (await takes(socket, length)).toString()
      credentials = `${name}:${await takes(socket, (await takes(socket, 1))[0])}`
      socket.write(Buffer.from([1, credentials === this.#login.join(':') ? 0 : 1]))
    }
    const [, , , kind] = await takes(socket, 4)
    const host = kind === 3 ? (await takes(socket, (await takes(socket, 1))[0])).toString() : (await takes(socket, 4)).join('.')
    const port = (await takes(socket, 2)).readUInt16BE()
    this.asked.push({ host, port, credentials })
    this.#lead(socket, host, port, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
  }

  #lead(socket, host, port, answer) {
    const server = this.#keep(connect(port, isIP(host) ? host : '127.0.0.1'))
    server.on('connect', () => {
      socket.write(answer)
      socket.pipe(server).pipe(socket)
    })
    server.on('close', () => socket.destroy())
    socket.on('close', () => server.destroy())
  }
}

async function takes(socket, length) {
  if (length === 0) return Buffer.alloc(0)
  for (;;) {
    const octets = socket.read(length)
    if (octets !== null) return octets
    if (socket.destroyed || socket.readableEnded) throw new Error('it is closed')
    await Promise.race([once(socket, 'readable'), once(socket, 'close')])
  }
}
