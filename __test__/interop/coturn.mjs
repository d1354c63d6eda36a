import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

const user = { username: 'relayed', credential: 'relay-secret' }

/** Whether coturn is installed. */
export function turnserverInstalled() {
  return binary() !== undefined
}

/**
 * Starts a coturn of our own on a free port, with one user, over UDP and TCP; `nonceLifetime` is in seconds. With `identity`, a
 * certificate for localhost and its key, it speaks TLS on another port too. With `launch`, the beginning of a command line, it runs where that takes it, another network namespace.
 */
export async function startCoturn({ nonceLifetime = 600, address = '127.0.0.1', launch = [], identity, more = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-coturn-'))
  // Another process may take a port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const [port, tlsPort] = await freePorts(2)
    const [command, ...args] = [...launch, binary(), ...options(folder, address, port, nonceLifetime), ...secured(folder, tlsPort, identity), ...more]
    const child = new Child(command, args, { cwd: folder })
    try {
      await Promise.race([
        launch.length === 0 ? answers(port, AbortSignal.timeout(10_000)) : child.prints(/UDP listener opened/, AbortSignal.timeout(10_000)),
        child.exited.then(() => Promise.reject(new Error(`coturn ended:\n${child.log}`))),
      ])
      if (identity) await listening(tlsPort, AbortSignal.timeout(10_000))
      return coturn(child, folder, address, port, tlsPort)
    } catch (error) {
      await child.stop('SIGKILL')
      if (attempt === 3) throw error
    }
  }
}

function coturn(child, folder, address, port, tlsPort) {
  return {
    port,
    /** For the option `iceServers`. */
    server: { urls: `turn:${address}:${port}`, ...user },
    /** The same over TCP, and over TLS if it has a certificate. */
    byTcp: { urls: `turn:${address}:${port}?transport=tcp`, ...user },
    byTls: { urls: `turns:localhost:${tlsPort}`, ...user },
    tlsPort,
    /** The lines of its log that match. */
    lines: (pattern) => child.log.split('\n').filter((line) => pattern.test(line)),
    /** Resolves when it has logged a line that matches. */
    logs: (pattern, deadline = 5000) => child.prints(pattern, AbortSignal.timeout(deadline)),
    /** Kills it. */
    kill: () => child.stop('SIGKILL'),
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function options(folder, address, port, nonceLifetime) {
  const { username, credential } = user
  return [
    '-n',
    '--verbose',
    `--listening-ip=${address}`,
    `--listening-port=${port}`,
    `--relay-ip=${address}`,
    '--allow-loopback-peers',
    '--lt-cred-mech',
    `--user=${username}:${credential}`,
    '--realm=offhook.test',
    `--stale-nonce=${nonceLifetime}`,
    '--fingerprint',
    '--no-dtls',
    '--no-cli',
    '--log-file=stdout',
    '--simple-log',
    `--pidfile=${join(folder, 'turnserver.pid')}`,
    `--db=${join(folder, 'turndb')}`,
  ]
}

function secured(folder, port, identity) {
  if (!identity) return ['--no-tls']
  writeFileSync(join(folder, 'cert.pem'), identity.cert)
  writeFileSync(join(folder, 'key.pem'), identity.key)
  return [`--tls-listening-port=${port}`, `--cert=${join(folder, 'cert.pem')}`, `--pkey=${join(folder, 'key.pem')}`]
}

/** Resolves once a STUN server answers; rejects when the signal is aborted first. */
async function answers(port, signal) {
  const socket = createSocket('udp4')
  let answered = false
  socket.on('message', () => (answered = true))
  socket.on('error', () => {})
  // RFC 8489 §5: a binding request without attributes.
  const question = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)])
  try {
    while (!answered) {
      signal.throwIfAborted()
      socket.send(question, port, '127.0.0.1')
      await pause(20)
    }
  } finally {
    socket.close()
  }
}

function binary() {
  return ['/usr/bin/turnserver', '/usr/local/bin/turnserver'].find((path) => existsSync(path))
}
