import { randomBytes, randomUUID } from 'node:crypto'
import { SoftphoneError, TypedEmitter, type AudioInput, type CallOptions, type EndReason, type Logger, type PendingSession, type Session } from '../../index'
import type { Softphone, StreamInput, SubscriptionRequest } from '../../index'
import { BandwidthRtcError } from './errors'
import { checkInput } from './streams'
import { Room, type Guest, type Publication, type Stream } from './room'
import { ALIAS_HEADER, CALL_HEADER, ENDPOINT_HEADER, readToken, TOKEN_HEADER, writeToken, type RoomAccount } from './token'

/** Options of {@link Rooms}. */
export interface RoomsOptions {
  /** The SIP address of the phone that hosts the rooms, which participants call: its `uri`. */
  address: string
  /** The account that a participant's token brings along; without it the participants' phones have accounts of their own. */
  account?: RoomAccount | ((participant: Participant) => RoomAccount | PromiseLike<RoomAccount>)
  /** What somebody hears who is alone in a room, such as ringing until the first peer comes; default nothing. */
  waiting?: AudioInput
  /** Milliseconds after which a session ends whatever goes on in it; default nine hours. */
  purgeAfter?: number
  /** Milliseconds for which a token lets its participant in; default as long as `purgeAfter`. */
  tokenLifetime?: number
  /** The most participants of one session; default 50. */
  maxParticipants?: number
  /** Where mistakes are told that no promise reports; default `console`. */
  logger?: Pick<Logger, 'warn'>
}

/** Somebody who may take part in a session. */
export interface Participant {
  /** Names the participant. */
  readonly id: string
  /** What the application calls the participant; others see it in the roster. */
  readonly tag?: string
  /** The session that the participant was added to. */
  readonly sessionId?: string
  /** Whether the participant is in the room now. */
  readonly connected: boolean
}

/** A room that participants are added to. */
export interface RoomSession {
  /** Names the session. */
  readonly id: string
  /** What the application calls the session. */
  readonly tag?: string
}

/** Options of {@link Rooms.createParticipant} and {@link Rooms.createSession}. */
export interface TagOptions {
  /** What the application calls it, 256 characters at most. */
  tag?: string
}

/** What {@link Rooms.createParticipant} gives. */
export interface CreatedParticipant {
  participant: Participant
  /** What the participant's `BandwidthRtc.connect()` takes. Who has it is the participant: keep it out of logs. */
  token: string
}

/** Why a session is over: the application ended it, or it had lasted too long. */
export type RoomEnd = 'ended' | 'purged'

/** The events of {@link Rooms} with their listeners' arguments. */
export interface RoomsEvents {
  /** A participant came into the room. */
  participantJoined: [sessionId: string, participant: Participant, session: Session]
  /** A participant left the room. */
  participantLeft: [sessionId: string, participant: Participant, reason: EndReason]
  /** A session is over: it was ended, or it was purged. */
  sessionEnded: [session: RoomSession, why: RoomEnd]
}

/** A call that is accepted and has not started: whose it is, and what it is for. */
type Arrival =
  | ({ kind: 'join' | 'publish'; guest: Guest } & Stream)
  | { kind: 'watch'; guest: Guest; room: Room; publication: Publication; video: StreamInput }

/** Calls of one participant beside the one that takes part: a full room is watched, and some screens are shown. */
const mostOthers = 64

const known = ['address', 'account', 'waiting', 'purgeAfter', 'tokenLifetime', 'maxParticipants', 'logger']
const hour = 3_600_000
const longestText = 256
const longestWait = 2 ** 31 - 1
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Rooms for several people, hosted by one phone: what a server asks of Bandwidth's WebRTC API.
 *
 * ```ts
 * const phone = new Softphone({ ...account, notifies: ['conference'], audio: 'none' })
 * const rooms = new Rooms(phone, { address: account.uri, account: guests })
 * await phone.initialize()
 * const { id } = await rooms.createSession()
 * const { participant, token } = await rooms.createParticipant({ tag: 'Ann' })
 * await rooms.addParticipantToSession(id, participant.id)
 * ```
 *
 * Calls and subscriptions without a participant's token are left to the application; if it listens for none, they are refused.
 */
