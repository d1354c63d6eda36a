import type { Conference, EndReason, PendingSession, Session, Softphone } from '../../index'
import { Incoming, MessageType, Outgoing, type XcEvent } from './messages'

/** What the calls need of who has them. */
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
  session?: Session
}

const autoAnswerHeader = 'xivo-autoanswer'

/** Up to two calls of one phone: taking one up puts the other on hold, unless a conference joins them. */
export class Calls {
  readonly #owner: CallsOwner
  readonly #calls: Call[] = []
  /** Of both calls, as long as there are both. */
  #conference: Conference | undefined
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
      await this.holdOthers()
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
    const connected = this.#connected()
    const held = connected.filter((session) => session.held)
    if (this.#joining || connected.length !== 2 || held.length !== 1) {
      return this.#no('conference: one call on hold and one that is not are expected')
    }
    this.#doing('conference', this.#join(connected))
    return true
  }

  hold(sipCallId?: string): boolean {
    const conference = this.#conference
    if (conference && !sipCallId) {
      this.#doing('hold', conference.held ? conference.resume() : conference.hold())
      return true
    }
    const connected = this.#calls.filter(({ session }) => session?.active)
    if (sipCallId) {
      const call = connected.find((one) => sipCallIdOf(one) === sipCallId)
      if (!call) return this.#no(`hold: call ${sipCallId} is not connected`)
      this.#doing('hold', this.#toggle(call))
      return true
    }
    const talking = connected.filter(({ session }) => !session?.held)
    const [held, ...more] = connected.filter(({ session }) => session?.held)
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
    const others = this.#connected().filter((session) => session !== but && !session.held)
    await Promise.all(others.map((session) => session.hold()))
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
      this.#doing('toggleMicrophone', conference.muted ? conference.unmute() : conference.mute())
      return true
    }
    const connected = this.#calls.filter(({ session }) => session)
    const call = sipCallId ? connected.find((one) => sipCallIdOf(one) === sipCallId) : connected[0]
    if (!call?.session) return this.#no(`toggleMicrophone: ${sipCallId ? `call ${sipCallId} is` : 'no call is'} not connected`)
    const { session } = call
    this.#doing('toggleMicrophone', session.muted ? session.unmute() : session.mute())
    return true
  }

  /** Decides about auto-answer: other calls are on hold before the microphone opens for this one. */
  async isAutoAnswered({ headers, address, callId }: PendingSession): Promise<boolean> {
    if (!headers['alert-info']?.includes(autoAnswerHeader)) return false
    await this.holdOthers()
    this.#tell({ direction: 'incoming', callId }, Incoming.AUTO_ANSWERED, { caller: address })
    return true
  }

  #ring({ id, address, callId }: PendingSession): void {
    const call: Call = { id, callId, party: address, direction: 'incoming' }
    this.#calls.push(call)
    this.#tell(call, Incoming.SETUP, { caller: address })
    this.#tell(call, Incoming.RINGING, { caller: address })
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
    const call: Call = { id, callId, party: address, direction: 'outgoing' }
    this.#calls.push(call)
    return call
  }

  #end(id: string, { text }: EndReason): void {
    const index = this.#calls.findIndex((call) => call.id === id)
    const [call] = index < 0 ? [] : this.#calls.splice(index, 1)
    if (call) this.#tell(call, Incoming.TERMINATED, { reason: text })
  }

  async #accept(call: Call): Promise<void> {
    await this.holdOthers()
    this.#owner.phone.acceptPendingSession(call.id)
  }

  #connected(): Session[] {
    return this.#calls.flatMap(({ session }) => (session?.active ? [session] : []))
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

  // Where one of them has ended, the other is an ordinary call again.
  async #part(conference: Conference): Promise<void> {
    if (this.#conference !== conference) return
    this.#conference = undefined
    await Promise.all(conference.members.map((session) => conference.remove(session)))
    await conference.end()
  }

  async #toggle({ session }: Call): Promise<void> {
    if (!session?.held) return session?.hold()
    await this.holdOthers(session)
    await session.resume()
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

function sipCallIdOf({ session, callId }: Pick<Call, 'callId' | 'session'>): string {
  return session?.callId || callId
}
