import type { ConferenceEvents, SessionEvents, SoftphoneEvents } from '../events'
import { Conference, EndReason, Session, SoftphoneError, type Softphone, type SoftphoneErrorJson } from '../index'
import { REFERENCE, sessionProperties, type Addressee, type Changed, type Changes, type PhoneProperties, type wantedEvents } from './messages'
import { plain, type Reference } from './plain'

/** @internal What the pages of a phone are told. */
export interface Audience {
  /** The phone is destroyed. */
  end(): void
  told(news: { changes?: Changes; event?: { of: Addressee; name: string; args: unknown[] } }): void
}

/** Each event of theirs but those that are told only while a page listens: what is new is put into one of the two lists. */
type Told<Events, Of extends Addressee['of'], Kept = never> = Record<Exclude<keyof Events, (typeof wantedEvents)[Of][number] | Kept>, true>
const names = (events: object): readonly string[] => Object.keys(events)

// Who subscribes is judged beside the phone.
const phoneEvents = names({
  pendingSession: true,
  cancelPendingSession: true,
  handledPendingSession: true,
  sessionStarted: true,
  sessionEnded: true,
  conferenceStarted: true,
  ready: true,
  connected: true,
  disconnected: true,
  registered: true,
  unregistered: true,
  registrationFailed: true,
  message: true,
  messageWaiting: true,
  tokenWillExpire: true,
} satisfies Told<SoftphoneEvents, 'phone', 'subscriptionRequest'>)
const sessionEvents = names({
  terminated: true,
  'change:sessionState': true,
  'change:connectionState': true,
  'change:pending': true,
  'change:active': true,
  'change:ended': true,
  'change:connecting': true,
  'change:connected': true,
  'change:interrupted': true,
  'change:disconnected': true,
  'change:held': true,
  'change:remoteHeld': true,
  'change:security': true,
  endOfCandidates: true,
  progress: true,
  redirected: true,
  answered: true,
  mute: true,
  unmute: true,
  muteVideo: true,
  unmuteVideo: true,
  streamAvailable: true,
  streamUnavailable: true,
  resolution: true,
  hold: true,
  resume: true,
  dtmf: true,
  info: true,
  transferProgress: true,
  transferRequested: true,
  transferRequestEnded: true,
  warning: true,
  warningCleared: true,
} satisfies Told<SessionEvents, 'session'>)
const conferenceEvents = names({
  join: true,
  leave: true,
  hold: true,
  resume: true,
  mute: true,
  unmute: true,
  warning: true,
  warningCleared: true,
  ended: true,
} satisfies Told<ConferenceEvents, 'conference'>)

type Listener = (...args: any[]) => void
interface Emitter {
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

const hubs = new WeakMap<Softphone, Hub>()

/**
 * One phone's ear for all of its pages: it listens once, and tells what changed and what happened.
 *
 * @internal
 */
export class Hub {
  readonly phone: Softphone
  /** All, whether they have joined or not. */
  readonly #served = new Set<Audience>()
  #isOver = false
  readonly #audiences = new Set<Audience>()
  readonly #sessions = new Map<Session, View>()
  readonly #conferences = new Map<Conference, View>()
  readonly #wanted = new Map<string, Wanted>()
  #phoneState: Partial<PhoneProperties> = {}
  #detach: (() => void) | undefined

  static of(phone: Softphone): Hub {
    const hub = hubs.get(phone) ?? new Hub(phone)
    hubs.set(phone, hub)
    return hub
  }