export class Rooms extends TypedEmitter<RoomsEvents> {
  readonly #phone: Softphone
  readonly #options: RoomsOptions
  readonly #rooms = new Map<string, Room>()
  readonly #guests = new Map<string, Guest>()
  readonly #byKey = new Map<string, Guest>()
  readonly #arrivals = new Map<string, Arrival>()
  readonly #listeners = [
    ['pendingSession', (pending: PendingSession) => this.#called(pending)],
    ['sessionStarted', (session: Session) => this.#started(session)],
    ['cancelPendingSession', (id: string) => this.#gaveUp(id)],
    ['handledPendingSession', (id: string) => this.#gaveUp(id)],
    ['subscriptionRequest', (request: SubscriptionRequest) => this.#subscribed(request)],
  ] as const
  #closed = false

  constructor(phone: Softphone, options: RoomsOptions) {
    super()
    if (typeof options?.address !== 'string' || options.address === '') {
      throw new BandwidthRtcError("Option 'address' must be the SIP address of the phone that hosts the rooms")
    }
    const unknown = Object.keys(options).find((name) => !known.includes(name))
    if (unknown !== undefined) throw new BandwidthRtcError(`Option '${unknown}' must be one of ${known.join(', ')}, but is unknown`)
    if (options.waiting !== undefined) checkInput('waiting', options.waiting)
    for (const name of ['purgeAfter', 'tokenLifetime', 'maxParticipants'] as const) {
      const value = options[name]
      if (value !== undefined && !(Number.isSafeInteger(value) && value > 0 && value <= longestWait)) {
        throw new BandwidthRtcError(`Option '${name}' must be a whole number from 1 to ${longestWait}`)
      }
    }
    this.#phone = phone
    this.#options = { ...options }
    for (const [event, listener] of this.#listeners) phone.on(event, listener as never)
  }

  /** Makes a session: a room without anybody in it. */
  async createSession({ tag }: TagOptions = {}): Promise<RoomSession> {
    this.#open()
    const room = new Room(this.#phone, this.#options.address, randomUUID(), text('tag', tag), {
      joined: (guest, session) => this.emit('participantJoined', room.id, shown(guest), session),
      left: (guest, reason) => this.emit('participantLeft', room.id, shown(guest), reason),
      failed: (what, error) => this.#warn(what, error),
      waiting: this.#options.waiting ?? 'none',
    })
    this.#rooms.set(room.id, room)
    room.purge(this.#purgeAfter, () => void this.#end(room, 'purged'))
    return sessionOf(room)
  }

  /** The session of this id. */
  async getSession(sessionId: string): Promise<RoomSession> {
    return sessionOf(this.#room(sessionId))
  }

  /** Makes a participant, who takes part in nothing yet, and the token by which they are known. */
  async createParticipant({ tag }: TagOptions = {}): Promise<CreatedParticipant> {
    this.#open()
    const until = Date.now() + (this.#options.tokenLifetime ?? this.#purgeAfter)
    const guest: Guest = {
      id: randomUUID(),
      tag: text('tag', tag),
      key: randomBytes(32).toString('base64url'),
      until,
      room: undefined,
      session: undefined,
      arriving: false,
      others: new Map(),
    }
    const { account } = this.#options
    const sip = typeof account === 'function' ? await account(shown(guest)) : account
    const token = writeToken({
      v: 'sip1',
      sub: guest.id,
      room: this.#options.address,
      key: guest.key,
      exp: Math.floor(until / 1000),
      ...(sip === undefined ? {} : { sip }),
    })
    this.#forgetExpired()
    this.#guests.set(guest.id, guest)
    this.#byKey.set(guest.key, guest)
    return { participant: shown(guest), token }
  }

  /** Lets a participant into a session, where they hear and are heard by everybody else in it. */
  async addParticipantToSession(sessionId: string, participantId: string): Promise<void> {
    const room = this.#room(sessionId)
    const guest = this.#guest(participantId)
    if (guest.room === room) return
    if (guest.room) throw new BandwidthRtcError('The participant is in another session')
    const most = this.#options.maxParticipants ?? 50
    if (room.guests.size >= most) throw new BandwidthRtcError(`The session has ${most} participants already`)
    guest.room = room
    room.guests.add(guest)
  }

  /** Takes a participant out of a session: their call ends, and their token is void. */
  async removeParticipant(sessionId: string, participantId: string): Promise<void> {
    const room = this.#room(sessionId)
    const guest = this.#guest(participantId)
    if (guest.room !== room) throw new BandwidthRtcError('The participant is not in this session')
    this.#forget(guest)
    await room.remove(guest)
  }

  /** The participant of this id. */
  async getParticipant(participantId: string): Promise<Participant> {
    return shown(this.#guest(participantId))
  }

  /** Who may take part in a session, and who does. */
  async getParticipants(sessionId: string): Promise<Participant[]> {
    return [...this.#room(sessionId).guests].map(shown)
  }

  /** Ends a session: every call in it ends, and the participants' tokens are void. */
  async endSession(sessionId: string): Promise<void> {
    await this.#end(this.#room(sessionId), 'ended')
  }

  /**
   * Calls a telephone number, or a SIP address, for a participant of a session, who is in the room once it answers;
   * resolves then. The roster shows them as being called until then.
   */
  async dial(participantId: string, number: string, options: Omit<CallOptions, 'mediaStream' | 'audioElement'> = {}): Promise<Session> {
    const guest = this.#guest(participantId)
    if (!guest.room) throw new BandwidthRtcError('The participant is in no session')
    const session = await this.#phone.call(number, { ...options, mediaStream: 'none', audioElement: 'none' })
    try {
      await Promise.all([this.#join(guest, session), session.answered])
    } catch (error) {
      if (session.state !== 'ended') await session.end().catch((cause: unknown) => this.#warn('A call could not be ended', cause))
      throw error
    }
    return session
  }

  /** Brings a call of the host's phone into the room of the participant whose token this is: one that the application placed or took. */
  async admit(token: string, session: Session): Promise<void> {
    const guest = this.#byKey.get(readToken(token).key)
    if (!guest) throw new BandwidthRtcError('The token is of no participant')
    if (!this.#phone.sessions.includes(session)) throw new BandwidthRtcError("The session is none of the host's phone")
    const taken = [...this.#guests.values()].some((other) => other.session === session)
    if (taken) throw new BandwidthRtcError('The session is in a room already')
    await this.#join(guest, session)
  }

  /** Ends every session, and leaves the phone to the application. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [event, listener] of this.#listeners) this.#phone.off(event, listener as never)
    await Promise.all([...this.#rooms.values()].map((room) => this.#end(room, 'ended')))
  }

  #called(pending: PendingSession): void {
    const { id, headers } = pending
    const key = headerOf(headers, TOKEN_HEADER)
    if (key === undefined && this.#phone.listenerCount('pendingSession') > 1) return
    const guest = key === undefined ? undefined : this.#admissible(key)
    const call = headerOf(headers, CALL_HEADER)
    if (!guest) this.#refuse(id, 403)
    else if (call === undefined) this.#calledIn(pending, guest)
    else if (guest.others.size >= mostOthers) this.#refuse(id, 403)
    else if (call === 'publish' && pending.video) this.#accept(pending, { kind: 'publish', guest, ...streamOf(pending) })
    else if (call === 'watch' && pending.video) this.#watched(pending, guest)
    else this.#refuse(id, 488)
  }

  #calledIn(pending: PendingSession, guest: Guest): void {
    // Nobody hears a call that is interrupted: a page that was loaded again takes its place.
    if (guest.arriving || (guest.session && !guest.session.interrupted)) return this.#refuse(pending.id, 403)
    guest.arriving = true
    this.#accept(pending, { kind: 'join', guest, ...streamOf(pending) })
  }

  #accept({ id, video }: PendingSession, arrival: Arrival): void {
    this.#arrivals.set(id, arrival)
    if (arrival.kind !== 'join') arrival.guest.others.set(id, undefined)
    const shown = arrival.kind === 'watch' ? arrival.video : 'none'
    const accepted = this.#phone.answer(id, { mediaStream: 'none', audioElement: 'none', ...(video ? { video: shown } : {}) })
    accepted.catch((error: unknown) => this.#notAccepted(id, error))
  }

  #watched(pending: PendingSession, guest: Guest): void {
    const { room } = guest
    const publication = room?.shown(headerOf(pending.headers, ENDPOINT_HEADER)?.toLowerCase() ?? '')
    const [stream] = publication?.session.streams ?? []
    if (!room || !publication || !stream) return this.#refuse(pending.id, 404)
    const video = { session: publication.session.id, stream: stream.id }
    this.#accept(pending, { kind: 'watch', guest, room, publication, video })
  }

  // Its caller would wait for nothing; one that gave up waits no more.
  #notAccepted(id: string, error: unknown): void {
    if (!this.#arrivals.has(id)) return
    this.#gaveUp(id)
    this.#warn('A call could not be accepted', error)
    const isBusy = error instanceof SoftphoneError && error.code === 'ERR_TOO_MANY_SESSIONS'
    this.#refuse(id, isBusy ? 503 : 500)
  }

  #refuse(id: string, code: number): void {
    this.#phone.rejectPendingSession(id, { code }).catch((error: unknown) => this.#warn('A call could not be refused', error))
  }

  #started(session: Session): void {
    const arrival = this.#arrivals.get(session.id)
    if (!arrival) return
    const { guest } = arrival
    this.#arrivals.delete(session.id)
    if (arrival.kind === 'join') guest.arriving = false
    else this.#beside(guest, session)
    this.#take(arrival, session).catch((error: unknown) => {
      // One that gave up by itself needs no help.
      if (session.state === 'ended') return
      this.#warn('A participant could not be let in', error)
      session.end().catch((cause: unknown) => this.#warn('A call could not be ended', cause))
    })
  }

  #beside(guest: Guest, session: Session): void {
    guest.others.set(session.id, session)
    session.on('terminated', () => guest.others.delete(session.id))
  }

  async #take(arrival: Arrival, session: Session): Promise<void> {
    const { guest } = arrival
    if (arrival.kind === 'join') return this.#join(guest, session, arrival)
    if (!guest.room) throw new BandwidthRtcError('The participant is in no session')
    if (arrival.kind === 'watch') arrival.room.watch(arrival.publication, arrival.video, session)
    else guest.room.show(guest, session, arrival)
  }

  #gaveUp(id: string): void {
    for (const guest of this.#guests.values()) if (guest.others.get(id) === undefined) guest.others.delete(id)
    const arrival = this.#arrivals.get(id)
    this.#arrivals.delete(id)
    if (arrival?.kind === 'join') arrival.guest.arriving = false
  }

  #subscribed({ id, event, headers }: SubscriptionRequest): void {
    const key = headerOf(headers, TOKEN_HEADER)
    const othersHear = this.#phone.listenerCount('subscriptionRequest') > 1
    if (othersHear && (key === undefined || event !== 'conference')) return
    const guest = key === undefined || event !== 'conference' ? undefined : this.#admissible(key)
    const answered = guest?.room?.follow(guest, id) ?? this.#phone.rejectSubscription(id)
    answered.catch((error: unknown) => this.#warn('A subscription could not be answered', error))
  }

  async #join(guest: Guest, session: Session, { endpointId, alias }: Stream = { endpointId: session.id, alias: undefined }): Promise<void> {
    if (!guest.room) throw new BandwidthRtcError('The participant is in no session')
    if (guest.session && !guest.session.interrupted) throw new BandwidthRtcError('The participant is in the room already')
    await guest.room.join(guest, session, { endpointId, alias })
  }

  /** Whom a token lets in now. */
  #admissible(key: string): Guest | undefined {
    const guest = this.#byKey.get(key)
    return guest?.room && guest.until > Date.now() ? guest : undefined
  }

  async #end(room: Room, why: RoomEnd): Promise<void> {
    if (!this.#rooms.delete(room.id)) return
    for (const guest of room.guests) this.#forget(guest)
    await room.end().catch((error: unknown) => this.#warn('A session could not be ended cleanly', error))
    this.emit('sessionEnded', sessionOf(room), why)
  }

  #forget(guest: Guest): void {
    this.#guests.delete(guest.id)
    this.#byKey.delete(guest.key)
  }

  // Who was never added to a session is purged by nothing else.
  #forgetExpired(): void {
    for (const guest of this.#guests.values()) {
      if (!guest.room && guest.until <= Date.now()) this.#forget(guest)
    }
  }

  get #purgeAfter(): number {
    return this.#options.purgeAfter ?? 9 * hour
  }

  #open(): void {
    if (this.#closed) throw new BandwidthRtcError('The rooms are closed')
  }

  #room(id: string): Room {
    const room = this.#rooms.get(id)
    if (room) return room
    throw new BandwidthRtcError('There is no session of this id')
  }

  #guest(id: string): Guest {
    const guest = this.#guests.get(id)
    if (guest) return guest
    throw new BandwidthRtcError('There is no participant of this id')
  }

  #warn(what: string, error: unknown): void {
    const { logger = console } = this.#options
    logger.warn(`[offhook] ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function shown({ id, tag, room, session }: Guest): Participant {
  return {
    id,
    ...(tag === undefined ? {} : { tag }),
    ...(room === undefined ? {} : { sessionId: room.id }),
    connected: session?.active ?? false,
  }
}

function sessionOf({ id, tag }: Room): RoomSession {
  return { id, ...(tag === undefined ? {} : { tag }) }
}

/** What a participant's phone calls what it publishes. */
function streamOf({ id, headers }: PendingSession): Stream {
  const endpointId = headerOf(headers, ENDPOINT_HEADER)?.toLowerCase()
  const alias = headerOf(headers, ALIAS_HEADER)?.slice(0, longestText)
  return { endpointId: endpointId && uuid.test(endpointId) ? endpointId : id, alias }
}

function text(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value.length <= longestText)) return value
  throw new BandwidthRtcError(`Option '${name}' must be a string of ${longestText} characters at most`)
}

function headerOf(headers: Record<string, string[]>, name: string): string | undefined {
  return headers[name.toLowerCase()]?.[0]
}
