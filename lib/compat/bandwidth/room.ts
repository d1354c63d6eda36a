import type { AudioInput, Conference, EndReason, Notifier, Session, Softphone } from '../../index'
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

/** A participant's phone subscribes once; one that has lost its connection may do so again before the old one is found out. */
const mostSubscriptions = 4

/** One room: a conference, who may be in it, and who is told of it. */
export class Room {
  readonly id: string
  readonly tag: string | undefined
  readonly guests = new Set<Guest>()
  readonly #phone: Softphone
  readonly #address: string
  readonly #owner: RoomOwner
  readonly #streams = new Map<Guest, Stream & { ringing: boolean }>()
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
    const old = guest.session
    guest.session = session
    this.#streams.set(guest, { ...stream, ringing: false })
    const ofThis = (act: () => void) => () => guest.session === session && act()
    session.on('progress', ofThis(() => this.#ringing(guest)))
    session.on('change:active', ofThis(() => this.#answered(guest, session)))
    session.on('change:remoteHeld', ofThis(() => this.#tell()))
    session.on('terminated', (_, reason) => guest.session === session && this.#leave(guest, reason))
    old?.end().catch((error: unknown) => this.#owner.failed('A call that was interrupted could not be ended', error))
    this.#answered(guest, session)
    const conference = await this.#mix()
    await conference.add(session)
  }

  /** Takes a participant out: their call ends, and they are told nothing more. */
  async remove(guest: Guest): Promise<void> {
    this.guests.delete(guest)
    guest.room = undefined
    const followed = [...this.#followers].filter(([, follower]) => follower === guest)
    await Promise.all([guest.session?.end(), ...followed.map(([notifier]) => notifier.terminate('rejected'))])
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
    const dialled = [...this.guests].map(({ session }) => session?.end())
    await Promise.allSettled([conference?.end(), ...dialled])
    for (const guest of this.guests) guest.room = undefined
    this.guests.clear()
    await Promise.all([...this.#followers.keys()].map((notifier) => notifier.terminate('noresource')))
  }

  async #accept(guest: Guest, request: number): Promise<Notifier> {
    this.#accepting.push(guest)
    try {
      return await this.#phone.acceptSubscription(request, { body: this.#document(), contentType: ROSTER_TYPE })
    } finally {
      this.#accepting.splice(this.#accepting.indexOf(guest), 1)
    }
  }

  #ringing(guest: Guest): void {
    const stream = this.#streams.get(guest)
    if (stream) stream.ringing = true
    this.#tell()
  }

  #answered(guest: Guest, session: Session): void {
    this.#tell()
    if (session.active) this.#owner.joined(guest, session)
    this.#entertain()
  }

  // Nobody sits at the host: what its seat says is free for music.
  #entertain(): void {
    const { waiting } = this.#owner
    const there = [...this.#streams.keys()].filter(({ session }) => session?.active).length
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

  #leave(guest: Guest, reason: EndReason): void {
    guest.session = undefined
    if (!this.#streams.delete(guest)) return
    this.#tell()
    this.#entertain()
    this.#owner.left(guest, reason)
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
    for (const [guest, { endpointId, alias, ringing }] of this.#streams) {
      const { session } = guest
      if (!session || session.state === 'ended') continue
      const joined = session.direction === 'incoming' ? 'dialed-in' : 'dialed-out'
      yield { participantId: guest.id, tag: guest.tag, endpointId, alias, joined, status: statusOf(session, ringing) }
    }
  }
}

function statusOf(session: Session, ringing: boolean): RosterEntry['status'] {
  if (session.active) return session.remoteHeld ? 'on-hold' : 'connected'
  if (session.direction === 'incoming') return 'dialing-in'
  return ringing ? 'alerting' : 'dialing-out'
}
