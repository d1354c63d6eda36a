import { TypedEmitter } from './emitter'
import { SoftphoneError } from './errors'
import { fromWire } from './link'
import { native, type NativePbx } from './native'
import type { SoftphoneOptions } from './options'
import { checkOptions, type Rule, type Schema } from './schema'
import type { WireError } from './wire'

/** A user of a {@link Pbx}. */
export interface PbxUser {
  /** The user part of the address: `alice` is `sip:alice@<domain>`. */
  name: string
  /** The password for digest authentication; without one and without `token` nothing is asked. */
  password?: string
  /** The access token that is taken as a bearer token (RFC 8898). */
  token?: string
}

/** Options of {@link Pbx.start}. */
export interface PbxOptions {
  /** The SIP domain and the realm; default `pbx.test`. */
  domain?: string
  /** The users; more can come with `addUser()`. */
  users?: readonly PbxUser[]
  /** The digest algorithm; default `'SHA-256'`. */
  algorithm?: 'MD5' | 'SHA-256' | 'SHA-512-256'
  /** Seconds that a nonce is good for; default 300. */
  nonceLifetime?: number
  /** The shortest registration that is granted, in seconds; shorter ones get 423. Default 1. */
  minExpires?: number
  /** Where random choices start from, so that a run can be repeated; default a random one. */
  seed?: number
}

/**
 * What answers a call by itself: `echo` gives back what it hears, `tone` plays 440 Hz, `speech` a spoken sentence,
 * `menu` collects digits, `busy` answers 486, `noanswer` rings for ever, `conference` mixes all who call it.
 * Each is also an address: `sip:echo@<domain>`.
 */
export type PbxExtension = 'echo' | 'tone' | 'speech' | 'menu' | 'busy' | 'noanswer' | 'conference'

/** Options of {@link Pbx.originate}. */
export interface OriginateOptions {
  /** The user to call; all of its registered contacts ring. */
  to: string
  /** The caller that is shown; default the extension. */
  from?: string
  /** The caller's name that is shown. */
  displayName?: string
  /** What talks to the user who answers; default `'echo'`. */
  extension?: PbxExtension
  /** Asks for an automatic answer (`Call-Info: …;answer-after=0`); default false. */
  autoAnswer?: boolean
  /** The conversation that the call belongs to. */
  conversationId?: string
  /** Headers to add to the INVITE. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds to wait for an answer before the call is cancelled; default 60000. */
  timeout?: number
}

/** Options of {@link Pbx.connect}. */
export interface ConnectOptions {
  /** The user who is called first, with a request for an automatic answer: who clicked. */
  from: string
  /** The user, extension or address that is then called. */
  to: string
  /** The conversation that both calls belong to; default a new one. */
  conversationId?: string
  /** Headers to add to both INVITEs. */
  headers?: Readonly<Record<string, string>>
}

/** What goes wrong on purpose. Each share is from 0 to 1. */
export interface PbxFaults {
  /** Signalling messages that are lost on the way to the phones. */
  loss?: number
  /** Signalling messages that arrive twice. */
  duplicate?: number
  /** Signalling messages that overtake the one before. */
  reorder?: number
  /** Milliseconds by which signalling is late. */
  delay?: number
  /** What is wrong with the SDP that phones get. */
  sdp?: 'fingerprint' | 'codecs' | 'garbage'
  /** What happens to RTP: turning it on leads the media of new calls through a relay of the PBX. */
  media?: {
    /** Packets that are lost. */
    loss?: number
    /** Milliseconds by which packets are late. */
    delay?: number
    /** Milliseconds by which that varies. */
    jitter?: number
  }
}

/** A call that goes through the PBX. */
export interface PbxCall {
  /** Names the call in this PBX's methods and events. */
  id: string
  /** Who calls. */
  from: string
  /** Who is called. */
  to: string
  /** The conversation it belongs to. */
  conversationId: string
}

