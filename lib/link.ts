import { aborted, SoftphoneError } from './errors'
import type { Native, NativePhone } from './native'
import type { StatsObject } from './stats'
import type { WireCommand, WireError, WireEvent } from './wire'

interface Waiting {
  /** The reply to `destroy` comes after `closed`. */
  outlivesClosing: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The phone's line to its native half: commands with tickets out, one ordered stream of events in. */
export class Link {
  readonly #phone: NativePhone
  readonly #onEvent: (event: WireEvent) => void
  readonly #waiting = new Map<number, Waiting>()
  #nextTicket = 1
  #closed = false

  constructor(native: Native, options: string, onEvent: (event: WireEvent) => void) {
    this.#onEvent = onEvent
    this.#phone = construct(native, options, (event) => this.#receive(JSON.parse(event) as WireEvent))
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends a command; settles when its reply comes, which is after the events it caused.
   * Aborting tells the phone, and rejects with `ERR_ABORTED` once the phone has given up.
   */
  command(command: WireCommand, signal?: AbortSignal): Promise<void>
  /** As above; `read` is given the reply before any later event. */
  command<T>(command: WireCommand, signal: AbortSignal | undefined, read: (reply: unknown) => T): Promise<T>
  command(command: WireCommand, signal?: AbortSignal, read: (reply: unknown) => unknown = () => {}): Promise<unknown> {
    const send = (ticket: number) => this.#phone.command(ticket, JSON.stringify(command))
    return this.#ask(send, read, signal, command.type === 'destroy')
  }

  /** Sends a command whose outcome nobody waits for. */
  post(command: WireCommand): void {
    if (!this.#closed) this.command(command).catch(() => {})
  }

  /** Asks for a session's statistics. */
  stats(sessionId: string): Promise<StatsObject[]> {
    return this.#ask(
      (ticket) => this.#phone.stats(ticket, sessionId),
      (reply) => reply as StatsObject[],
    )
  }

  ref(): void {
    this.#phone.ref()
  }

  unref(): void {
    this.#phone.unref()
  }

  #ask<T>(
    send: (ticket: number) => void,
    read: (reply: unknown) => T,
    signal?: AbortSignal,
    outlivesClosing = false,
  ): Promise<T> {
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (this.#closed) return Promise.reject(destroyed())
    const ticket = this.#nextTicket++
    const abort = () => this.post({ type: 'abort', ticket })
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
      refusable(() => send(ticket))
      signal?.addEventListener('abort', abort, { once: true })
    })
      .catch((error: unknown) => {
        this.#waiting.delete(ticket)
        throw signal?.aborted && isAbort(error) ? aborted(signal) : error
      })
      .finally(() => signal?.removeEventListener('abort', abort))
  }

  #receive(event: WireEvent): void {
    if (event.type === 'reply') return this.#settle(event.ticket, event.value, event.error)
    if (event.type === 'closed') this.#closed = true
    this.#onEvent(event)
    if (event.type === 'closed') this.#abandon()
  }

  #settle(ticket: number, value: unknown, error: WireError | undefined): void {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if (error) waiting?.reject(fromWire(error))
    else waiting?.resolve(value)
  }

  #abandon(): void {
    for (const [ticket, { outlivesClosing, reject }] of this.#waiting) {
      if (outlivesClosing) continue
      this.#waiting.delete(ticket)
      reject(destroyed())
    }
  }
}

/** The error that a failed command or an `error` event carries. */
export function fromWire({ message, code, type, cause, sip }: WireError): SoftphoneError {
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

function construct(native: Native, options: string, onEvent: (event: string) => void): NativePhone {
  return judged(() => new native.NativePhone(options, onEvent))
}

/** Starts what the addon may refuse, in words for the user. */
export function judged<T>(start: () => T): T {
  try {
    return start()
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    if (code !== 'InvalidArg') throw new SoftphoneError(message, { code: 'ERR_START', type: 'generic', cause: error })
    throw new SoftphoneError(message, { code: 'ERR_INVALID_OPTION', type: 'invalid_options' })
  }
}

/** Sends what the addon refuses if it is no command, or one too many. */
export function refusable(send: () => void): void {
  try {
    send()
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    throw code === 'InvalidArg'
      ? new SoftphoneError(message, { code: 'ERR_INVALID_ARGUMENT', type: 'invalid_options' })
      : new SoftphoneError(message, { code: 'ERR_BUSY', type: 'generic' })
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof SoftphoneError && error.code === 'ERR_ABORTED'
}

function destroyed(): SoftphoneError {
  return new SoftphoneError('The phone was destroyed', { code: 'ERR_DESTROYED', type: 'generic' })
}
