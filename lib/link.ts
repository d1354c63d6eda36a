import { aborted, SoftphoneError } from './errors'
import type { Native, NativePhone, NativeTask } from './native'
import type { StatsObject } from './stats'
import type { WireCommand, WireEvent, WireEventOf, WireHealth, WirePhoneError } from './wire'

interface Waiting {
  /** The reply comes after `closed`. */
  outlivesClosing: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** How something is asked for. */
export interface Asking<T> {
  /** Is given the reply before any later event. */
  read: (reply: unknown) => T
  /** Aborting rejects with `ERR_ABORTED`, once the task has given up. */
  signal?: AbortSignal | undefined
  /** Tells the task to give up. */
  abort?: (ticket: number) => void
  /** The reply comes after `closed`. */
  outlivesClosing?: boolean
}

/** The line to a task of the addon: commands with tickets out, one ordered stream of events in. */
export class Link<Command extends { type: string }, Event extends { type: string }> {
  readonly #task: NativeTask
  readonly #onEvent: (event: Event) => void
  readonly #gone: () => SoftphoneError
  readonly #waiting = new Map<number, Waiting>()
  #nextTicket = 1
  #closed = false

  /** `gone` makes what commands reject with once the task has ended. */
  constructor(start: (tell: (event: string) => void) => NativeTask, onEvent: (event: Event) => void, gone: () => SoftphoneError) {
    this.#onEvent = onEvent
    this.#gone = gone
    this.#task = judged(() => start((event) => this.#receive(JSON.parse(event) as Event)))
  }

  get closed(): boolean {
    return this.#closed
  }

  ref(): void {
    this.#task.ref()
  }

  unref(): void {
    this.#task.unref()
  }

  /** Sends a command; settles when its reply comes, which is after the events it caused. */
  protected send<T>(command: Command, asking: Asking<T>): Promise<T> {
    return this.ask((ticket) => this.#task.command(ticket, JSON.stringify(command, whole)), asking)
  }

  protected ask<T>(send: (ticket: number) => void, { read, signal, abort, outlivesClosing = false }: Asking<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (this.#closed) return Promise.reject(this.#gone())
    const ticket = this.#nextTicket++
    const giveUp = () => abort?.(ticket)
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(ticket, {
        outlivesClosing,
        reject,
        resolve(reply) {
          try {
            resolve(read(reply))
          } catch (error) {
            reject(error)
          }
        },
      })
      this.#refusable(() => send(ticket))
      signal?.addEventListener('abort', giveUp, { once: true })
    })
      .catch((error: unknown) => {
        this.#waiting.delete(ticket)
        throw signal?.aborted && isAbort(error) ? aborted(signal) : error
      })
      .finally(() => signal?.removeEventListener('abort', giveUp))
  }

  #refusable(send: () => void): void {
    try {
      send()
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      if (code === 'Closing') throw this.#gone()
      if (code === 'QueueFull') throw new SoftphoneError(message, { code: 'ERR_BUSY', type: 'generic' })
      throw new SoftphoneError(message, { code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options' })
    }
  }

  #receive(event: Event): void {
    if (isReply(event)) return this.#settle(event)
    if (event.type === 'closed') this.#closed = true
    this.#onEvent(event)
    if (event.type === 'closed') this.#abandon()
  }

  #settle({ ticket, value, error }: WireEventOf<'reply'>): void {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if (error) waiting?.reject(fromWire(error))
    else waiting?.resolve(value)
  }

  #abandon(): void {
    for (const [ticket, { outlivesClosing, reject }] of this.#waiting) {
      if (outlivesClosing) continue
      this.#waiting.delete(ticket)
      reject(this.#gone())
    }
  }
}

/** The line to a phone. */
export class PhoneLink extends Link<WireCommand, WireEvent> {
  readonly #phone: NativePhone

  constructor(native: Native, options: string, onEvent: (event: WireEvent) => void) {
    let started!: NativePhone
    super((tell) => (started = new native.NativePhone(options, tell)), onEvent, destroyed)
    this.#phone = started
  }

  /** Sends a command; settles when its reply comes. Aborting tells the phone, and rejects once the phone has given up. */
  command(command: WireCommand, signal?: AbortSignal): Promise<void>
  /** As above; `read` is given the reply before any later event. */
  command<T>(command: WireCommand, signal: AbortSignal | undefined, read: (reply: unknown) => T): Promise<T>
  command(command: WireCommand, signal?: AbortSignal, read: (reply: unknown) => unknown = () => {}): Promise<unknown> {
    const abort = (ticket: number) => this.post({ type: 'abort', ticket })
    return this.send(command, { read, signal, abort, outlivesClosing: command.type === 'destroy' })
  }

  /** Sends a command whose outcome nobody waits for. */
  post(command: WireCommand): void {
    if (!this.closed) this.command(command).catch(() => {})
  }

  /** Writes to a file what goes over the network, until it is stopped. */
  capture(path: string): Promise<void> {
    return this.ask((ticket) => this.#phone.capture(ticket, path), { read: () => {} })
  }

  /** Writes no more; settles when all is written. */
  stopCapture(): Promise<void> {
    return this.ask((ticket) => this.#phone.stopCapture(ticket), { read: () => {} })
  }

  /** Writes a session's report to a file; settles when that is done. */
  report(sessionId: string, path: string): Promise<void> {
    return this.ask((ticket) => this.#phone.report(ticket, sessionId, path), { read: () => {} })
  }

  /** How the phone stands after the last thing that happened to it. */
  health(): WireHealth {
    return JSON.parse(this.#phone.health()) as WireHealth
  }

  /** What the phone has to show, in Prometheus' text form. */
  metrics(): string {
    return this.#phone.metrics()
  }

  /** Asks for a session's statistics. */
  stats(sessionId: string): Promise<StatsObject[]> {
    return this.ask((ticket) => this.#phone.stats(ticket, sessionId), { read: (reply) => reply as StatsObject[] })
  }
}

// What names something was judged before; what people wrote may be cut within a character.
function whole(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value
}

function isReply(event: { type: string }): event is WireEventOf<'reply'> {
  return event.type === 'reply'
}

const unknown = new Set<string>()

/** Warns, once for each type, of an event that this version does not know: then the addon is of another. */
export function unknownEvent(event: never): void {
  const { type } = event as { type: string }
  if (unknown.has(type)) return
  unknown.add(type)
  process.emitWarning(`The native part of offhook tells of '${type}', which this version does not know: install both in one version`, 'OffhookWarning')
}

/** The error that a failed command or an `error` event carries. */
export function fromWire({ message, code, type, cause, sip }: WirePhoneError): SoftphoneError {
  return new SoftphoneError(message, {
    code,
    type,
    sip,
    cause: cause === undefined ? undefined : new Error(cause),
  })
}

/** Throws for options that no phone could start with. */
export function checkMeaning(native: Native, options: string): void {
  judged(() => native.checkOptions(options))
}

/** Starts what the addon may refuse, in words for the user. */
export function judged<T>(start: () => T): T {
  try {
    return start()
  } catch (error) {
    // The native part can't be loaded.
    if (error instanceof SoftphoneError) throw error
    const { message, code } = error as Error & { code?: string }
    if (code !== 'InvalidArg') throw new SoftphoneError(message, { code: 'ERR_START', type: 'generic', cause: error })
    throw new SoftphoneError(message, { code: 'ERR_INVALID_OPTION', type: 'invalid_options' })
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof SoftphoneError && error.code === 'ERR_ABORTED'
}

function destroyed(): SoftphoneError {
  return new SoftphoneError('The phone was destroyed', { code: 'ERR_DESTROYED', type: 'generic' })
}
