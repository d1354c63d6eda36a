import type { Server, Socket } from 'node:net'
import { TypedEmitter } from '../../index'
import { Hub } from './hub'
import { onMessage, open, privatePath, say } from './private-socket'

/** What members of a channel say. */
export type FromMember =
  | { type: 'parent'; is: boolean; since: number; again: boolean }
  | { type: 'event'; event: unknown }

/** What members of a channel are told. */
export type ToMember =
  | { type: 'welcome'; parents: number }
  | { type: 'event'; event: unknown }
  | { type: 'takeOver' }
  | { type: 'parents'; count: number }

interface ChannelEvents {
  /** Another member has said something. */
  event: [event: unknown]
  /** The parent has gone and this member may follow it. */
  takeOver: []
  /** The channel could not be joined. */
  failed: [error: Error]
}

/** Milliseconds until joining is tried again while another process is about to listen. */
const RETRY_MS = 20

/**
 * What the processes of one user that share a name tell each other.
 *
 * One of them listens and passes on; when it ends, another takes its place. A member that declares itself the parent is
 * followed, when it goes, by the member that has been there longest and wants to.
 */
export class Channel extends TypedEmitter<ChannelEvents> {
  /** What its members share. */
  readonly name: string
  /** Resolves once the channel is joined, or can't be. */
  readonly joined: Promise<void>
  readonly #since = Date.now()
  #socket: Socket | undefined
  #server: Server | undefined
  #hub: Hub | undefined
  #parent = false
  #parents = 0
  #closed = false

  constructor(name: string) {
    super()
    this.name = name
    // Whoever makes it listens to `failed` first.
    this.joined = Promise.resolve().then(() => this.#join())
  }

  /** Tells all other members. */
  send(event: unknown): void {
    this.#say({ type: 'event', event })
  }

  /** Declares that this member takes the calls, or no more. */
  setParent(parent: boolean): void {
    if (parent === this.#parent) return
    this.#parent = parent
    this.#declare(false)
  }

  /** Leaves; a parent is followed by another. */
  close(): void {
    this.#closed = true
    this.#socket?.destroy()
    this.#hub?.close()
    this.#server?.close()
  }

  async #join(): Promise<void> {
    while (!this.#closed) {
      try {
        const door = await open(privatePath(this.name), (socket) => this.#hub?.add(socket))
        if (door && 'socket' in door) return await this.#joined(door.socket)
        if (door) this.#listen(door.server)
        else await new Promise((retry) => setTimeout(retry, RETRY_MS))
      } catch (error) {
        this.emit('failed', error as Error)
        return
      }
    }
  }

  // Who listens is a member like the others, over a connection to itself.
  #listen(server: Server): void {
    if (this.#closed) return void server.close()
    this.#server = server
    this.#hub = new Hub(this.#parents > 0)
  }

  #joined(socket: Socket): Promise<void> {
    this.#socket = socket
    if (this.#closed) socket.destroy()
    socket.on('error', () => {})
    const welcomed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        resolve()
        this.#socket = undefined
        if (!this.#closed) void this.#join()
      })
      onMessage<ToMember>(socket, (message) => {
        if (message.type === 'welcome') resolve()
        this.#hear(message)
      })
    })
    this.#declare(true)
    return welcomed
  }

  #declare(again: boolean): void {
    this.#say({ type: 'parent', is: this.#parent, since: this.#since, again })
  }

  #say(message: FromMember): void {
    if (this.#socket) say(this.#socket, message)
  }

  #hear(message: ToMember): void {
    if (this.#closed) return
    // Who has just come keeps the parent that it knew in mind until all are back.
    if (message.type === 'welcome') this.#parents = message.parents || this.#parents
    else if (message.type === 'parents') this.#parents = message.count
    else if (message.type === 'event') this.emit('event', message.event)
    else this.emit('takeOver')
  }
}
