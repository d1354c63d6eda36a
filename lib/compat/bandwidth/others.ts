import type { Session, Subscription } from '../../index'
import { tell } from '../tell'
import type { RtcLog } from './log'
import { participantEntity, Roster } from './roster'
import type { MediaType, RtcStream } from './streams'

/** The streams of the others in a room, as its roster tells them. */
export class Others {
  readonly #log: RtcLog
  readonly #heard: () => Session | undefined
  readonly #roster = new Roster()
  readonly #streams = new Map<string, { stream: RtcStream; mediaTypes: MediaType[] }>()
  #own = ''
  #subscription: Subscription | undefined
  available: ((stream: RtcStream) => void) | undefined
  unavailable: ((endpointId: string) => void) | undefined

  /** `heard` gives the session in which all of them are heard. */
  constructor(log: RtcLog, heard: () => Session | undefined) {
    this.#log = log
    this.#heard = heard
  }

  get streams(): RtcStream[] {
    return [...this.#streams.values()].map(({ stream }) => stream)
  }

  find(endpointId: string): RtcStream | undefined {
    return this.#streams.get(endpointId)?.stream
  }

  /** Tells what a room's roster says from now on, but for one's own streams. */
  follow(subscription: Subscription, participantId: string): void {
    this.#own = participantEntity(participantId)
    this.#subscription = subscription
    subscription.on('notify', ({ document, contentType }) => {
      if (this.#subscription !== subscription) return
      if (document?.kind === 'conference') {
        if (this.#roster.apply(document)) this.#compare()
      } else if (contentType !== '') this.#log.warn(`The room tells who is in it as '${contentType}', which is not understood`)
    })
    subscription.on('terminated', ({ reason, code }) => {
      if (this.#subscription !== subscription) return
      this.#log.warn(`The room tells no more who is in it: ${reason ?? code ?? 'it gives no reason'}`)
      this.forget()
    })
  }

  /** Follows nothing any more: every stream is gone. */
  forget(): void {
    this.#subscription = undefined
    this.#roster.clear()
    for (const endpointId of [...this.#streams.keys()]) this.#gone(endpointId)
  }

  /** Tells what has changed. */
  #compare(): void {
    const subscription = this.#subscription
    const there = new Map<string, { stream: RtcStream; mediaTypes: MediaType[] }>()
    for (const { user, name, endpoint } of this.#roster.endpoints()) {
      const mediaTypes = mediaTypesOf(endpoint.media)
      if (user === this.#own || mediaTypes.length === 0 || !takesPart(endpoint.status)) continue
      const endpointId = withoutScheme(endpoint.entity)
      const known = this.#streams.get(endpointId)
      if (known) known.mediaTypes = mediaTypes
      there.set(endpointId, known ?? this.#remote(endpointId, withoutScheme(user), endpoint.displayText ?? name, mediaTypes))
    }
    for (const endpointId of [...this.#streams.keys()]) if (!there.has(endpointId)) this.#gone(endpointId)
    for (const [endpointId, entry] of there) {
      // Whoever was told may have disconnected.
      if (this.#subscription !== subscription) return
      if (this.#streams.has(endpointId)) continue
      this.#streams.set(endpointId, entry)
      tell(this.available, entry.stream)
    }
  }

  #remote(endpointId: string, participantId: string, alias: string | undefined, mediaTypes: MediaType[]): { stream: RtcStream; mediaTypes: MediaType[] } {
    const heard = this.#heard
    const entry = { mediaTypes, stream: {} as RtcStream }
    entry.stream = {
      endpointId,
      get mediaTypes() {
        return [...entry.mediaTypes]
      },
      get mediaStream() {
        return entry.mediaTypes.includes('AUDIO') ? heard() : undefined
      },
      participantId,
      ...(alias === undefined ? {} : { alias }),
    }
    return entry
  }

  #gone(endpointId: string): void {
    if (this.#streams.delete(endpointId)) tell(this.unavailable, endpointId)
  }
}

function mediaTypesOf(media: readonly { type?: string | undefined }[]): MediaType[] {
  const types = { audio: 'AUDIO', video: 'VIDEO' } as const
  return (['audio', 'video'] as const).filter((type) => media.some((stream) => stream.type === type)).map((type) => types[type])
}

function takesPart(status: string | undefined): boolean {
  return status === undefined || ['connected', 'on-hold', 'muted-via-focus'].includes(status)
}

function withoutScheme(entity: string): string {
  return entity.replace(/^urn:uuid:/, '')
}
