import { createServer, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Ports that were free a moment ago, for servers that can't be told to choose one. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listen))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

function listen() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

/** Resolves once a TCP port accepts connections; rejects when the signal is aborted first. */
export async function listening(port, signal) {
  for (;;) {
    signal.throwIfAborted()
    if (await accepts(port)) return
    await pause(20)
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
