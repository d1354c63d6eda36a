import type { AudioInput, Conference, EndOptions, EndReason, Notifier, Session, Softphone, StreamInput } from '../../index'
import { BandwidthRtcError } from './errors'
import { ROSTER_TYPE, rosterDocument, type RosterEntry } from './roster'

/** A participant, as the server knows them. */
export interface Guest {
  readonly id: string
  readonly tag: string | undefined
  readonly key: string
  /** Milliseconds since 1970 until which the key opens. */
  readonly until: number
  room: Room | undefined
  session: Session | undefined
  /** Their call is accepted and has not started. */
  arriving: boolean
  /** Their calls beside that one: what they publish or watch besides; undefined for one that has not started. */
  readonly others: Map<string, Session | undefined>
}

/** What a participant's phone says of what it sends. */
export interface Stream {
  endpointId: string
  alias: string | undefined
}

/** Whom a room tells. */
export interface RoomOwner {
  joined(guest: Guest, session: Session): void
  left(guest: Guest, reason: EndReason): void
  failed(what: string, error: unknown): void
  /** What somebody hears who is alone. */
  readonly waiting: AudioInput
}

/** What somebody publishes by one call: the one with which they hear the room, or one beside it, such as a screen. */
export interface Publication extends Stream {
  readonly guest: Guest
  readonly session: Session
  readonly main: boolean
  ringing: boolean
  /** The calls in which its pictures are shown. */
  readonly watching: Set<Session>
}

/** A participant's phone subscribes once; one that has lost its connection may do so again before the old one is found out. */
const mostSubscriptions = 4

/** One room: a conference, who may be in it, what they publish, and who is told of it. */
export class Room {
  readonly id: string
  readonly tag: string | undefined
  readonly guests = new Set<Guest>()
  readonly #phone: Softphone
  readonly #address: string
  readonly #owner: RoomOwner
  readonly #publications = new Set<Publication>()
  readonly #followers = new Map<Notifier, Guest>()
  /** Whose subscriptions are being accepted. */
  readonly #accepting: Guest[] = []
  #conference: Promise<Conference> | undefined
  #purging: NodeJS.Timeout | undefined
  #version = 1
  #lonely = false
  #ended = false

  constructor(phone: Softphone, address: string, id: string, tag: string | undefined, owner: RoomOwner) {
    this.#phone = phone
    this.#address = address
    this.id = id
    this.tag = tag
    this.#owner = owner
  }

  /** Does that after so many milliseconds, unless the room has ended. */
  purge(after: number, act: () => void): void {
    this.#purging = setTimeout(act, after)
    this.#purging.unref()
  }

