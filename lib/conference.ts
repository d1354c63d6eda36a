import type { Writable } from 'node:stream'
import { abortable } from './abortable'
import { InOrder, refuseMissing } from './devices'
import { audioInput, audioOutput, wireInput, wireOutput, wireProcessing } from './audio'
import { hideListeners, TypedEmitter } from './emitter'
import { SoftphoneError } from './errors'
import type { ConferenceEvents } from './events'
import { unknownEvent, type PhoneLink } from './link'
import type { Abortable, AudioInput, AudioOutput, AudioProcessing, ConferenceOptions, HoldOptions } from './options'
import { Recording, type RecordOptions } from './recording'
import { checkOptions, type Rule, type Schema } from './schema'
import { invalidArgument, Session } from './session'
import { warningEvent } from './warning'
import type { WireCommandOf, WireEventOf } from './wire'

const conferenceOptions: Schema = { input: audioInput, output: audioOutput }
const holdVia: Rule = { oneOf: ['invite', 'update'] }

/**
 * Calls of one phone whose parties hear each other, mixed on this machine: each hears everybody else and whoever sits here.
 *
 * It lives until `end()`, `dissolve()` or the phone's `destroy()`, however many members it has. Its properties are the state as of
 * the last event delivered.
 */
export class Conference extends TypedEmitter<ConferenceEvents> {
  /** Names it within its phone. */
  readonly id: string
  /** The sessions that take part, in the order in which they joined. */
  readonly members: readonly Session[] = []
  /** Whether all of it is on hold: every member hears music or silence, and nobody hears anybody. */
  readonly held: boolean = false
  /** Whether whoever sits here is not heard. */
  readonly muted: boolean = false
  /** The members who are not heard, by `mute()`. */
  readonly silenced: readonly Session[] = []
  /** Whether it is over. */
  readonly ended: boolean = false
  readonly #link: PhoneLink
  readonly #number: number
  readonly #choices = new InOrder()

  /** @internal */
  static async create(link: PhoneLink, find: FindConference, sessions: readonly Session[], options: ConferenceOptions): Promise<Conference> {
    if (!Array.isArray(sessions)) throw invalidArgument('sessions', sessions, 'an array of sessions')
    // A sparse array has members that are undefined.
    const ids = Array.from(sessions as readonly unknown[], (session, index) => checkSession(`sessions[${index}]`, session))
    checkOptions('options of conference', options, conferenceOptions)
    const { input, output } = options
    const command = {
      type: 'confer',
      sessions: ids,
      input: input === undefined ? undefined : wireInput('input', input),
      output: output === undefined ? undefined : wireOutput('output', output),
    } as const
    return link.command(command, undefined, (reply) => {
      const conference = find((reply as { conference: number }).conference)
      if (conference) return conference
      throw new SoftphoneError('The conference is over', { code: 'ERR_CONFERENCE_ENDED', type: 'session' })
    })
  }

  /** @internal */
  static start(link: PhoneLink, number: number): Conference {
    return new Conference(link, number)
  }

  private constructor(link: PhoneLink, number: number) {
    super()
    hideListeners(this)
    this.#link = link
    this.#number = number
    this.id = String(number)
    // Who measures is asked to only while somebody listens.
    this.whileHeard(
      'level',
      () => this.#levels(true),
      () => this.#levels(false),
    )
  }

  /**
   * Takes a session in; resolves when it takes part. A call that is not answered yet joins when it is. One on hold is taken off it.
   * If the conference is on hold, who joins is held as well.
   *
   * @throws `ERR_SESSION_STATE` if the session is in another conference, `ERR_SESSION_ENDED` if it ends first, `ERR_ABORTED`
   * if it is removed first, `ERR_HOLD_FAILED` if its other side does not agree to be taken off hold: then it is a member on hold.
   * Aborting keeps a call that is not answered yet from joining.
   */
  async add(session: Session, options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('add', options)
    await this.#ask({ type: 'add', session: checkSession('session', session) }, signal)
  }

  /** Lets a member go on alone, with its own input and output; on hold if the conference is. */
  async remove(session: Session): Promise<void> {
    await this.#ask({ type: 'remove', session: checkSession('session', session) })
  }

  /**
   * Puts the whole on hold: from now on every member hears music or silence, and nobody hears anybody, here neither. Resolves when
   * every member's phone has answered, within 10 s. A member that does not agree to be held hears the music all the same.
   */
  async hold(options: HoldOptions = {}): Promise<void> {
    const [{ music, via }, signal] = abortable('hold', options, { music: audioInput, via: holdVia })
    const heard = music === undefined ? undefined : wireInput('music', music)
    await this.#ask({ type: 'hold', held: true, music: heard, via }, signal)
  }

  /**
   * Takes all of it off hold, but not a member that was put on hold by itself. Resolves when every member's phone has agreed.
   * `resume()` of any member does the same.
   *
   * @throws `ERR_HOLD_FAILED` if one does not agree: that one stays on hold, the others take part again.
   */
  async resume(options: Pick<HoldOptions, 'via' | 'signal'> = {}): Promise<void> {
    const [{ via }, signal] = abortable('resume', options, { via: holdVia })
    await this.#ask({ type: 'hold', held: false, via }, signal)
  }

  /** Keeps a member from being heard, or whoever sits here if none is named. */
  async mute(member?: Session): Promise<void> {
    await this.#mute(member, true)
  }