/** The events of a {@link Pbx} with their listeners' arguments; all plain data. */
export interface PbxEvents {
  /** A phone has registered, or refreshed. */
  registered: [event: { user: string; contact: string; expires: number }]
  /** A phone's registration was removed or has expired. */
  unregistered: [event: { user: string; contact: string }]
  /** A call began to ring. */
  call: [call: PbxCall]
  /** A call was answered. */
  answered: [call: PbxCall]
  /** A call ended; `code` is the SIP status where it was not answered. */
  ended: [call: PbxCall, details: { answered: boolean; code?: number }]
  /** An extension received a digit. */
  dtmf: [call: PbxCall, event: { tone: string; duration: number }]
  /** A SIP message, secrets left out. */
  message: [event: { direction: 'received' | 'sent'; user?: string; text: string }]
}

const count: Rule = { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } }
const share: Rule = { number: { min: 0, max: 1 } }
const extension: Rule = { oneOf: ['echo', 'tone', 'speech', 'menu', 'busy', 'noanswer', 'conference'] }
const headers: Rule = { record: 'string' }
const user: Schema = { name: 'text', password: 'text', token: 'text' }
const starting: Schema = {
  domain: 'text',
  users: { arrayOf: { object: user, required: ['name'] } },
  algorithm: { oneOf: ['MD5', 'SHA-256', 'SHA-512-256'] },
  nonceLifetime: count,
  minExpires: count,
  seed: count,
}
const originating: Schema = {
  to: 'text',
  from: 'text',
  displayName: 'string',
  extension,
  autoAnswer: 'boolean',
  conversationId: 'text',
  headers,
  timeout: count,
}
const connecting: Schema = { from: 'text', to: 'text', conversationId: 'text', headers }
const faulty: Schema = {
  loss: share,
  duplicate: share,
  reorder: share,
  delay: count,
  sdp: { oneOf: ['fingerprint', 'codecs', 'garbage'] },
  media: { object: { loss: share, delay: count, jitter: count } },
}

/**
 * A SIP-over-WebSocket registrar and switch inside this process, on a free loopback port: for tests, demos and trying out.
 *
 * ```ts
 * const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
 * const phone = new Softphone(pbx.account('alice'))
 * await phone.initialize()
 * const session = await phone.call('echo')
 * await session.answered
 * await phone.destroy()
 * await pbx.close()
 * ```
 */
export class Pbx extends TypedEmitter<PbxEvents> {
  /** The SIP domain. */
  readonly domain: string
  /** The address of the WebSocket: `ws://127.0.0.1:<port>/ws`. */
  readonly url: string

  readonly #native: NativePbx
  readonly #users = new Map<string, PbxUser>()
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  #nextTicket = 1
  #closed: Promise<void> | undefined

  /** Starts a PBX; resolves when it listens. */
  static async start(options: PbxOptions = {}): Promise<Pbx> {
    checkOptions('options of Pbx.start', options, starting)
    return new Pbx(options)
  }

  private constructor(options: PbxOptions) {
    super()
    const { domain = 'pbx.test', users = [] } = options
    for (const one of users) this.#users.set(one.name, one)
    this.domain = domain
    const wire = JSON.stringify({ ...options, domain, users })
    this.#native = new (native().NativePbx)(wire, (event) => this.#receive(JSON.parse(event) as PbxEvent))
    this.url = `ws://127.0.0.1:${this.#native.port}/ws`
  }

  /** What a `Softphone` needs to be this user's phone; spread it into the options. */
  account(name: string): SoftphoneOptions {
    const { password, token } = this.#user(name)
    return {
      uri: `sip:${name}@${this.domain}`,
      servers: this.url,
      ...(password !== undefined && { password }),
      ...(token !== undefined && password === undefined && { accessToken: token, allowInsecure: true }),
    }
  }

  /** Adds a user, or changes its password or token. */
  async addUser(added: PbxUser): Promise<void> {
    checkOptions('options of addUser', added, user)
    await this.#command({ type: 'addUser', ...added })
    this.#users.set(added.name, added)
  }

