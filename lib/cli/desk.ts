import { setTimeout as pause } from 'node:timers/promises'
import type { PendingSession, Session, Softphone, TransferRequestedEvent } from '../index'
import type { Cli } from './cli'
import { complainOf } from './errors'
import { exitCode, ofEnd } from './exit-code'
import { Keeping } from './keeping'
import { nameOf, watchSession } from './watching'
import { beginningOf } from './width'

/** The keys of a call, for the help. */
export const callKeys: readonly (readonly [key: string, does: string])[] = [
  ['0-9 * #', 'send a digit'],
  ['m', 'mute, or no longer'],
  ['h', 'hold, or resume'],
  ['t', 'transfer to somebody else'],
  ['r', 'record, or no longer'],
  ['q', 'hang up'],
  ['?', 'these keys'],
]

/** A hang-up that a server does not answer is waited for so long, in milliseconds. */
const PATIENCE_MS = 2000

/** Somebody who sits at a phone: one call at a time, shown here and led by keys. */
export class Desk {
  readonly #cli: Cli
  readonly #phone: Softphone
  readonly #keeping: Keeping
  #session: Session | undefined
  #ringing: PendingSession | undefined
  #transfer: TransferRequestedEvent | undefined
  #quit: (code: number) => void = () => {}
  /** What the last call ended with. */
  #code: number = exitCode.done
  /** Resolves when somebody leaves the desk. */
  readonly left: Promise<number>

  constructor(cli: Cli, phone: Softphone) {
    this.#cli = cli
    this.#phone = phone
    this.#keeping = new Keeping(cli)
    this.left = new Promise((resolve) => (this.#quit = resolve))
    phone.on('sessionStarted', (session) => this.#take(session))
    cli.keyboard?.listen((key) => this.#press(key))
  }

  /** Resolves when the last call is over and all that is kept of it is written, with what the process is to be ended with. */
  get over(): Promise<number> {
    return new Promise((resolve) => {
      this.#phone.on('sessionEnded', (ended) => {
        if (this.#phone.sessions.every((session) => session === ended)) void this.#keeping.finished().then(() => resolve(this.#code))
      })
    })
  }

  /** Hangs up, and waits until what is kept of the calls is written. */
  async hangUp(): Promise<void> {
    const ended = Promise.allSettled(this.#phone.sessions.map((session) => session.end()))
    await Promise.race([ended, pause(PATIENCE_MS, undefined, { ref: false })])
    await this.#keeping.finished()
  }

  /** Lets a call ring until it is answered or refused by a key. */
  ring(pending: PendingSession): void {
    this.#ringing = pending
    const keys = this.#cli.keyboard && !pending.autoAnswer ? ': a answers, d refuses' : ''
    const { id, address, uri, displayName, autoAnswer } = pending
    this.#cli.output.tell('ringing', { session: id, address, uri, displayName, autoAnswer }, `${shown(pending)} calls${keys}`)
  }

  /** The call that rang is over, or was answered. */
  stopRinging(id: string): void {
    if (this.#ringing?.id === id) this.#ringing = undefined
  }

  #take(session: Session): void {
    this.stopRinging(session.id)
    this.#session = session
    const marks = () => (this.#keeping.isRecording(session) ? ['recording'] : [])
    watchSession(session, this.#cli.output, () => this.#session === session, marks)
    this.#keeping.follow(session)
    session.on('transferRequested', (request) => this.#consider(session, request))
    session.on('terminated', (_, reason) => {
      this.#code = ofEnd(reason, session.startTime !== undefined)
      if (this.#session !== session) return
      // One that takes its place may be there already.
      this.#session = this.#phone.sessions.find((other) => other !== session)
      this.#transfer = undefined
    })
  }

  // Whoever is called is called at this account's expense: nobody decides that but who sits here.
  #consider(session: Session, request: TransferRequestedEvent): void {
    const { target, referredBy } = request
    const asks = `${nameOf(session)} wants you to talk to ${target} instead`
    this.#cli.output.tell('transferRequested', { session: session.id, target, referredBy }, `${asks}${this.#cli.keyboard ? ': y calls there, n refuses' : ', which is refused: there is no keyboard'}`)
    if (this.#cli.keyboard) this.#transfer = request
    else this.#do(session.rejectTransfer())
  }

  #press(key: string): void {
    if (key === '?') return this.#help()
    if (this.#ringing) return this.#whileRinging(this.#ringing, key)
    if (this.#session) return this.#whileCalling(this.#session, key)
    if (key === 'q') this.#quit(exitCode.done)
  }

  #whileRinging({ id }: PendingSession, key: string): void {
    if (key === 'a' || key === 'return') this.#do(this.#phone.answer(id))
    if (key === 'd' || key === 'q') this.#do(this.#phone.rejectPendingSession(id))
  }

  #whileCalling(session: Session, key: string): void {
    if (this.#transfer && (key === 'y' || key === 'n')) return this.#decide(session, key === 'y')
    if (key === 'q') return this.#do(session.end())
    if (/^[0-9*#]$/.test(key)) return this.#do(this.#send(session, key))
    if (key === 'm') return this.#do(session.muted ? session.unmute() : session.mute())
    if (key === 'h') return this.#do(session.held ? session.resume() : session.hold())
    if (key === 't') return this.#do(this.#transferOn(session))
    if (key === 'r') return this.#do(this.#keeping.toggle(session))
  }

  #decide(session: Session, taken: boolean): void {
    this.#transfer = undefined
    this.#do(taken ? session.acceptTransfer() : session.rejectTransfer())
  }

  // Which digit it was stays with the one who typed it: it may be of a PIN.
  async #send(session: Session, digit: string): Promise<void> {
    await session.sendDtmf(digit)
    this.#cli.output.tell('digitSent', { session: session.id }, 'digit sent')
  }

  async #transferOn(session: Session): Promise<void> {
    const target = await this.#cli.keyboard?.ask('Transfer to (Escape: nobody)')
    if (target === undefined) return
    this.#cli.output.tell('transfer', { session: session.id, target }, `transferring to ${target}`)
    await session.transfer(target)
  }

  #help(): void {
    const keys = this.#ringing ? [['a', 'answer'], ['d', 'refuse']] : this.#session ? callKeys : [['q', 'quit']]
    this.#cli.output.say(keys.map(([key, does]) => `${key}: ${does}`).join(' · '))
  }

  #do(action: Promise<unknown>): void {
    action.catch((error: unknown) => complainOf(this.#cli.output, error))
  }
}

/** A caller by name and address. */
function shown(pending: PendingSession): string {
  return `${nameOf(pending)} (${beginningOf(pending.uri, 80)})`
}
