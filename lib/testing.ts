import { TypedEmitter } from './emitter'
import { SoftphoneError } from './errors'
import { Link, unknownEvent } from './link'
import { native, type NativePbx } from './native'
import type { SoftphoneOptions } from './options'
import { checkOptions, isPlainObject, mismatch, type Rule, type Schema } from './schema'
import type { WirePbxCommand, WirePbxStreamEvent } from './wire'

/** A user of a {@link Pbx}. */
export interface PbxUser {
  /** The user part of the address: `alice` is `sip:alice@<domain>`. */
  name: string
  /** The password for digest authentication; without one and without `token` nothing is asked. */
  password?: string
  /** The access token that is taken as a bearer token (RFC 8898). */
  token?: string
}

/**
 * What answers at an address of the PBX that is no user's.
 *
 * ```ts
 * await Pbx.start({
 *   extensions: {
 *     sales: { type: 'prompt', path: 'welcome.wav', answerAfter: 2000, earlyMedia: true },
 *     lobby: { type: 'conference' },
 *     gone: { type: 'refuse', code: 410 },
 *   },
 * })
 * ```
 */
export type PbxExtension =
  | (PbxService & PbxAnswering)
  /** Refuses with this SIP status, 300–699. */
  | { type: 'refuse'; code: number }
  /** Rings and never answers. */
  | { type: 'ring' }

/** What an extension does when it has answered. */
export type PbxService =
  /** Sends back what it hears. */
  | { type: 'echo' }
  /** Plays a sine tone of so many hertz. */
  | { type: 'tone'; frequency: number }
  /** Plays a WAV file, such as a spoken prompt; again and again with `repeat`. */
  | { type: 'prompt'; path: string; repeat?: boolean }
  /** Is silent; a digit 1–9 plays a tone of 100 Hz times the digit, `0` silence, `*` echoes, `#` hangs up. */
  | { type: 'menu' }
  /** Lets all who call it hear each other; `*` mutes a caller for the others, and again unmutes. */
  | { type: 'conference' }

/** How an extension answers. */
export interface PbxAnswering {
  /** Milliseconds that it rings before it answers, up to 60000; default 0. */
  answerAfter?: number
  /** Lets its sound be heard while it rings: it sends 183 with its SDP, unreliably; default false. */
  earlyMedia?: boolean
}

/** Options of {@link Pbx.start}. */
export interface PbxOptions {
  /** The SIP domain and the realm; default `pbx.test`. */
  domain?: string
  /** The users; more can come with `addUser()`. */
  users?: readonly PbxUser[]
  /** Whether users have to prove who they are; default `'digest'`, which takes bearer tokens too. */
  authentication?: 'digest' | 'none'
  /** The digest algorithms to offer, best first; default SHA-256 and MD5. */
  algorithms?: readonly ('MD5' | 'SHA-256' | 'SHA-512-256')[]
  /** Milliseconds that a nonce is good for; default 300000. */
  nonceLifetime?: number
  /** The shortest registration that is granted, in seconds; shorter ones get 423. Default 1. */
  minExpires?: number
  /** The longest registration that is granted, in seconds; default 3600. */
  maxExpires?: number
  /** Extensions by their user part, beside `echo`, `tone` (440 Hz), `menu`, `conference`, `busy` (486) and `noanswer`. */
  extensions?: Readonly<Record<string, PbxExtension>>
  /**
   * Lets media go through the PBX, so that `addMediaFault()` and `rebindMedia()` can disturb them; default false: they go
   * straight. The addresses in every SDP are then ports of the PBX on 127.0.0.1; the rest is end to end.
   */
  mediaRelay?: boolean
  /** Makes every choice of the media faults the same in each run: a whole number; default random. */
  seed?: number
}

/** Options of {@link Pbx.originate}. */
export interface OriginateOptions {
  /** The user to call first; all of its phones ring, the first to answer has the call. */
  to: string
  /**
   * The user or extension that it is then connected with. All of a user's phones ring; what one of them, or an
   * extension with `earlyMedia`, sends before it answers is heard at once.
   */
  with: string
  /** The caller's name that is shown to the first. */
  displayName?: string
  /** Asks the first for an automatic answer after so many seconds (`Call-Info: …;answer-after=N`); true means 0. */
  autoAnswer?: boolean | number
  /** The conversation that the call belongs to. */
  conversationId?: string
  /** Headers to add to the first INVITE. */
  headers?: Readonly<Record<string, string>>
}

