import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Ports that were free a moment ago, for servers that can't be told to choose one. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listen))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

/** The same of UDP. */
export async function freeUdpPorts(count) {
  const sockets = Array.from({ length: count }, () => createSocket('udp4').bind(0, '127.0.0.1'))
  await Promise.all(sockets.map((socket) => once(socket, 'listening')))
  const ports = sockets.map((socket) => socket.address().port)
  await Promise.all(sockets.map((socket) => new Promise((closed) => socket.close(closed))))
  return ports
}

/** Resolves once a UDP port of this Linux machine is taken; rejects when the signal is aborted first. */
export async function boundUdp(port, signal) {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  while (!readFileSync('/proc/net/udp', 'latin1').includes(address)) {
    signal.throwIfAborted()
    await pause(5)
  }
}

function listen() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

/** Resolves once a TCP port accepts connections; rejects when the signal is aborted first. */
export async function listening(port, signal, address = '127.0.0.1') {
  for (;;) {
    signal.throwIfAborted()
    if (await accepts(port, address)) return
    await pause(20)
  }
}

function accepts(port, address) {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
