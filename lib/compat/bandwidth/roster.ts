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
  media: { audio: boolean; video: boolean }
}

/** Writes who is in a room: each participant once, with an endpoint for each thing that they publish. */
export function rosterDocument(entity: string, name: string | undefined, version: number, entries: readonly RosterEntry[]): string {
  const users = new Map<string, RosterEntry[]>()
  for (const entry of entries) users.set(entry.participantId, [...(users.get(entry.participantId) ?? []), entry])
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="${escaped(entity)}" state="full" version="${version}">` +
    (name === undefined ? '' : `<conference-description>${element('display-text', name)}</conference-description>`) +
    `<conference-state>${element('user-count', String(users.size))}</conference-state>` +
    `<users>${[...users].map(([id, endpoints]) => user(id, endpoints)).join('')}</users></conference-info>`
  )
}

/** A participant's address in a roster: nobody can call it. */
export function participantEntity(id: string): string {
  return `urn:uuid:${id}`
}

const named = (name: string | undefined) => (name === undefined ? '' : element('display-text', name))

function user(participantId: string, endpoints: readonly RosterEntry[]): string {
  return (
    `<user entity="${escaped(participantEntity(participantId))}">${named(endpoints[0]?.tag)}<roles><entry>participant</entry></roles>` +
    `${endpoints.map(endpoint).join('')}</user>`
  )
}

function endpoint({ endpointId, alias, status, joined, media: { audio, video } }: RosterEntry): string {
  const sends = status === 'connected' || status === 'muted-via-focus'
  return (
    `<endpoint entity="${escaped(`urn:uuid:${endpointId}`)}">${named(alias)}${element('status', status)}` +
    `${element('joining-method', joined)}` +
    (audio ? media(1, 'audio', sends ? 'sendrecv' : 'inactive') : '') +
    // The room is sent it, and shows it to others in calls of their own.
    (video ? media(2, 'video', sends ? 'recvonly' : 'inactive') : '') +
    '</endpoint>'
  )
}

function media(id: number, type: string, status: string): string {
  return `<media id="${id}">${element('type', type)}${element('status', status)}</media>`
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
