import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setTimeout as pause } from 'node:timers/promises'

/** Ports that were free a moment ago, for servers that can't be told to choose one. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listen))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

/** One that the kernel gives to nobody, for a server that starts long after its clients were told of it. */
export async function quietPort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const isFree = await new Promise((told) => server.once('error', () => told(false)).listen(port, '127.0.0.1', () => told(true)))
    await new Promise((closed) => (isFree ? server.close(closed) : closed()))
    if (isFree) return port
  }
}

/** Ports of UDP that were free a moment ago. */
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

/** Resolves once somebody behind a TCP port has finished a TLS handshake, whoever listened there before; rejects when the signal is aborted first. */
export async function speaksTls(port, signal) {
  await listening(port, signal)
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect', { signal })
  } finally {
    socket.destroy()
  }
}

function accepts(port, address) {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
