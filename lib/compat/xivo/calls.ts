import type { Conference, EndReason, PendingSession, Session, Softphone } from '../../index'
import { Wanted } from '../wanted'
import { Incoming, MessageType, Outgoing, type XcEvent } from './messages'

/** What the calls need of their owner. */
export interface CallsOwner {
  readonly phone: Softphone
  publish(group: 'incoming' | 'outgoing', event: XcEvent): void
  warn(message: string): void
}

interface Call {
  readonly id: string
  readonly party: string
  readonly direction: 'incoming' | 'outgoing'
  /** The Call-ID before there is a session; that of a call that is placed comes with its INVITE. */
  readonly callId: string
  readonly held: Wanted
  readonly muted: Wanted
  session?: Session
}

const MOST_CALLS = 2

const autoAnswerHeader = 'xivo-autoanswer'

/** Up to two calls of one phone: taking one up puts the other on hold, unless a conference joins them. */
export class Calls {
  readonly #owner: CallsOwner
  readonly #calls: Call[] = []
  /** Of both calls, as long as there are both. */
  #conference: Conference | undefined
  readonly #held = new Wanted()
  readonly #muted = new Wanted()
  #joining = false

  constructor(owner: CallsOwner) {
    this.#owner = owner
    const { phone } = owner
    phone.on('pendingSession', (pending) => this.#ring(pending))
    for (const event of ['cancelPendingSession', 'handledPendingSession'] as const) {
      phone.on(event, (id, { reason }) => this.#end(id, reason))
    }
    phone.on('sessionStarted', (session) => this.#start(session))
    phone.on('sessionEnded', (session, reason) => this.#end(session.id, reason))
  }

  /** How many there are. */
  get count(): number {
    return this.#calls.length
  }

  has(sipCallId: string): boolean {
    return this.#calls.some((call) => sipCallIdOf(call) === sipCallId)
  }

  async dial(destination: string): Promise<void> {
    this.#owner.publish(MessageType.OUTGOING, { type: Outgoing.ESTABLISHING })
    try {
      // The call that is going on is not put on hold for one that can't be.
      if (typeof destination !== 'string' || destination === '') throw new TypeError('a number or an address is expected')
      if (this.count >= MOST_CALLS) throw new Error('there are two calls already')
      if (!(await this.#makeWay())) throw new Error('the other call can not be put on hold')
      await this.#owner.phone.call(destination)
    } catch (error) {
      const reason = (error as Error).message
      this.#owner.warn(`dial: ${reason}`)
      this.#owner.publish(MessageType.OUTGOING, { type: Outgoing.FAILED, data: { reason } })
    }
  }

  answer(sipCallId?: string): boolean {
    const ringing = this.#calls.filter(({ session, direction }) => !session && direction === 'incoming')
    const call = sipCallId ? ringing.find((one) => sipCallIdOf(one) === sipCallId) : ringing[0]
    if (!call) return this.#no(sipCallId ? `answer: call ${sipCallId} does not ring` : 'answer: no call rings')
    this.#doing('answer', this.#accept(call))
    return true
  }

  /** Joins the call on hold and the other one, or takes their conference off hold. */
  conference(): boolean {
    const conference = this.#conference
    if (conference?.held) this.#doing('conference', conference.resume())
    if (conference) return conference.held || this.#no('conference: it is going on already')
    const connected = this.#calls.filter(isActive)
    if (this.#joining || connected.length !== 2 || connected.filter(isHeld).length !== 1) {
      return this.#no('conference: one call on hold and one that is not are expected')
    }
    this.#doing('conference', this.#join(connected.flatMap(({ session }) => session ?? [])))
    return true
  }

  hold(sipCallId?: string): boolean {
    const conference = this.#conference
    if (this.#joining && !sipCallId) return this.#no('hold: the conference is being made')
    if (conference && !sipCallId) {
      const held = !this.#held.or(conference.held)
      this.#doing('hold', this.#held.ask(held, () => (held ? conference.hold() : conference.resume())))
      return true
    }
    const connected = this.#calls.filter(isActive)
    if (sipCallId) {
      const call = connected.find((one) => sipCallIdOf(one) === sipCallId)
      if (!call) return this.#no(`hold: call ${sipCallId} is not connected`)
      this.#doing('hold', this.#toggle(call))
      return true
    }
    const talking = connected.filter((call) => !isHeld(call))
    const [held, ...more] = connected.filter(isHeld)
    // With one call of each kind the held one is taken up, which puts the other on hold: one is always going on.
    const call = held ?? talking[0]
    if (!call || more.length > 0) return this.#no(call ? 'hold: name one of the calls on hold' : 'hold: there is no call')
    this.#doing('hold', this.#toggle(call))
    return true
  }

  /** Puts every call but this one and those that it is joined with on hold; resolves when they are. */
  async holdOthers(but?: Session): Promise<void> {
    const conference = this.#conference
    if (conference) return but?.conference === conference ? undefined : conference.hold()
    await Promise.all(this.#others(but).map(hold))
  }

  dtmf(key: string): boolean {
    if (typeof key !== 'string' || key.length !== 1) return this.#no('dtmf: exactly one character is expected')
    const talking = this.#calls.filter(({ session }) => session?.active && !session.held)
    if (talking.length === 0) return this.#no('dtmf: there is no connected call')
    for (const { session } of talking) if (session) this.#doing('dtmf', session.sendDtmf(key))
    return true
  }

  toggleMicrophone(sipCallId?: string): boolean {
    const conference = this.#conference
    if (conference && !sipCallId) {
      const muted = !this.#muted.or(conference.muted)
      this.#doing('toggleMicrophone', this.#muted.ask(muted, () => (muted ? conference.mute() : conference.unmute())))
      return true
    }
    const connected = this.#calls.filter(({ session }) => session)
    const call = sipCallId ? connected.find((one) => sipCallIdOf(one) === sipCallId) : connected[0]
    if (!call?.session) return this.#no(`toggleMicrophone: ${sipCallId ? `call ${sipCallId} is` : 'no call is'} not connected`)
    const { session, muted } = call
    const mute = !muted.or(session.muted)
    this.#doing('toggleMicrophone', muted.ask(mute, () => (mute ? session.mute() : session.unmute())))
    return true
  }

  /** Decides about auto-answer: other calls are on hold before the microphone opens for this one. */
  async isAutoAnswered({ headers }: PendingSession): Promise<boolean> {
    if (!headers['alert-info']?.includes(autoAnswerHeader)) return false
    return this.#makeWay()
  }

  #ring({ id, address, callId, autoAnswer }: PendingSession): void {
    const call = this.#added({ id, callId, party: address, direction: 'incoming' })
    this.#tell(call, Incoming.SETUP, { caller: address })
    this.#tell(call, Incoming.RINGING, { caller: address })
    if (autoAnswer) this.#tell(call, Incoming.AUTO_ANSWERED, { caller: address })
  }

  #added(call: Pick<Call, 'id' | 'callId' | 'party' | 'direction'>): Call {
    const added = { ...call, held: new Wanted(), muted: new Wanted() }
    this.#calls.push(added)
    return added
  }

  #start(session: Session): void {
    const call = this.#calls.find(({ id }) => id === session.id) ?? this.#placed(session)
    call.session = session
    const who = call.direction === 'incoming' ? { caller: call.party } : { callee: call.party }
    session.on('progress', () => this.#tell(call, Outgoing.RINGING, who))
    session.on('change:active', (_session, active) => active && this.#tell(call, Incoming.CONNECTED, who))
    session.on('change:held', (_session, held) => this.#tell(call, held ? Incoming.HOLD : Incoming.RESUME))
    session.once('change:connected', () => {
      this.#owner.publish(MessageType.INCOMING, { type: Incoming.REMOTE_MEDIA_ADDED, sipCallId: sipCallIdOf(call) })
    })
  }

  #placed(session: Session): Call {
    const { id, callId, address } = session
    return this.#added({ id, callId, party: address, direction: 'outgoing' })
  }

  #end(id: string, { text }: EndReason): void {
    const index = this.#calls.findIndex((call) => call.id === id)
    const [call] = index < 0 ? [] : this.#calls.splice(index, 1)
    if (call) this.#tell(call, Incoming.TERMINATED, { reason: text })
  }

  async #accept(call: Call): Promise<void> {
    // Its caller waits, and its user wants it: it is answered in any case.
    await this.#makeWay()
    this.#owner.phone.acceptPendingSession(call.id)
  }

  async #join(sessions: readonly Session[]): Promise<void> {
    this.#joining = true
    try {
      const conference = await this.#owner.phone.conference(sessions)
      this.#conference = conference
      conference.on('leave', () => this.#doing('conference', this.#part(conference)))
      if (conference.members.length < 2) await this.#part(conference)
    } finally {
      this.#joining = false
    }
  }

  // If one of them has ended, the other is an ordinary call again.
  async #part(conference: Conference): Promise<void> {
    if (this.#conference !== conference) return
    this.#conference = undefined
    await Promise.all(conference.members.map((session) => conference.remove(session)))
    await conference.end()
  }

  // One of two calls is always going on: if this one is put on hold, the one that waits is taken up.
  async #toggle(call: Call): Promise<void> {
    if (isHeld(call)) return this.#takeUp(call)
    const waiting = this.#calls.find((one) => one !== call && isActive(one) && isHeld(one))
    return waiting ? this.#takeUp(waiting) : hold(call)
  }

  async #takeUp(call: Call): Promise<void> {
    const { session, held } = call
    await held.ask(false, async () => {
      const isFree = await this.#makeWay(session)
      // It may be wanted on hold again by now.
      if (isFree && !isHeld(call)) await session?.resume()
    })
  }

  // Who is only to be held may refuse that, and who is to be taken up is not held for long.
  #others(but: Session | undefined): Call[] {
    return this.#calls.filter((call) => call.session !== but && isActive(call) && !(call.session?.held && isHeld(call)))
  }

  // Whether nobody else hears what is said now: who refuses to be held does. Who can't be held, for it ends just now, does not.
  async #makeWay(but?: Session): Promise<boolean> {
    const warn = (error: Error) => this.#owner.warn(`hold: ${error.message}`)
    if (this.#conference) await this.holdOthers(but).catch(warn)
    else await Promise.all(this.#others(but).map((call) => hold(call).catch(warn)))
    return this.#conference !== undefined || this.#others(but).length === 0
  }

  #tell(call: Pick<Call, 'direction' | 'callId' | 'session'>, type: string, data?: XcEvent['data']): void {
    this.#owner.publish(call.direction, { type, ...(data && { data }), sipCallId: sipCallIdOf(call) })
  }

  #doing(method: string, done: Promise<void>): void {
    done.catch((error: Error) => this.#owner.warn(`${method}: ${error.message}`))
  }

  #no(message: string): false {
    this.#owner.warn(message)
    return false
  }
}

function isActive({ session }: Call): boolean {
  return session?.active ?? false
}

// As it was asked for last: two toggles in a row leave the calls as they were.
function isHeld({ session, held }: Call): boolean {
  return held.or(session?.held ?? false)
}

async function hold({ session, held }: Call): Promise<void> {
  await held.ask(true, async () => session?.hold())
}

function sipCallIdOf({ session, callId }: Pick<Call, 'callId' | 'session'>): string {
  return session?.callId || callId
}