  /** Takes a call into the conference; resolves when it takes part. */
  async join(guest: Guest, session: Session, stream: Stream): Promise<void> {
    if (session.state === 'ended') throw new BandwidthRtcError('The call is over')
    if (this.#ended) throw new BandwidthRtcError('The session is over')
    const old = [...this.#publications].find((publication) => publication.guest === guest && publication.main)
    if (old) this.#withdraw(old)
    guest.session = session
    this.#publish(guest, session, stream, true)
    old?.session.end().catch((error: unknown) => this.#owner.failed('A call that was interrupted could not be ended', error))
    const conference = await this.#mix()
    await conference.add(session)
  }

  /** Takes a call that only shows something, beside the one that takes part. */
  show(guest: Guest, session: Session, stream: Stream): void {
    if (this.#ended || session.state === 'ended') throw new BandwidthRtcError('The session is over')
    this.#publish(guest, session, stream, false)
  }

  /** What is published under this id with pictures; undefined if there is none. */
  shown(endpointId: string): Publication | undefined {
    return [...this.#publications].find((publication) => publication.endpointId === endpointId && publication.session.streams.length > 0)
  }

  /** Shows its pictures in a call that was accepted with them, until either ends. */
  watch(publication: Publication, { stream }: StreamInput, session: Session): void {
    const { watching } = publication
    if (session.state === 'ended' || !publication.session.streams.some(({ id }) => id === stream)) throw new BandwidthRtcError('The stream is over')
    watching.add(session)
    session.on('terminated', () => watching.delete(session))
    session.on('warning', ({ code, message }) => {
      if (code !== 'no-device' || !watching.delete(session)) return
      this.#owner.failed('A stream could not be shown', new BandwidthRtcError(message))
      this.#endWatching(session, { reason: 'incompatible-parameters', text: 'The pictures come in another codec' })
    })
  }

  /** Takes a participant out: their calls end, and they are told nothing more. */
  async remove(guest: Guest): Promise<void> {
    this.guests.delete(guest)
    guest.room = undefined
    const followed = [...this.#followers].filter(([, follower]) => follower === guest)
    const calls = [guest.session, ...guest.others.values()]
    await Promise.all([...calls.map((session) => session?.end()), ...followed.map(([notifier]) => notifier.terminate('rejected'))])
  }

  /** Lets a participant know who is in the room, from now on. */
  async follow(guest: Guest, request: number): Promise<void> {
    const known = [...this.#followers.values(), ...this.#accepting].filter((follower) => follower === guest).length
    if (known >= mostSubscriptions) return this.#phone.rejectSubscription(request)
    const told = this.#version
    const notifier = await this.#accept(guest, request)
    if (notifier.ended) return
    this.#followers.set(notifier, guest)
    notifier.on('terminated', () => this.#followers.delete(notifier))
    if (this.#ended || guest.room !== this) await notifier.terminate('rejected')
    else if (this.#version !== told) this.#notify(notifier)
  }

  /** Hangs up on everybody. */
  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#purging)
    const conference = await this.#conference?.catch(() => undefined)
    const calls = [...this.guests].flatMap(({ session, others }) => [session, ...others.values()])
    await Promise.allSettled([conference?.end(), ...calls.map((session) => session?.end())])
    for (const guest of this.guests) guest.room = undefined
    this.guests.clear()
    await Promise.all([...this.#followers.keys()].map((notifier) => notifier.terminate('noresource')))
  }

  #publish(guest: Guest, session: Session, stream: Stream, main: boolean): void {
    // The id is the participant's choice, but never somebody else's.
    const taken = [...this.#publications].some(({ endpointId }) => endpointId === stream.endpointId)
    const endpointId = taken ? session.id : stream.endpointId
    const publication: Publication = { ...stream, endpointId, guest, session, main, ringing: false, watching: new Set() }
    this.#publications.add(publication)
    const ofThis = (act: () => void) => () => this.#publications.has(publication) && act()
    session.on('progress', ofThis(() => this.#ringing(publication)))
    session.on('change:active', ofThis(() => this.#answered(publication)))
    session.on('change:remoteHeld', ofThis(() => this.#tell()))
    session.on('streamAvailable', ofThis(() => this.#tell()))
    session.on('streamUnavailable', ofThis(() => this.#dark(publication)))
    session.on('terminated', (_, reason) => this.#leave(publication, reason))
    this.#answered(publication)
  }

  async #accept(guest: Guest, request: number): Promise<Notifier> {
    this.#accepting.push(guest)
    try {
      return await this.#phone.acceptSubscription(request, { body: this.#document(), contentType: ROSTER_TYPE })
    } finally {
      this.#accepting.splice(this.#accepting.indexOf(guest), 1)
    }
  }

  #ringing(publication: Publication): void {
    publication.ringing = true
    this.#tell()
  }

  #answered({ main, guest, session }: Publication): void {
    this.#tell()
    if (!main) return
    if (session.active) this.#owner.joined(guest, session)
    this.#entertain()
  }

  // Nobody sits at the host: what its seat says is free for music.
  #entertain(): void {
    const { waiting } = this.#owner
    const there = [...this.#publications].filter(({ main, session }) => main && session.active).length
    const lonely = there === 1
    if (lonely === this.#lonely || waiting === 'none') return
    this.#lonely = lonely
    this.#play().catch((error: unknown) => {
      if (!this.#ended) this.#owner.failed('What is heard by somebody alone could not be played', error)
    })
  }

  async #play(): Promise<void> {
    const conference = await this.#mix()
    if (!conference.ended) await conference.setInput(this.#lonely ? this.#owner.waiting : 'none')
  }

  #mix(): Promise<Conference> {
    if (this.#conference) return this.#conference
    const conference = this.#phone.conference([], { input: 'none', output: 'none' })
    conference.catch(() => (this.#conference = undefined))
    this.#conference = conference
    return conference
  }

  #leave(publication: Publication, reason: EndReason): void {
    if (!this.#withdraw(publication)) return
    const { guest, main } = publication
    if (main) guest.session = undefined
    this.#tell()
    if (!main) return
    this.#entertain()
    this.#owner.left(guest, reason)
  }

  #withdraw(publication: Publication): boolean {
    this.#close(publication)
    return this.#publications.delete(publication)
  }

  #dark(publication: Publication): void {
    this.#close(publication)
    this.#tell()
  }

  /** Ends the calls of those who watch it. */
  #close({ watching }: Publication): void {
    for (const session of watching) {
      watching.delete(session)
      this.#endWatching(session)
    }
  }

  #endWatching(session: Session, why?: EndOptions): void {
    session.end(why).catch((error: unknown) => this.#owner.failed('A call that watched could not be ended', error))
  }

  #tell(): void {
    this.#version += 1
    for (const notifier of this.#followers.keys()) this.#notify(notifier)
  }

  #notify(notifier: Notifier): void {
    notifier.notify(this.#document(), { contentType: ROSTER_TYPE }).catch((error: unknown) => {
      // One that has just ended says so itself.
      if (!notifier.ended) this.#owner.failed('A participant could not be told who is in the room', error)
    })
  }

  #document(): string {
    return rosterDocument(this.#address, this.tag, this.#version, [...this.#entries()])
  }

  *#entries(): Generator<RosterEntry> {
    for (const { guest, session, endpointId, alias, ringing, main } of this.#publications) {
      if (session.state === 'ended') continue
      const joined = session.direction === 'incoming' ? 'dialed-in' : 'dialed-out'
      const media = { audio: main, video: session.streams.length > 0 }
      yield { participantId: guest.id, tag: guest.tag, endpointId, alias, joined, status: statusOf(session, ringing), media }
    }
  }
}

function statusOf(session: Session, ringing: boolean): RosterEntry['status'] {
  if (session.active) return session.remoteHeld ? 'on-hold' : 'connected'
  if (session.direction === 'incoming') return 'dialing-in'
  return ringing ? 'alerting' : 'dialing-out'
}
