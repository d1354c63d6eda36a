import type { ConferenceEndpoint, ConferenceInfo, ConferenceUser } from '../../index'

/** The media type of a roster (RFC 4575). */
export const ROSTER_TYPE = 'application/conference-info+xml'

/** One participant, as the roster shows it. */
export interface RosterEntry {
  participantId: string
  tag: string | undefined
  endpointId: string
  alias: string | undefined
  status: 'connected' | 'on-hold' | 'muted-via-focus' | 'dialing-in' | 'dialing-out' | 'alerting'
  joined: 'dialed-in' | 'dialed-out'
}

/** Writes who is in a room. */
export function rosterDocument(entity: string, name: string | undefined, version: number, entries: readonly RosterEntry[]): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="${escaped(entity)}" state="full" version="${version}">` +
    (name === undefined ? '' : `<conference-description>${element('display-text', name)}</conference-description>`) +
    `<conference-state>${element('user-count', String(entries.length))}</conference-state>` +
    `<users>${entries.map(user).join('')}</users></conference-info>`
  )
}

/** A participant's address in a roster: nobody can call it. */
export function participantEntity(id: string): string {
  return `urn:uuid:${id}`
}

function user({ participantId, tag, endpointId, alias, status, joined }: RosterEntry): string {
  const named = (name: string | undefined) => (name === undefined ? '' : element('display-text', name))
  const sends = status === 'connected' || status === 'muted-via-focus'
  return (
    `<user entity="${escaped(participantEntity(participantId))}">${named(tag)}<roles><entry>participant</entry></roles>` +
    `<endpoint entity="${escaped(`urn:uuid:${endpointId}`)}">${named(alias)}${element('status', status)}` +
    `${element('joining-method', joined)}` +
    `<media id="1"><type>audio</type>${element('status', sends ? 'sendrecv' : 'inactive')}</media></endpoint></user>`
  )
}

function element(name: string, text: string): string {
  return `<${name}>${escaped(text)}</${name}>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

// Control characters have no place in XML 1.0, not even escaped.
function escaped(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '').replace(/[&<>"']/g, (c) => entities[c] ?? c)
}

/** Who is in a room, kept up to date by a focus's documents: whole ones, and such as tell only what has changed (RFC 4575 §4.6). */
export class Roster {
  readonly #users = new Map<string, Map<string, ConferenceEndpoint>>()
  readonly #names = new Map<string, string | undefined>()
  #version: number | undefined

  /** Takes a document; false if it is older than what is known. */
  apply(info: ConferenceInfo): boolean {
    const version = info.version ?? undefined
    const old = version !== undefined && this.#version !== undefined && version <= this.#version
    // A subscription that is made anew begins with all of it, and counts from the beginning.
    if (info.state === 'partial' && old) return false
    this.#version = version
    if (info.state !== 'partial') this.clear()
    if (info.state !== 'deleted') for (const user of info.users) this.#take(user)
    return true
  }

  /** Forgets everybody. */
  clear(): void {
    this.#users.clear()
    this.#names.clear()
  }

  /** Everybody's endpoints. */
  *endpoints(): Generator<{ user: string; name: string | undefined; endpoint: ConferenceEndpoint }> {
    for (const [user, endpoints] of this.#users) {
      for (const endpoint of endpoints.values()) yield { user, name: this.#names.get(user), endpoint }
    }
  }

  #take({ entity, state, displayText, endpoints }: ConferenceUser): void {
    if (state === 'deleted') {
      this.#users.delete(entity)
      this.#names.delete(entity)
      return
    }
    const known = state === 'partial' ? this.#users.get(entity) : undefined
    const kept = known ?? new Map<string, ConferenceEndpoint>()
    for (const endpoint of endpoints) {
      if (endpoint.state === 'deleted') kept.delete(endpoint.entity)
      else kept.set(endpoint.entity, merged(endpoint.state === 'partial' ? kept.get(endpoint.entity) : undefined, endpoint))
    }
    this.#users.set(entity, kept)
    this.#names.set(entity, displayText ?? (known && this.#names.get(entity)))
  }
}

function merged(old: ConferenceEndpoint | undefined, changed: ConferenceEndpoint): ConferenceEndpoint {
  if (!old) return changed
  const media = new Map([...old.media, ...changed.media].map((stream) => [stream.id, stream]))
  return { ...old, ...changed, media: [...media.values()] }
}