/** What {@link Pbx.originate} gives. */
export interface OriginatedCall {
  /** Names the call to `hangUp()`. */
  id: number
}

/**
 * What goes wrong with SIP messages on purpose.
 *
 * ```ts
 * // The first answer of bob's phone is lost: it has to be repeated.
 * await pbx.addFault({ action: 'lose', user: 'bob', direction: 'in', method: 'INVITE', status: 200, count: 1 })
 * ```
 */
export interface PbxFault {
  /**
   * What happens to a message: it is lost; it is lost and the connection closes; it comes late by so many milliseconds;
   * it comes twice; it comes after the next one; its SDP promises another certificate; its SDP can't be read.
   */
  action: 'lose' | 'drop' | { delay: number } | 'duplicate' | 'reorder' | 'wrongFingerprint' | 'wrongSdp'
  /** Only messages from (`in`) or to (`out`) a phone; default both. */
  direction?: 'in' | 'out'
  /** Only messages of this user's phones; default everybody's. */
  user?: string
  /** Only requests of this method and responses to it; default all. */
  method?: string
  /** Only responses of this status; default all. */
  status?: number
  /** How many messages it meets; default all, until `clearFaults()`. */
  count?: number
}

/**
 * What goes wrong with media on purpose; several at once add up. ICE and DTLS suffer with the sound, except from
 * `silence` and `corrupt`.
 *
 * ```ts
 * const pbx = await Pbx.start({ users, mediaRelay: true })
 * await pbx.addMediaFault({ user: 'alice', direction: 'out', loss: 0.1, burst: 3 })
 * await pbx.addMediaFault({ delay: 150, jitter: 40 })
 * ```
 */
export interface PbxMediaFault {
  /** Only media of calls' legs of this user or extension; default everybody's. */
  user?: string
  /** Only what that `user` sends (`in`) or is sent (`out`); default both. */
  direction?: 'in' | 'out'
  /** The share of packets that are lost, 0–1; 1 cuts the connection. Default 0. */
  loss?: number
  /** How many packets in a row are lost, on average; default 1: each by itself. */
  burst?: number
  /** Milliseconds that a packet takes longer, each way that it meets; default 0. */
  delay?: number
  /** Up to so many milliseconds more, different for each packet; their order stays. Default 0. */
  jitter?: number
  /** The share of packets that come 30 ms later, after those that follow them, 0–1; default 0. */
  reorder?: number
  /** The share of packets that come twice, 0–1; default 0. */
  duplicate?: number
  /** The share of packets of sound with one bit wrong, which their receiver discards, 0–1; default 0. */
  corrupt?: number
  /** Lets no sound through, while ICE, DTLS and RTCP live on; default false. */
  silence?: boolean
}

/** A call that goes through the PBX. */
export interface PbxCall {
  /** The Call-ID, as the `callId` of the phones' sessions. */
  callId: string
  /** The user part of the caller. */
  from: string
  /** The user part of the callee. */
  to: string
}

/** The events of a {@link Pbx} with their listeners' arguments; all plain data. */
export interface PbxEvents {
  /** A phone has registered, or refreshed its registration (`renewed`), for so many seconds. */
  registered: [event: { user: string; contact: string; expires: number; renewed: boolean }]
  /** A phone's registration has ended. */
  unregistered: [
    event: { user: string; contact: string; cause: 'request' | 'expired' | 'disconnected' | 'removed' },
  ]
  /** A call goes through. */
  call: [call: PbxCall]
  /** Who is called rings, or is heard before the answer: the first 18x of the call. */
  ringing: [call: PbxCall]
  /** A call was answered. */
  answered: [call: PbxCall]
  /** A call ended; `code` is the SIP status if it was refused. */
  ended: [call: PbxCall, details: { answered: boolean; code?: number }]
  /** An extension heard a digit, for so many milliseconds. */
  dtmf: [event: { extension: string; tone: string; duration: number }]
  /** A SIP message from (`in`) or to (`out`) a phone; secrets are left out. */
  message: [event: { direction: 'in' | 'out'; user?: string; text: string }]
}

