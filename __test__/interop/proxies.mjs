import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

const realm = 'offhook'
const find = (...paths) => paths.find((path) => existsSync(path))
const tinyproxy = () => find('/usr/bin/tinyproxy', '/usr/sbin/tinyproxy')
const squid = () => find('/usr/sbin/squid')
const digestHelper = () => find('/usr/lib/squid/digest_file_auth')
const microsocks = () => find('/usr/bin/microsocks')

export const tinyproxyInstalled = () => tinyproxy() !== undefined
export const squidInstalled = () => squid() !== undefined && digestHelper() !== undefined
export const microsocksInstalled = () => microsocks() !== undefined

/** tinyproxy: CONNECT with Basic. */
export const startTinyproxy = (login) =>
  start(login, ({ port, folder }) => {
    const config = join(folder, 'tinyproxy.conf')
    writeFileSync(config, `Port ${port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 20\nBasicAuth ${login.join(' ')}\n`)
    return [tinyproxy(), '-d', '-c', config]
  })

/** Squid: CONNECT with Digest; over TLS with a certificate. */
export const startSquid = (login, identity) =>
  start(login, ({ port, folder }) => {
    const [name, password] = login
    const ha1 = createHash('md5').update(`${name}:${realm}:${password}`).digest('hex')
    writeFileSync(join(folder, 'users'), `${name}:${realm}:${ha1}\n`)
    if (identity) {
      writeFileSync(join(folder, 'cert.pem'), identity.cert)
      writeFileSync(join(folder, 'key.pem'), identity.key)
    }
    const config = join(folder, 'squid.conf')
    writeFileSync(
      config,
      [
        identity ? `https_port 127.0.0.1:${port} tls-cert=${folder}/cert.pem tls-key=${folder}/key.pem` : `http_port 127.0.0.1:${port}`,
        `auth_param digest program ${digestHelper()} -c ${folder}/users`,
        `auth_param digest realm ${realm}`,
        'auth_param digest children 1 startup=1',
        'acl known proxy_auth REQUIRED',
        'http_access allow known',
        'http_access deny all',
        'cache deny all',
        'pid_filename none',
        'shutdown_lifetime 0 seconds',
        'visible_hostname offhook.test',
        `access_log stdio:${folder}/access.log`,
        `cache_log ${folder}/cache.log`,
        `coredump_dir ${folder}`,
        'pinger_enable off',
        '',
      ].join('\n'),
    )
    // Started by root it runs as a user of its own.
    chmodSync(folder, 0o777)
    return [squid(), '-N', '-n', `offhook${port}`, '-f', config]
  })

/** microsocks: SOCKS5 with a user's name and password. */
export const startMicrosocks = (login) => start(login, ({ port }) => [microsocks(), '-i', '127.0.0.1', '-p', String(port), '-u', login[0], '-P', login[1]])

/** `stop()` ends it, and `again()` starts it anew on the same port. */
async function start(login, commandOf) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-proxy-'))
  const [port] = await freePorts(1)
  let child
  const again = async () => {
    const [command, ...args] = commandOf({ port, folder })
    child = new Child(command, args, { cwd: folder })
    const died = child.exited.then(() => Promise.reject(new Error(`it ended:\n${child.log}`)))
    await Promise.race([listening(port, AbortSignal.timeout(20_000)), died])
  }
  await again()
  return {
    port,
    url: (scheme, [name, password] = login) => `${scheme}://${name}:${encodeURIComponent(password)}@localhost:${port}`,
    again,
    stop: (signal) => child.stop(signal),
    async close() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