  /** Calls a user on its phones; resolves once the INVITE is on its way. */
  async originate({ headers: given, ...options }: OriginateOptions): Promise<PbxCall> {
    checkOptions('options of originate', { ...options, headers: given }, originating)
    return (await this.#command({ type: 'originate', ...options, headers: pairs(given) })) as PbxCall
  }

  /** Click-to-call: calls one user with a request for an automatic answer, then connects it with another. */
  async connect({ headers: given, ...options }: ConnectOptions): Promise<PbxCall> {
    checkOptions('options of connect', { ...options, headers: given }, connecting)
    return (await this.#command({ type: 'connect', ...options, headers: pairs(given) })) as PbxCall
  }

  /** Ends a call. */
  async hangUp(call: Pick<PbxCall, 'id'>): Promise<void> {
    await this.#command({ type: 'hangUp', id: call.id })
  }

  /** Makes things go wrong from now on; `{}` makes them right again. */
  async setFaults(faults: PbxFaults): Promise<void> {
    checkOptions('options of setFaults', faults, faulty)
    await this.#command({ type: 'setFaults', faults })
  }

  /** Cuts the WebSockets of one user, or of all, without a word. */
  async dropConnections(name?: string): Promise<void> {
    await this.#command({ type: 'dropConnections', user: name })
  }

  /** Ends every call and connection, and stops listening; afterwards nothing keeps the process alive. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Closes the PBX at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Keeps the process alive for as long as the PBX runs, which is the default. */
  ref(): this {
    this.#native.ref()
    return this
  }

  /** Lets the process end although the PBX runs. */
  unref(): this {
    this.#native.unref()
    return this
  }

  async #close(): Promise<void> {
    const done = this.#command({ type: 'close' })
    // What waits is rejected when the PBX is gone; for this command that is success.
    await done.catch((error: SoftphoneError) => {
      if (error.code !== 'ERR_DESTROYED') throw error
    })
  }

  #user(name: string): PbxUser {
    const found = this.#users.get(name)
    if (found) return found
    throw new SoftphoneError(`The PBX has no user "${name}"`, { code: 'ERR_UNKNOWN_USER', type: 'invalid_options' })
  }

  #command(command: { type: string; [member: string]: unknown }): Promise<unknown> {
    const ticket = this.#nextTicket++
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject })
      this.#native.command(ticket, JSON.stringify(command))
    })
  }

  #receive(event: PbxEvent): void {
    switch (event.type) {
      case 'reply':
        return this.#settle(event)
      case 'registered':
        return this.deliver('registered', { user: event.user, contact: event.contact, expires: event.expires })
      case 'unregistered':
        return this.deliver('unregistered', { user: event.user, contact: event.contact })
      case 'call':
      case 'answered':
        return this.deliver(event.type, event.call)
      case 'ended':
        return this.deliver('ended', event.call, {
          answered: event.answered,
          ...(typeof event.code === 'number' && { code: event.code }),
        })
      case 'dtmf':
        return this.deliver('dtmf', event.call, { tone: event.tone, duration: event.duration })
      case 'message':
        return this.deliver('message', {
          direction: event.direction,
          text: event.text,
          ...(typeof event.user === 'string' && { user: event.user }),
        })
      case 'closed':
        return this.#abandon()
    }
  }

  #settle({ ticket, value, error }: Extract<PbxEvent, { type: 'reply' }>): void {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if (error) waiting?.reject(fromWire(error))
    else waiting?.resolve(value)
  }

  #abandon(): void {
    const error = new SoftphoneError('The PBX was closed', { code: 'ERR_DESTROYED', type: 'generic' })
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** The PBX's ordered event stream, as JSON. */
type PbxEvent =
  | { type: 'reply'; ticket: number; value?: unknown; error?: WireError }
  | { type: 'registered'; user: string; contact: string; expires: number }
  | { type: 'unregistered'; user: string; contact: string }
  | { type: 'call' | 'answered'; call: PbxCall }
  | { type: 'ended'; call: PbxCall; answered: boolean; code?: number | null }
  | { type: 'dtmf'; call: PbxCall; tone: string; duration: number }
  | { type: 'message'; direction: 'received' | 'sent'; user?: string | null; text: string }
  | { type: 'closed' }

function pairs(given: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(given ?? {})
}
