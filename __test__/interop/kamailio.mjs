import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, listening, speaksTls } from './ports.mjs'
import { Child } from './processes.mjs'

const config = fileURLToPath(new URL('kamailio.cfg', import.meta.url))

const moduleFolders = [
  '/usr/lib/x86_64-linux-gnu/kamailio/modules/',
  '/usr/lib/aarch64-linux-gnu/kamailio/modules/',
  '/usr/lib64/kamailio/modules/',
  '/usr/lib/kamailio/modules/',
]

const tablesOfDebian = '/usr/share/kamailio/dbtext/kamailio'

/** Whether Kamailio with its WebSocket and TLS modules is installed. */
export function kamailioInstalled() {
  return modules() !== undefined && binary() !== undefined
}

/**
 * Starts a Kamailio of our own on free loopback ports, with a certificate authority of its own.
 *
 * Options: `sha256` challenges with SHA-256 instead of MD5; `shortNonce` lets nonces live for three seconds;
 * `onceNonce` takes each nonce once; `shared` is one of several that may take each other's place in a call; `rtpengine` is put between WebSocket and UDP, and with `allMedia` between all; `presence` makes it a presence server;
 * `within` is the command that runs it on another machine, whose `address` it listens on.
 */
export async function startKamailio({ sha256 = false, shortNonce = false, onceNonce = false, shared = false, rtpengine, allMedia = false, presence, address = '127.0.0.1', within = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-kamailio-'))
  const ca = makeCertificates(folder)
  const defines = [
    `ADDRESS=${address}`,
    ...(sha256 ? ['WITH_SHA256'] : []),
    ...(shortNonce ? ['WITH_SHORTNONCE'] : []),
    ...(onceNonce ? ['WITH_ONCENONCE'] : []),
    ...(shared ? ['WITH_SHARED'] : []),
    ...(rtpengine ? [`RTPENGINE="udp:127.0.0.1:${rtpengine.port}"`] : []),
    ...(allMedia ? ['WITH_ALLMEDIA'] : []),
    ...(presence ? [`TABLES="text://${presenceTables(folder)}"`] : []),
  ]
  // Another process may take a port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const [sip, ws, wss] = await freePorts(3)
    const start = () => spawnKamailio(folder, [`PORT_SIP=${sip}`, `PORT_WS=${ws}`, `PORT_WSS=${wss}`, `SIP_URI="sip:127.0.0.1:${sip}"`, ...defines], within)
    const child = start()
    try {
      await Promise.race([
        ready({ ws, sip, wss }, address, within),
        child.exited.then(() => Promise.reject(new Error(`Kamailio ended:\n${child.log}`))),
      ])
      return kamailio(start, child, folder, ca, { sip, ws, wss }, address)
    } catch (error) {
      await child.stop('SIGKILL')
      if (attempt === 3) throw error
    }
  }
}

function kamailio(start, first, folder, ca, ports, address) {
  let child = first
  return {
    domain: 'sip.test',
    /** The certificate of its authority, PEM. */
    ca,
    ws: `ws://${address}:${ports.ws}/ws`,
    wss: `wss://${address}:${ports.wss}/ws`,
    udp: `sip:${address}:${ports.sip}`,
    tcp: `sip:${address}:${ports.sip};transport=tcp`,
    tls: `sips:${address}:${ports.wss}`,
    ports,
    /** A certificate of its authority for this machine, and its key, PEM. */
    certificate: { cert: readFileSync(join(folder, 'server.crt'), 'utf8'), key: readFileSync(join(folder, 'server.key'), 'utf8') },
    get log() {
      return child.log
    },
    /** The request and reply lines that it has seen, such as `REQ ws CANCEL …`. */
    lines: (pattern) => child.log.split('\n').filter((line) => pattern.test(line)),
    /** Resolves when it has logged a line that matches. */
    logs: (pattern, deadline = 5000) => child.prints(pattern, AbortSignal.timeout(deadline)),
    /** Lets it stand still for so many milliseconds. */
    async freeze(milliseconds) {
      child.signal('SIGSTOP')
      await new Promise((passed) => setTimeout(passed, milliseconds))
      child.signal('SIGCONT')
    },
    /** Kills it, and starts another on its ports, which knows nobody, once `meanwhile` is over. */
    async restart(meanwhile) {
      await child.stop('SIGKILL')
      await meanwhile
      child = start()
      await ready(ports, address)
    },
    /** Kills it for good. */
    kill: () => child.stop('SIGKILL'),
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function spawnKamailio(folder, defines, within) {
  const args = ['-DD', '-E', '-m', '32', '-M', '8', '-f', config]
  args.push('-P', join(folder, 'kamailio.pid'), '-w', folder, '-Y', folder)
  const all = [`CERTDIR="${folder}"`, `MODULES="${modules()}"`, 'WITH_TRACE', ...defines]
  const [command, ...rest] = [...within, binary(), ...args, ...all.flatMap((define) => ['-A', define])]
  return new Child(command, rest)
}

// The presence modules want tables; text files will do.
function presenceTables(folder) {
  const tables = join(folder, 'tables')
  cpSync(tablesOfDebian, tables, { recursive: true })
  return tables
}

async function ready({ ws, sip, wss }, address, within = []) {
  const signal = AbortSignal.timeout(within.length === 0 ? 20_000 : 40_000)
  // It takes connections before it is ready for TLS.
  if (within.length === 0) return void (await Promise.all([listening(ws, signal), listening(sip, signal), speaksTls(wss, signal)]))
  const [command, ...rest] = [...within, process.execPath, fileURLToPath(new URL('ready.mjs', import.meta.url)), address, ws, wss, sip]
  await new Child(command, rest).prints(/^ready$/m, signal)
}

function modules() {
  return moduleFolders.find((folder) =>
    ['tm', 'tls', 'websocket'].every((module) => existsSync(`${folder}${module}.so`)),
  )
}

/** Whether its presence modules are installed too. */
export function presenceInstalled() {
  return kamailioInstalled() && existsSync(`${modules()}presence_mwi.so`) && existsSync(tablesOfDebian)
}

/** Where its modules are; undefined if it is not installed. */
export const kamailioModules = () => modules()

/** Where it is; undefined if it is not installed. */
export const kamailioBinary = () => binary()

function binary() {
  return ['/usr/sbin/kamailio', '/usr/local/sbin/kamailio'].find((path) => existsSync(path))
}

function makeCertificates(folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=offhook test CA',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=sip.test')
  writeFileSync(
    join(folder, 'extensions'),
    'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n' +
      'subjectAltName=DNS:localhost,DNS:sip.test,IP:127.0.0.1,IP:::1,IP:10.99.0.1\n',
  )
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
    '-extfile', 'extensions', '-out', 'server.crt')
  return readFileSync(join(folder, 'ca.crt'), 'utf8')
}
