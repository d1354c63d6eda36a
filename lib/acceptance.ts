import { audioInput, audioOutput, audioProcessing, voiceActivity, wireInput, wireOutput } from './audio'
import { headers } from './checked-options'
import { SoftphoneError } from './errors'
import type { PendingSession } from './events'
import type { AcceptOptions } from './options'
import { checkOptions, mismatch, type Schema } from './schema'
import { videoInput, wireShown } from './video'
import type { WireCommand } from './wire'
import { wireHeaders } from './wire-options'

/** How a pending session is accepted. */
export const accepting: Schema = {
  mediaStream: audioInput,
  audioElement: audioOutput,
  audio: { object: audioProcessing },
  autoStartMedia: 'boolean',
  autoConnectSession: 'boolean',
  headers,
  voiceActivity,
  video: videoInput,
  screen: videoInput,
}

/** The application's acceptances of calls that ring. */
export class Acceptances {
  /** How many times the application has accepted each, without what failed. */
  readonly #counts = new WeakMap<PendingSession, number>()
  readonly #find: (id: string) => PendingSession | undefined
  readonly #post: (command: WireCommand) => void

  constructor(find: (id: string) => PendingSession | undefined, post: (command: WireCommand) => void) {
    this.#find = find
    this.#post = post
  }

  /** Accepts a call by the command that is made; one that is wrong refuses it, but not one that was accepted before. */
  async accept<T>(id: string, made: () => WireCommand, send: (command: WireCommand) => Promise<T>): Promise<T> {
    const pending = this.#find(id)
    if (pending) this.#count(pending, 1)
    try {
      return await send(made())
    } catch (error) {
      const others = pending && this.#count(pending, -1)
      // Nobody else answers it: its caller would wait for nothing. One that is accepted well beside this stays.
      if (others === 0) this.#refuseCaller(id, error)
      throw error
    }
  }

  #count(pending: PendingSession, change: 1 | -1): number {
    const count = (this.#counts.get(pending) ?? 0) + change
    this.#counts.set(pending, count)
    return count
  }

  #refuseCaller(id: string, error: unknown): void {
    if (!(error instanceof SoftphoneError)) return
    if (error.type === 'invalid_options') this.#post({ type: 'reject', id, code: 500 })
    else if (error.code === 'ERR_ABORTED') this.#post({ type: 'reject', id })
  }
}

/** The command that accepts a call; throws for options that are wrong. */
export function acceptance(id: string, name: string, options: AcceptOptions): WireCommand {
  checkId(id)
  checkOptions(name, options, accepting)
  const { mediaStream, audioElement, headers, video, screen, ...rest } = options
  return {
    type: 'accept',
    id: knownShape(id),
    options: {
      ...rest,
      input: mediaStream === undefined ? undefined : wireInput('mediaStream', mediaStream),
      output: audioElement === undefined ? undefined : wireOutput('audioElement', audioElement),
      headers: wireHeaders(headers),
      ...wireShown({ video, screen }),
    },
  }
}

/** The engine reads ids as UUIDs; any other text names no session, and the nil UUID names none either. */
export function knownShape(id: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id : '00000000-0000-0000-0000-000000000000'
}

/** Throws for what is no id. */
export function checkId(id: unknown): void {
  if (typeof id !== 'string' || id === '') throw mismatch('id', id, 'the id of a pending session')
}
