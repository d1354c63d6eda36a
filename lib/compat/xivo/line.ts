import type { AudioOutput, Softphone, SoftphoneOptions } from '../../index'
import { renamed } from '../../errors'
import { checkOptions, type Schema } from '../../schema'
import { phoneOf, portRule } from '../given'

/** The user's line, as the CTI server tells it (`LineConfig`). */
export interface LineConfig {
  /** The SIP user. */
  name: string
  /** Its password. */
  password: string
  /** The SIP proxy's name, which is the domain. */
  sipProxyName?: string
  /** The server's address. */
  xivoIp?: string
  [member: string]: unknown
}

/** The STUN and TURN servers, as the CTI server tells them (`IceConfig`). */
export interface IceConfig {
  /** Servers that need no credentials. */
  stunConfig?: { urls: string[] }
  /** Servers and their credentials, which hold for `ttl` seconds. */
  turnConfig?: { urls: string[]; username: string; credential: string; ttl: number }
}

/** A STUN or TURN server, with `url` as older browsers had it, or `urls`. */
export interface IceUrl {
  /** One address. */
  url?: string
  /** One or several. */
  urls?: string | readonly string[]
  /** The TURN user. */
  username?: string
  /** The TURN password. */
  credential?: string
}

/** How `init` was called. */
export interface Connection {
  name: string
  ssl: boolean
  port: number | string
  token: string | undefined
  remoteAudio: AudioOutput | undefined
  ip: string | undefined
}

/** Seconds that a registration holds. */
const REGISTER_EXPIRES = 60

const connecting: Schema = { name: 'text', port: portRule, token: 'text', ip: 'text' }

/** The arguments and members that what the phone says is about. */
const names = {
  uri: "LineConfig.name' with 'LineConfig.sipProxyName",
  password: 'LineConfig.password',
  servers: "ip' with 'websocketPort",
  displayName: 'name',
}

/** Throws for arguments of `init` that make no connection. */
export function checkConnection({ name, port, token, ip }: Connection): void {
  try {
    checkOptions('init', { name, port, token, ip }, connecting, { required: ['name', 'port'] })
  } catch (error) {
    throw renamed(error, { port: 'websocketPort' })
  }
}

/** The phone of a line. */
export function phoneOfLine(options: SoftphoneOptions): Softphone {
  return phoneOf(options, names)
}

/** The options of the line's phone; throws if the line says too little. */
export function lineOptions(line: LineConfig, connection: Connection): SoftphoneOptions {
  if (typeof line?.password !== 'string') {
    throw new Error('Unable to configure WebRTC - LineConfig does not contains password')
  }
  const { name, password } = line
  if (typeof name !== 'string') throw new Error('Unable to configure WebRTC - LineConfig does not contains name')
  // JSON has null if nothing is known.
  const sipProxyName = line.sipProxyName ?? 'default'
  const host = connection.ip ?? line.xivoIp
  if (!host) throw new Error('Unable to configure WebRTC - neither ip nor LineConfig names the server')
  const { remoteAudio } = connection
  return {
    uri: `sip:${name}@${sipProxyName.replaceAll('_', '-')}`,
    password,
    servers: server(connection, host, sipProxyName),
    displayName: connection.name,
    registerExpires: REGISTER_EXPIRES,
    maxSessions: 2,
    ...(remoteAudio !== undefined && { audio: { output: remoteAudio } }),
  }
}

/** The servers of a configuration; none if it has none. */
export function iceUrls({ stunConfig, turnConfig }: IceConfig): IceUrl[] {
  const turn = turnConfig && { urls: turnConfig.urls, username: turnConfig.username, credential: turnConfig.credential }
  return [...(stunConfig ? [{ urls: stunConfig.urls }] : []), ...(turn ? [turn] : [])]
}

function server({ ssl, port, token }: Connection, host: string, proxy: string): string {
  const suffix = proxy === '' || proxy === 'default' ? '' : `-${encodeURIComponent(proxy)}`
  const query = token === undefined ? '' : `?token=${encodeURIComponent(token)}`
  return `${ssl ? 'wss' : 'ws'}://${host}:${port}/${ssl ? 'wssip' : 'ws'}${suffix}${query}`
}