  /** Lets a member be heard again, or whoever sits here if none is named. */
  async unmute(member?: Session): Promise<void> {
    await this.#mute(member, false)
  }

  /**
   * Changes what the members hear of whoever sits here.
   *
   * @throws `ERR_NO_DEVICE` if that device is not there; nothing is changed then.
   */
  async setInput(input: AudioInput): Promise<void> {
    const wanted = wireInput('input', input)
    await this.#choices.run(async () => {
      if (wanted.type === 'device') await refuseMissing({ input: wanted })
      await this.#ask({ type: 'setInput', input: wanted })
    })
  }

  /**
   * Changes where the members are heard.
   *
   * @throws `ERR_NO_DEVICE` if that device is not there; nothing is changed then.
   */
  async setOutput(output: AudioOutput): Promise<void> {
    const wanted = wireOutput('output', output)
    await this.#choices.run(async () => {
      if (wanted.type === 'device') await refuseMissing({ output: wanted })
      await this.#ask({ type: 'setOutput', output: wanted })
    })
  }

  /**
   * Changes what is done to the sound of this machine's microphone from now on; what is not named stays as it was, and is the phone's
   * if it never was named. What is no microphone is sent as it is.
   *
   * @throws `ERR_CONFERENCE_ENDED`.
   */
  async setAudioProcessing(processing: AudioProcessing): Promise<void> {
    await this.#ask({ type: 'setProcessing', processing: wireProcessing(processing) })
  }

  /**
   * Records the conference, as {@link Session.record} does a call: whoever sits here on the left, all members on the right. It ends with the
   * conference, or by `stop()`.
   *
   * @throws `ERR_RECORDING_FAILED` if it can't be opened, `ERR_CONFERENCE_ENDED`.
   */
  async record(file: string | Writable, options: RecordOptions = {}): Promise<Recording> {
    return Recording.begin(this.#link, { type: 'conference', id: this.#number }, file, options)
  }

  /** Hangs up on every member, and on calls that were still to join; resolves after their `sessionEnded`. Again, it does nothing. */
  async end(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('end', options)
    if (this.ended) return
    await this.#ask({ type: 'end' }, signal)
  }

  /** Breaks it up: every member goes on alone, on hold. Resolves when their phones have answered. Again, it does nothing. */
  async dissolve(options: Abortable = {}): Promise<void> {
    const [, signal] = abortable('dissolve', options)
    if (this.ended) return
    await this.#ask({ type: 'dissolve' }, signal)
  }

  /** @internal */
  learn(news: WireEventOf<'conference'>['news'], find: FindSession): void {
    switch (news.type) {
      // The phone tells it.
      case 'started':
        return
      case 'joined': {
        const session = find(news.session)
        if (session) this.#join(session)
        return
      }
      case 'left': {
        const session = this.#member(news.session)
        if (session) this.#leave(session)
        return
      }
      case 'held':
        assign(this, { held: news.held })
        return this.deliver(news.held ? 'hold' : 'resume')
      case 'muted': {
        const member = news.session === null ? undefined : this.#member(news.session)
        if (news.session === null) assign(this, { muted: news.muted })
        else assign(this, { silenced: [...without(this.silenced, member), ...(news.muted && member ? [member] : [])] })
        return this.deliver(news.muted ? 'mute' : 'unmute', member)
      }
      case 'warning':
        return this.deliver('warning', warningEvent(news))
      case 'warningCleared':
        return this.deliver('warningCleared', { code: news.warning })
      case 'ended':
        assign(this, { ended: true })
        return this.deliver('ended')
      default:
        return unknownEvent(news)
    }
  }

  /** @internal */
  measured({ local, members }: WireEventOf<'levels'>): void {
    this.deliver('level', { local: local ?? 0, members })
  }

  #join(session: Session): void {
    assign(this, { members: [...this.members, session] })
    session.joined(this)
    this.deliver('join', session)
  }

  #leave(session: Session): void {
    assign(this, { members: without(this.members, session), silenced: without(this.silenced, session) })
    session.joined(undefined)
    this.deliver('leave', session)
  }

  #member(id: string): Session | undefined {
    return this.members.find((member) => member.id === id)
  }

  async #mute(member: Session | undefined, muted: boolean): Promise<void> {
    const session = member === undefined ? undefined : checkSession('member', member)
    await this.#ask({ type: 'mute', session, muted })
  }

  #levels(wanted: boolean): void {
    if (!this.ended) this.#link.post({ type: 'conference', id: this.#number, request: { type: 'setLevels', wanted } })
  }

  async #ask(request: WireCommandOf<'conference'>['request'], signal?: AbortSignal): Promise<void> {
    await this.#link.command({ type: 'conference', id: this.#number, request }, signal)
  }
}

type FindConference = (number: number) => Conference | undefined
type FindSession = (id: string) => Session | undefined

function checkSession(name: string, session: unknown): string {
  if (session instanceof Session) return session.id
  throw invalidArgument(name, session, 'a session')
}

function without(members: readonly Session[], session: Session | undefined): Session[] {
  return members.filter((member) => member !== session)
}

// The one place that writes what is read-only to everybody else.
function assign(conference: Conference, properties: Partial<Conference>): void {
  Object.assign(conference, properties)
}
