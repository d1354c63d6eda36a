import { readFileSync } from 'node:fs'
import type { IceServer, SoftphoneOptions } from '../index'
import type { OptionTable } from './arguments'
import type { Cli } from './cli'
import { UsageError } from './usage-error'

/** The options that say who somebody is, and at which server. */
export const accountOptions: OptionTable = {
  user: { short: 'u', value: 'ADDRESS', help: 'Who you are, such as sip:alice@example.com (OFFHOOK_USER)' },
  server: { short: 's', value: 'URL', several: true, help: 'The SIP-over-WebSocket server, default wss://<domain>/ws (OFFHOOK_SERVER)' },
  'auth-user': { value: 'NAME', help: 'The name to sign in by, if it is another than in the address' },
  password: { value: 'TEXT', help: 'Rather set OFFHOOK_PASSWORD, or be asked: others on this machine can read it here' },
  token: { value: 'TEXT', help: 'An access token instead of a password; rather set OFFHOOK_TOKEN' },
  'display-name': { value: 'NAME', help: 'The name that others are shown' },
  'no-register': { help: 'Only connect: the server is not told where to find you' },
  ca: { value: 'FILE', several: true, help: 'A certificate (PEM) to trust beside those of the system' },
  proxy: { value: 'URL', help: 'The proxy to the server: http:, https: or socks5:, or none; default that of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY' },
  ice: { value: 'URL', several: true, help: 'A STUN or TURN server, such as turn:turn.example.com:3478' },
  'ice-user': { value: 'NAME', help: 'Your name at the TURN server; the password is OFFHOOK_ICE_PASSWORD' },
}

/** Makes a phone's options of what was typed and of the environment; asks for a password if there is nobody else to know it. */
export async function accountOf(cli: Cli): Promise<SoftphoneOptions> {
  const { given } = cli
  const uri = addressOf(cli)
  const servers = serversOf(cli)
  const name = given.value('auth-user')
  const displayName = given.value('display-name')
  const ca = certificatesOf(cli)
  const iceServers = iceServersOf(cli)
  return {
    uri,
    ...(servers.length > 0 && { servers }),
    ...(name !== undefined && { username: name }),
    ...(displayName !== undefined && { displayName }),
    ...(given.has('no-register') && { register: false }),
    ...(ca.length > 0 && { tls: { ca } }),
    httpProxy: proxyOf(cli),
    ...(iceServers.length > 0 && { iceServers }),
    ...(await credentialsOf(cli, uri, servers)),
  }
}

/** The proxy that was named, or else the environment's, as other programs of a terminal take it. */
export function proxyOf({ given, output }: Cli): string | false {
  const proxy = given.value('proxy') ?? 'environment'
  if (proxy.includes('@')) {
    const text = '--proxy with a password can be read by others on this machine: rather set HTTPS_PROXY.'
    output.complain('warning', { code: 'secret-on-command-line', message: text }, text)
  }
  return proxy === 'none' ? false : proxy
}

/** The authorities that were named. */
export function certificatesOf({ given }: Cli): string[] {
  return given.values('ca').map(readCertificate)
}

/** The STUN and TURN servers that were named. */
export function iceServersOf({ given }: Cli): IceServer[] {
  const username = given.value('ice-user')
  const credential = process.env['OFFHOOK_ICE_PASSWORD']
  const urls = given.values('ice')
  if (urls.some(isTurn) && (username === undefined || !credential)) {
    throw new UsageError('A TURN server wants to know who you are: give your name there by --ice-user, and its password by OFFHOOK_ICE_PASSWORD.')
  }
  return urls.map((url) => ({ urls: url, ...(isTurn(url) && username !== undefined && credential && { username, credential }) }))
}

function isTurn(url: string): boolean {
  return /^turns?:/i.test(url)
}

/** The servers that were named. */
export function serversOf({ given }: Cli): string[] {
  const typed = given.values('server')
  return typed.length > 0 ? [...typed] : (process.env['OFFHOOK_SERVER'] ?? '').split(/[\s,]+/).filter(Boolean)
}

function addressOf({ given }: Cli): string {
  const user = given.value('user') ?? process.env['OFFHOOK_USER']
  if (!user) {
    throw new UsageError(
      'Who are you? Name your address by --user sip:alice@example.com, or by OFFHOOK_USER. To try it without a server: offhook demo',
    )
  }
  if (!user.includes('@')) throw new UsageError('--user (OFFHOOK_USER) must be an address with a domain, such as sip:alice@example.com.')
  return /^sips?:/i.test(user) ? user : `sip:${user}`
}

async function credentialsOf(cli: Cli, uri: string, servers: readonly string[]): Promise<SoftphoneOptions> {
  const { given, output, keyboard } = cli
  for (const name of ['password', 'token']) {
    if (given.value(name) === undefined) continue
    const text = `--${name} can be read by others on this machine: rather set OFFHOOK_${name.toUpperCase()}, or leave it out and be asked.`
    output.complain('warning', { code: 'secret-on-command-line', message: text }, text)
  }
  const token = given.value('token') ?? process.env['OFFHOOK_TOKEN']
  const password = given.value('password') ?? process.env['OFFHOOK_PASSWORD']
  if (given.value('token') !== undefined && given.value('password') !== undefined) throw new UsageError('Give --password or --token, not both.')
  const chosen = ['password', 'token'].some((name) => given.value(name) !== undefined)
  if (password && token && !chosen) throw new UsageError('OFFHOOK_PASSWORD and OFFHOOK_TOKEN are both set: unset one of them.')
  if (password && given.value('token') === undefined) return { password }
  // On this machine nobody reads along.
  if (token) return { accessToken: token, ...(servers.length > 0 && servers.every(isLoopback) && { allowInsecure: true }) }
  const asked = await keyboard?.ask(`Password of ${uri.replace(/^sips?:/i, '')} (Return if there is none)`, { hidden: true })
  return asked === undefined ? {} : { password: asked }
}

function isLoopback(url: string): boolean {
  return URL.canParse(url) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--ca can not be read: ${(error as Error).message}`)
  }
}
