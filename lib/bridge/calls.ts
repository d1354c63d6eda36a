import type { Conference } from '../conference'
import { EndReason } from '../end-reason'
import type { ConferenceEvents, SessionEvents } from '../events'
import type { Session } from '../session'
import { PageEmitter } from './emitter'
import { BridgeError } from './error'
import type { BridgedEvents, BridgedMethods } from './bridged'
import type { Addressee, ConferenceSnapshot, PageMessage, SessionSnapshot } from './messages'
import { conferenceMethods, sessionMethods } from './methods'

/** @internal What carries a page's words to the phone. */
export interface Line {
  ask(to: Addressee, method: string, args: readonly unknown[]): Promise<unknown>
  listen(to: Addressee, event: string, isHeard: boolean): void
  send(message: PageMessage): void
}

/** What a page sees of a call or a conference: its properties are those of the last snapshot, its methods the phone's. */
export class Mirror<Events extends { [E in keyof Events]: unknown[] }, Snapshot extends object> extends PageEmitter<Events> {
  #snapshot!: Snapshot

  /** @internal */
  constructor(line: Line, address: Addressee, methods: readonly string[]) {
    super((event, isHeard) => line.listen(address, event, isHeard))
    lend(this, methods, line, address)
  }

  /** What it is now: never changed, a new one after each change. */
  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** @internal */
  become(snapshot: Snapshot): void {
    this.#snapshot = snapshot
    Object.assign(this, snapshot)
  }
}

/**
 * A call in a page: the properties, events and methods of a `Session`, each method as a promise. It is the same object for as long as
 * the call lives; for a store take the snapshots in `state`.
 */
export interface BridgeSession extends SessionSnapshot, BridgedMethods<Pick<Session, (typeof sessionMethods)[number]>> {}

export class BridgeSession extends Mirror<BridgedEvents<SessionEvents>, SessionSnapshot> {
  readonly #answered: Promise<void>
  #settle!: { resolve: () => void; reject: (error: BridgeError) => void }

  /** @internal */
  constructor(line: Line, snapshot: SessionSnapshot) {
    super(line, { of: 'session', id: snapshot.id }, sessionMethods)
    this.#answered = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // A call whose answer nobody awaits is no unhandled rejection.
    this.#answered.catch(() => {})
    this.become(snapshot)
  }

  /** Resolves when the call is answered; rejects with a {@link BridgeError} when it ends before, as `Session.answered` does. */
  get answered(): Promise<void> {
    return this.#answered
  }

  /** @internal */
  override become(snapshot: SessionSnapshot): void {
    super.become(snapshot)
    if (snapshot.state === 'active') this.#settle.resolve()
  }

  /** @internal Its end, as the phone told it or as it was missed. */
  finish(reason: EndReason): void {
    const { condition, text, sip } = reason
    // The phone has told so, unless the page was away.
    this.become(Object.freeze({ ...this.snapshot, state: 'ended', connectionState: 'disconnected', active: false, connected: false, interrupted: false }))
    const code = `ERR_CALL_${condition.replaceAll('-', '_').toUpperCase()}` as const
    this.#settle.reject(new BridgeError({ message: `The call was not answered: ${text || condition}`, code, type: 'call', ...(sip && { sip }), cause: reason }))
  }

  /** @internal The port is closed: nobody knows what becomes of it. */
  abandon(error: BridgeError): void {
    this.#settle.reject(error)
  }
}

/** A conference in a page: the properties, events and methods of a `Conference`; `members` are ids of sessions. */
export interface BridgeConference extends ConferenceSnapshot, BridgedMethods<Pick<Conference, (typeof conferenceMethods)[number]>> {}

export class BridgeConference extends Mirror<BridgedEvents<ConferenceEvents>, ConferenceSnapshot> {
  /** @internal */
  constructor(line: Line, snapshot: ConferenceSnapshot) {
    super(line, { of: 'conference', id: snapshot.id }, conferenceMethods)
    this.become(snapshot)
  }
}

/** @internal Gives an object the phone's methods. */
export function lend(to: object, methods: readonly string[], line: Line, address: Addressee): void {
  for (const method of methods) {
    Object.assign(to, { [method]: (...args: unknown[]) => line.ask(address, method, args) })
  }
}
