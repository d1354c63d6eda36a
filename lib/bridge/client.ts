import { EndReason, type EndReasonInit } from '../end-reason'
import type { SoftphoneEvents } from '../events'
import type { Softphone } from '../softphone'
import type { BridgedEvents, BridgedMethods } from './bridged'
import { BridgeConference, BridgeSession, lend, type Line } from './calls'
import { callEach, PageEmitter } from './emitter'
import { BridgeError, closedError } from './error'
import {
  REFERENCE,
  TAKEN_AT_ONCE,
  VERSION,
  type Addressee,
  type BridgeState,
  type PageMessage,
  type PhoneMessage,
} from './messages'
import { phoneMethods } from './methods'
import { plain, revived, type Reference } from './plain'
import { Channel, type BridgeEnd, type BridgePort } from './port'
import { applied, none } from './state'

export { BridgeConference, BridgeSession } from './calls'
export { PageEmitter } from './emitter'
export { BridgeError } from './error'
export type { Bridged, BridgedEvents, BridgedMethod, BridgedMethods } from './bridged'
export type { BridgeState, ConferenceSnapshot, SessionSnapshot } from './messages'
export type { BridgeEnd, BridgePort } from './port'

/**
 * Drives the phone that `serve()` of `offhook/bridge` has put at the other end of a port. The state is there once `ready` resolves.
 *
 * ```ts
 * const phone = connect(port)
 * await phone.ready
 * const session = await phone.call('bob')
 * await session.answered
 * ```
 *
 * @throws `TypeError` for what is no port.
 */
export function connect(port: BridgePort): BridgePhone {
  return new BridgePhone(new Channel(port))
}

/** A phone in a page: the events and methods of a `Softphone`, each method as a promise. */
export interface BridgePhone extends BridgedMethods<Pick<Softphone, (typeof phoneMethods)[number]>> {}

type Events = BridgedEvents<Omit<SoftphoneEvents, 'subscriptionRequest'>>

interface Waiting {
  resolve(value: unknown): void
  reject(error: BridgeError): void
}

export class BridgePhone extends PageEmitter<Events> {
  /** Resolves when the phone has told its state; rejects with `ERR_BRIDGE` if the port is closed first, or the phone has another version. */
  readonly ready: Promise<void>
  /** Settles with why the connection is over. The calls go on without the page. */
  readonly closed: Promise<BridgeEnd>
  /** @internal Takes what the phone says to a module of its own, by the kind of the message. */
  readonly extras = new Map<string, (message: any) => void>()
  /** @internal */
  readonly line: Line
  readonly #channel: Channel<PhoneMessage, PageMessage>
  readonly #sessions = new Map<string, BridgeSession>()
  readonly #conferences = new Map<string, BridgeConference>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #subscribers = new Set<(state: BridgeState) => void>()
  /** Tells this page from the one before it at the same port. */
  readonly #page = Math.random()
  #state: BridgeState = none
  #asked = 0
  #refused: BridgeError | undefined