  private constructor(phone: Softphone) {
    this.phone = phone
    void phone.over.then(() => {
      this.#isOver = true
      for (const one of [...this.#served]) one.end()
    })
  }

  /** Has an audience told of the phone's end, whether it has joined or not. */
  serve(audience: Audience): void {
    if (this.#isOver) return audience.end()
    this.#served.add(audience)
  }

  /** It is gone. */
  dismiss(audience: Audience): void {
    this.#served.delete(audience)
    this.leave(audience)
  }

  /** Tells an audience from now on; gives all that there is. */
  join(audience: Audience): Changes {
    this.#detach ??= this.#attach()
    this.#update()
    this.#audiences.add(audience)
    return this.everything()
  }

  leave(audience: Audience): void {
    this.#audiences.delete(audience)
    for (const [key, wanted] of this.#wanted) this.#unwant(key, wanted, audience)
    if (this.#audiences.size > 0) return
    this.#detach?.()
    this.#detach = undefined
    for (const { detach } of [...this.#sessions.values(), ...this.#conferences.values()]) detach()
    this.#sessions.clear()
    this.#conferences.clear()
    this.#phoneState = {}
  }

  /** All that there is, as changes of nothing. */
  everything(): Changes {
    return {
      ...this.#phoneState,
      sessions: [...this.#sessions.values()].map(({ last }) => last),
      conferences: [...this.#conferences.values()].map(({ last }) => last),
    }
  }

  /** Has an audience told of an event that nobody is told by default, or no more. */
  want(audience: Audience, of: Addressee, name: string, isWanted: boolean): void {
    const key = `${of.of} ${of.id ?? ''} ${name}`
    const wanted = this.#wanted.get(key)
    if (!isWanted) return wanted && this.#unwant(key, wanted, audience)
    if (wanted) return void wanted.audiences.add(audience)
    const emitter = this.find(of) as Emitter | undefined
    if (!emitter) return
    const audiences = new Set([audience])
    const listener: Listener = (...args) => {
      const event = { of, name, args: args.map((arg) => plain(arg, refer)) }
      for (const one of audiences) one.told({ event })
    }
    emitter.on(name, listener)
    this.#wanted.set(key, { audiences, stop: () => emitter.off(name, listener) })
  }

  find({ of, id }: Addressee): Softphone | Session | Conference | undefined {
    if (of === 'phone') return this.phone
    if (of === 'session') return this.phone.sessions.find((session) => session.id === id)
    return this.phone.conferences.find((conference) => conference.id === id)
  }

  /** Tells everybody what has changed since the last event. */
  #update(): void {
    const changes = this.#changes()
    if (changes) for (const audience of this.#audiences) audience.told({ changes })
  }

  #unwant(key: string, { audiences, stop }: Wanted, audience: Audience): void {
    if (!audiences.delete(audience) || audiences.size > 0) return
    stop()
    this.#wanted.delete(key)
  }

  #attach(): () => void {
    return this.#listen(this.phone as unknown as Emitter, { of: 'phone' }, phoneEvents)
  }

  #listen(emitter: Emitter, of: Addressee, events: readonly string[]): () => void {
    const listeners = events.map((name): [string, Listener] => [name, (...args) => this.#tell(of, name, args)])
    for (const [name, listener] of listeners) emitter.on(name, listener)
    return () => {
      for (const [name, listener] of listeners) emitter.off(name, listener)
    }
  }

  #tell(of: Addressee, name: string, args: unknown[]): void {
    const changes = this.#changes()
    const event = { of, name, args: args.map((arg) => plain(arg, refer)) }
    for (const audience of this.#audiences) audience.told({ ...(changes && { changes }), event })
  }

  #changes(): Changes | undefined {
    const changes = { ...this.#changesOfPhone(), ...this.#changesOfSessions(), ...this.#changesOfConferences() }
    return Object.keys(changes).length === 0 ? undefined : changes
  }

  #changesOfPhone(): Changes {
    const { connected, registered, pendingSessions, messageWaiting } = this.phone
    const before = this.#phoneState
    this.#phoneState = { connected, registered, pendingSessions, messageWaiting }
    return difference(before, this.#phoneState)
  }

  #changesOfSessions(): Changes {
    const there = this.phone.sessions
    const sessions = there.flatMap((session) => this.#changed(session) ?? [])
    const endedSessions = this.#drop('session', this.#sessions, there)
    return { ...(sessions.length > 0 && { sessions }), ...(endedSessions.length > 0 && { endedSessions }) }
  }

  #changesOfConferences(): Changes {
    const there = this.phone.conferences
    const conferences = there.flatMap((conference) => this.#changedConference(conference) ?? [])
    const endedConferences = this.#drop('conference', this.#conferences, there)
    return { ...(conferences.length > 0 && { conferences }), ...(endedConferences.length > 0 && { endedConferences }) }
  }

  /** Listens no more to those that are not there any more; gives their ids. */
  #drop<T extends { id: string }>(of: 'session' | 'conference', views: Map<T, View>, there: readonly T[]): string[] {
    const ended = [...views].filter(([one]) => !there.includes(one))
    for (const [one, { detach }] of ended) {
      detach()
      views.delete(one)
      this.#forget({ of, id: one.id })
    }
    return ended.map(([{ id }]) => id)
  }

  #changed(session: Session): Changed | undefined {
    const { id } = session
    const view = this.#sessions.get(session) ?? {
      last: { id },
      detach: this.#listen(session as unknown as Emitter, { of: 'session', id }, sessionEvents),
    }
    this.#sessions.set(session, view)
    return look(view, snapshot(session))
  }

  #changedConference(conference: Conference): Changed | undefined {
    const { id } = conference
    const view = this.#conferences.get(conference) ?? {
      last: { id },
      detach: this.#listen(conference as unknown as Emitter, { of: 'conference', id }, conferenceEvents),
    }
    this.#conferences.set(conference, view)
    return look(view, snapshotOf(conference))
  }

  #forget({ of, id }: Addressee): void {
    for (const [key, { stop }] of this.#wanted) {
      if (!key.startsWith(`${of} ${id} `)) continue
      stop()
      this.#wanted.delete(key)
    }
  }
}

interface Wanted {
  readonly audiences: Set<Audience>
  readonly stop: () => unknown
}

interface View {
  /** What was told last. */
  last: Changed
  detach: () => void
}

function snapshot(session: Session): Changed {
  const properties = Object.fromEntries(sessionProperties.map((name) => [name, session[name]]))
  // JSON has no undefined: what may end is null then.
  return { ...properties, id: session.id, conference: session.conference?.id ?? null, transferRequest: session.transferRequest ?? null }
}

function snapshotOf({ id, held, muted, members, silenced }: Conference): Changed {
  return { id, held, muted, members: members.map((member) => member.id), silenced: silenced.map((member) => member.id) }
}

/** What is new since the last look; undefined if nothing is. */
function look(view: View, now: Changed): Changed | undefined {
  const changes = difference(view.last, now)
  view.last = now
  return Object.keys(changes).length === 0 ? undefined : { ...changes, id: now.id }
}

/** The new values. */
function difference<T extends object>(before: Partial<T>, now: T): Partial<T> {
  const changed = Object.entries(now).filter(([name, value]) => !isSame(before[name as keyof T], value))
  return Object.fromEntries(changed) as Partial<T>
}

function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((item, index) => item === other[index])
}

/**
 * An error for a page. Its stack and what the application's own functions threw stay here: they may hold what no page should see.
 *
 * @internal
 */
export function told(error: SoftphoneError): SoftphoneErrorJson {
  const { name, message, code, type, sip } = error.toJSON()
  const { cause } = error
  const known = cause instanceof SoftphoneError ? told(cause) : cause instanceof EndReason ? { ...cause } : undefined
  return { name, message, code, type, ...(sip && { sip }), ...(known && { cause: known }) }
}

/** @internal What of the phone's objects crosses as something else than its properties. */
export function refer(value: object): Reference | undefined {
  if (value instanceof Session) return { [REFERENCE]: 'session', id: value.id }
  if (value instanceof Conference) return { [REFERENCE]: 'conference', id: value.id }
  if (value instanceof SoftphoneError) return { [REFERENCE]: 'error', error: told(value) }
  if (value instanceof EndReason) return { [REFERENCE]: 'reason', reason: { ...value } }
  if (value instanceof Map) return { [REFERENCE]: 'map', entries: [...value] }
  return undefined
}