const count: Rule = { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } }
const status: Rule = { number: { min: 100, max: 699, integer: true } }
const user: Schema = { name: 'text', password: 'text', token: 'text' }
const starting: Schema = {
  domain: 'text',
  users: { arrayOf: { object: user, required: ['name'] } },
  authentication: { oneOf: ['digest', 'none'] },
  algorithms: { arrayOf: { oneOf: ['MD5', 'SHA-256', 'SHA-512-256'] }, min: 1 },
  nonceLifetime: count,
  minExpires: count,
  maxExpires: count,
  extensions: { check: checkExtensions, expected: 'an object of extensions' },
  mediaRelay: 'boolean',
  seed: count,
}
const extension: Schema = {
  type: { oneOf: ['echo', 'tone', 'prompt', 'menu', 'conference', 'refuse', 'ring'] },
  answerAfter: { number: { min: 0, max: 60_000, integer: true } },
  earlyMedia: 'boolean',
  frequency: { number: { min: 20, max: 20_000 } },
  path: 'text',
  repeat: 'boolean',
  code: { number: { min: 300, max: 699, integer: true } },
}
/** What extensions of these types need besides. */
const besides: Readonly<Record<string, readonly string[]>> = { tone: ['frequency'], prompt: ['path'], refuse: ['code'] }
const originating: Schema = {
  to: 'text',
  with: 'text',
  displayName: 'string',
  autoAnswer: { either: ['boolean', { number: { min: 0, max: 86_400, integer: true } }] },
  conversationId: 'text',
  headers: { record: 'string' },
}
const faulty: Schema = {
  action: {
    either: [
      { oneOf: ['lose', 'drop', 'duplicate', 'reorder', 'wrongFingerprint', 'wrongSdp'] },
      { object: { delay: count }, required: ['delay'] },
    ],
  },
  direction: { oneOf: ['in', 'out'] },
  user: 'text',
  method: 'text',
  status,
  count,
}
const share: Rule = { number: { min: 0, max: 1 } }
const milliseconds: Rule = { number: { min: 0, max: 60_000, integer: true } }
const disturbing: Schema = {
  user: 'text',
  direction: { oneOf: ['in', 'out'] },
  loss: share,
  burst: { number: { min: 1, max: 1000 } },
  delay: milliseconds,
  jitter: milliseconds,
  reorder: share,
  duplicate: share,
  corrupt: share,
  silence: 'boolean',
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

  readonly #link: PbxLink
  readonly #users = new Map<string, PbxUser>()
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
    this.#link = new PbxLink(JSON.stringify({ ...options, domain }), (event) => this.#receive(event))
    this.url = `ws://127.0.0.1:${this.#link.port}/ws`
  }

  /**
   * How full this process is with calls' sound, 0 to 1, as `load` of a `Softphone` says it: the extensions' calls are on the
   * same media threads, and at 1 the extensions answer no further one.
   */
  get load(): number {
    return native().mediaLoad?.() ?? 0
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
    checkOptions('options of addUser', added, user, { required: ['name'] })
    await this.#link.command({ type: 'addUser', user: added })
    this.#users.set(added.name, added)
  }

  /** Takes a user away: what it registered is forgotten. */
  async removeUser(name: string): Promise<void> {
    await this.#link.command({ type: 'removeUser', user: name })
    this.#users.delete(name)
  }

  /**
   * Calls a user and connects it with another, or with an extension: with `autoAnswer` that is click-to-call.
   * Resolves when both have answered; rejects with `ERR_CALL_FAILED` when one does not.
   */
  async originate(call: OriginateOptions): Promise<OriginatedCall> {
    checkOptions('options of originate', call, originating, { required: ['to', 'with'] })
    const { autoAnswer, headers, ...options } = call
    const answerAfter = typeof autoAnswer === 'boolean' ? (autoAnswer ? 0 : undefined) : autoAnswer
    const command = { type: 'originate', ...options, answerAfter, headers: Object.entries(headers ?? {}) } as const
    return (await this.#link.command(command)) as OriginatedCall
  }

  /** Ends a call that `originate()` placed. */
  async hangUp(call: OriginatedCall): Promise<void> {
    checkOptions('the call to hang up', call, { id: count }, { required: ['id'] })
    await this.#link.command({ type: 'hangUp', id: call.id })
  }

  /** Makes something go wrong with SIP messages from now on. */
  async addFault(fault: PbxFault): Promise<void> {
    checkOptions('options of addFault', fault, faulty, { required: ['action'] })
    await this.#link.command({ type: 'addFault', ...fault })
  }

  /**
   * Makes something go wrong with media from now on; several faults add up.
   * Rejects with `ERR_INVALID_ARGUMENT` if the PBX was started without `mediaRelay`.
   */
  async addMediaFault(fault: PbxMediaFault): Promise<void> {
    checkOptions('options of addMediaFault', fault, disturbing)
    await this.#link.command({ type: 'addMediaFault', ...fault })
  }

  /**
   * Moves a user's media to other ports, as a NAT does that has lost its bindings: the other side sees them come from a
   * new address, and what it sends to the old one is lost. Needs `mediaRelay`.
   */
  async rebindMedia(name: string): Promise<void> {
    await this.#link.command({ type: 'rebindMedia', user: name })
  }

  /** Makes everything go right again, SIP messages and media. */
  async clearFaults(): Promise<void> {
    await this.#link.command({ type: 'clearFaults' })
  }

  /** Cuts the connections of one user's phones, or of all, as a failing network would. */
  async disconnect(name?: string): Promise<void> {
    await this.#link.command({ type: 'disconnect', user: name })
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
    this.#link.ref()
    return this
  }

  /** Lets the process end although the PBX runs. */
  unref(): this {
    this.#link.unref()
    return this
  }

  async #close(): Promise<void> {
    const done = this.#link.command({ type: 'close' })
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

  #receive(event: WirePbxStreamEvent): void {
    switch (event.type) {
      case 'registered': {
        const { user, contact, expires, renewed } = event
        return this.deliver('registered', { user, contact, expires, renewed })
      }
      case 'unregistered': {
        const { user, contact, cause } = event
        return this.deliver('unregistered', { user, contact, cause })
      }
      case 'call':
      case 'ringing':
      case 'answered':
        return this.deliver(event.type, callOf(event))
      case 'ended': {
        const { answered, code } = event
        return this.deliver('ended', callOf(event), { answered, ...(typeof code === 'number' && { code }) })
      }
      case 'dtmf': {
        const { extension, tone, duration } = event
        return this.deliver('dtmf', { extension, tone, duration })
      }
      case 'message': {
        const { direction, user, text } = event
        return this.deliver('message', { direction, text, ...(typeof user === 'string' && { user }) })
      }
      // Of the runtime only replies come here, and those the link has taken.
      case 'reply':
      case 'stats':
      case 'level':
      case 'levels':
      case 'speechStarted':
      case 'speechEnded':
      case 'toneHeard':
      case 'answeredBy':
      case 'closed':
        return
      default:
        unknownEvent(event)
    }
  }
}

/** The line to a PBX. */
class PbxLink extends Link<WirePbxCommand, WirePbxStreamEvent> {
  readonly port: number

  constructor(options: string, onEvent: (event: WirePbxStreamEvent) => void) {
    let started!: NativePbx
    super((tell) => (started = new (native().NativePbx)(options, tell)), onEvent, closed)
    this.port = started.port
  }

  command(command: WirePbxCommand): Promise<unknown> {
    return this.send(command, { read: (reply) => reply })
  }
}

function closed(): SoftphoneError {
  return new SoftphoneError('The PBX was closed', { code: 'ERR_DESTROYED', type: 'generic' })
}

function callOf({ callId, from, to }: PbxCall): PbxCall {
  return { callId, from, to }
}

function checkExtensions(name: string, value: unknown): void {
  if (!isPlainObject(value)) throw mismatch(name, value, 'an object of extensions')
  for (const [key, one] of Object.entries(value)) {
    const needed = besides[(one as PbxExtension | undefined)?.type ?? ''] ?? []
    checkOptions(`${name}.${key}`, one, extension, { prefix: `${name}.${key}.`, required: ['type', ...needed] })
  }
}
