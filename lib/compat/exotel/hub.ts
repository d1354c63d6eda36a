import type { Socket } from 'node:net'
import type { FromMember, ToMember } from './channel'
import { onMessage, say } from './private-socket'

/** Milliseconds that members of a hub that ended have to come back before its successor counts the parents. */
const GATHERING_MS = 500
/** Milliseconds that a member has to take over before the next is asked. */
const TAKE_OVER_MS = 2000

interface Member {
  readonly socket: Socket
  /** Whether it has said who it is: nobody else is told anything. */
  known: boolean
  parent: boolean
  since: number
}

/** Passes on what members say, and finds a follower for a parent that has gone. */
export class Hub {
  readonly #members = new Set<Member>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** `hadParent`: the hub before this one knew a parent, which comes back if it was another process. */
  constructor(hadParent: boolean) {
    if (hadParent) this.#timer = setTimeout(() => this.#findParent(), GATHERING_MS)
  }

  add(socket: Socket): void {
    const member: Member = { socket, known: false, parent: false, since: Date.now() }
    this.#members.add(member)
    socket.on('error', () => {})
    socket.on('close', () => this.#remove(member))
    onMessage<FromMember>(socket, (message) => this.#hear(member, message))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { socket } of this.#members) socket.destroy()
  }

  #hear(member: Member, message: FromMember): void {
    if (message.type === 'event') return this.#tell(message, member)
    if (message.type !== 'parent') return
    member.known = true
    member.parent = message.is
    member.since = message.since
    if (message.is) clearTimeout(this.#timer)
    const count = this.#parents()
    if (message.again) say(member.socket, { type: 'welcome', parents: count })
    if (message.is || !message.again) this.#tell({ type: 'parents', count })
  }

  #remove(member: Member): void {
    this.#members.delete(member)
    if (member.parent && !this.#closed) this.#findParent()
  }

  #parents(): number {
    return [...this.#members].filter(({ parent }) => parent).length
  }

  #findParent(asked: ReadonlySet<Member> = new Set()): void {
    clearTimeout(this.#timer)
    if (this.#parents() > 0) return
    const oldest = [...this.#members].filter(({ known }) => known).sort((one, other) => one.since - other.since)
    const next = oldest.find((member) => !asked.has(member))
    if (!next) return this.#tell({ type: 'parents', count: 0 })
    say(next.socket, { type: 'takeOver' } satisfies ToMember)
    this.#timer = setTimeout(() => this.#findParent(new Set([...asked, next])), TAKE_OVER_MS)
  }

  #tell(message: ToMember, from?: Member): void {
    for (const member of this.#members) if (member.known && member !== from) say(member.socket, message)
  }
}