  /** @internal */
  constructor(channel: Channel<PhoneMessage, PageMessage>) {
    super((event, isHeard) => this.line.listen({ of: 'phone' }, event, isHeard))
    this.#channel = channel
    this.line = {
      ask: (to, method, args) => this.#ask(to, method, args),
      listen: (to, event, isHeard) => this.#listen(to, event, isHeard),
      send: (message) => channel.send(message),
    }
    lend(this, phoneMethods, this.line, { of: 'phone' })
    this.closed = channel.closed
    this.ready = new Promise((resolve, reject) => this.#waiting.set(READY, { resolve: () => resolve(), reject }))
    this.ready.catch(() => {})
    channel.listen((message) => this.#take(message))
    void channel.closed.then(() => this.#lose())
    this.#hello()
  }

  /** What the page knows of the phone: never changed, a new one after each change. */
  get state(): BridgeState {
    return this.#state
  }

  /**
   * Calls back with {@link state} at once and after each change; gives what ends that. The phone is a store of Svelte so, and fits React's
   * `useSyncExternalStore`.
   */
  readonly subscribe = (changed: (state: BridgeState) => void): (() => void) => {
    // Each is a subscription of its own, also of a function that subscribes twice.
    const one = (state: BridgeState) => changed(state)
    this.#subscribers.add(one)
    changed(this.#state)
    return () => void this.#subscribers.delete(one)
  }

  /** The call of this id, while it lives. */
  session(id: string): BridgeSession | undefined {
    return this.#sessions.get(id)
  }

  /** The conference of this id, while it lives. */
  conferenceOf(id: string): BridgeConference | undefined {
    return this.#conferences.get(id)
  }

  /** The sessions that have started and not ended. */
  get sessions(): BridgeSession[] {
    return [...this.#sessions.values()]
  }

  /** The conferences that are not over. */
  get conferences(): BridgeConference[] {
    return [...this.#conferences.values()]
  }

  /** Ends the connection; the phone and its calls go on. */
  close(): void {
    this.#channel.send({ kind: 'bye' })
    this.#channel.end({ reason: 'closed' })
  }

  #hello(): void {
    this.#channel.send({ kind: 'hello', version: VERSION, page: this.#page })
  }

  #take(message: PhoneMessage): void {
    if (message.at % TAKEN_AT_ONCE === 0 || message.kind === 'welcome') this.#channel.send({ kind: 'taken', at: message.at })
    switch (message.kind) {
      case 'ready':
      case 'behind':
        return this.#hello()
      case 'refused':
        this.#refused = new BridgeError(message.error)
        return this.#channel.end({ reason: 'refused' })
      case 'welcome':
        return this.#welcome(message)
      case 'news':
        return this.#hear(message)
      case 'reply':
        return this.#settle(message)
      case 'bye':
        return this.#channel.end({ reason: 'ended' })
      default:
        // What none takes, a phone of a newer version says.
        this.extras.get(message.kind)?.(message)
    }
  }

  #welcome({ changes, ended }: Extract<PhoneMessage, { kind: 'welcome' }>): void {
    const reasons = new Map(ended.map(({ id, reason }) => [id, this.#revived(reason) as EndReason]))
    const gone = this.#become(applied({ ...none, bridge: 'open' }, changes))
    for (const one of gone.values()) {
      if (one instanceof BridgeSession) this.#finish(one, reasons.get(one.id) ?? EndReason.of({ condition: 'general-error', side: 'network', text: 'It ended meanwhile' }))
      else one.tell('ended', [])
    }
    // The phone forgets with each hello what the page listens to.
    for (const one of [this, ...this.sessions, ...this.conferences]) one.askAgain()
    this.#waiting.get(READY)?.resolve(undefined)
    this.#waiting.delete(READY)
  }

  /** Tells of an end that was missed. */
  #finish(session: BridgeSession, reason: EndReason): void {
    session.finish(reason)
    session.tell('terminated', [session, reason])
    this.tell('sessionEnded', [session, reason])
  }

  #hear({ changes, event }: Extract<PhoneMessage, { kind: 'news' }>): void {
    const gone = changes ? this.#become(applied(this.#state, changes)) : new Map()
    if (event) this.#happen(event, gone)
  }

  #happen({ of, name, args }: Happening, gone: ReadonlyMap<string, Call>): void {
    const emitter = of.of === 'phone' ? this : this.#find(of, gone)
    const revived = args.map((arg) => this.#revived(arg, gone))
    if (name === 'terminated' && emitter instanceof BridgeSession) emitter.finish(revived[1] as EndReason)
    emitter?.tell(name, revived)
  }

  #find({ of, id = '' }: Addressee, gone: ReadonlyMap<string, Call>): Call | undefined {
    return (of === 'session' ? this.#sessions : this.#conferences).get(id) ?? gone.get(key(of, id))
  }

  /** Takes a new state, and then tells those who subscribe; gives what is not there any more. */
  #become(state: BridgeState): ReadonlyMap<string, Call> {
    const gone = new Map<string, Call>()
    follow('session', this.#sessions, state.sessions, gone, (snapshot) => new BridgeSession(this.line, snapshot))
    follow('conference', this.#conferences, state.conferences, gone, (snapshot) => new BridgeConference(this.line, snapshot))
    this.#turn(state)
    return gone
  }

  #ask(to: Addressee, method: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#channel.open) return reject(this.#refused ?? closedError())
      this.#asked += 1
      const number = this.#asked
      const signals = new Set<AbortSignal>()
      const given = args.map((arg) => plain(arg, (value) => refer(value, signals)))
      for (const signal of signals) {
        if (signal.aborted) return reject(new BridgeError({ message: 'The signal was aborted', code: 'ERR_ABORTED', type: 'generic', cause: signal.reason }))
        signal.addEventListener('abort', () => this.#channel.send({ kind: 'abort', number }), { once: true })
      }
      this.#waiting.set(number, { resolve, reject })
      try {
        this.#channel.send({ kind: 'call', number, to, method, args: given })
      } catch (cause) {
        this.#waiting.delete(number)
        reject(new BridgeError({ message: `An argument can't cross the port: ${String(cause)}`, code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options', cause }))
      }
    })
  }

  #listen(to: Addressee, event: string, wanted: boolean): void {
    this.#channel.send({ kind: 'listen', to, event, wanted })
  }

  #settle({ page, number, value, error }: Extract<PhoneMessage, { kind: 'reply' }>): void {
    if (page !== this.#page) return
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (error) waiting?.reject(new BridgeError(error))
    else waiting?.resolve(this.#revived(value))
  }

  #lose(): void {
    const error = this.#refused ?? closedError()
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    for (const session of this.#sessions.values()) session.abandon(error)
    this.#turn(Object.freeze({ ...this.#state, bridge: 'closed' }))
  }

  #turn(state: BridgeState): void {
    this.#state = state
    callEach(this.#subscribers, state)
  }

  #revived(value: unknown, gone: ReadonlyMap<string, Call> = new Map()): unknown {
    return revived(value, (reference) => {
      switch (reference[REFERENCE]) {
        case 'session':
        case 'conference':
          return this.#find({ of: reference[REFERENCE], id: reference.id }, gone)
        case 'error':
          return new BridgeError(reference.error)
        case 'reason':
          return EndReason.of(reference.reason as EndReasonInit)
        case 'map':
          return new Map(reference.entries)
        case 'signal':
        case 'video':
          return undefined
      }
    })
  }
}

/** The number of what waits for the first state. */
const READY = 0

type Call = BridgeSession | BridgeConference
type Happening = NonNullable<Extract<PhoneMessage, { kind: 'news' }>['event']>

function key(of: Addressee['of'], id: string): string {
  return `${of} ${id}`
}

/** Makes, changes and takes away the objects of what there is. */
function follow<S extends { id: string }, T extends Call & { readonly snapshot: unknown; become(snapshot: S): void }>(
  of: Addressee['of'],
  objects: Map<string, T>,
  snapshots: readonly S[],
  gone: Map<string, Call>,
  make: (snapshot: S) => T,
): void {
  const there = new Set(snapshots.map(({ id }) => id))
  for (const [id, object] of objects) {
    if (there.has(id)) continue
    objects.delete(id)
    gone.set(key(of, id), object)
  }
  for (const snapshot of snapshots) {
    const object = objects.get(snapshot.id)
    if (!object) objects.set(snapshot.id, make(snapshot))
    else if ((object.snapshot as unknown) !== snapshot) object.become(snapshot)
  }
}

function refer(value: object, signals: Set<AbortSignal>): Reference | undefined {
  if (value instanceof BridgeSession) return { [REFERENCE]: 'session', id: value.id }
  if (value instanceof BridgeConference) return { [REFERENCE]: 'conference', id: value.id }
  if (!(value instanceof AbortSignal)) return undefined
  signals.add(value)
  return { [REFERENCE]: 'signal' }
}
