import { Softphone } from 'offhook'
import { serve } from 'offhook/bridge'

/** Calls that have ended and whose report can still be written. */
const MOST_ENDED = 15

/** An account's phone, and the pages that drive it. Knows nothing of Electron. */
export class Desk {
  /** @type {Softphone | undefined} */
  #phone
  /** @type {Map<string, import('offhook').Session>} */
  #ended = new Map()
  /** @type {import('offhook/bridge').ServedPage[]} */
  #pages = []
  /** The phone before, which says goodbye. @type {Promise<void> | undefined} */
  #leaving
  #tell

  /** @param {(news: { calls: number, rings: number }) => void} tell is told how many calls there are, and how many of others ring. */
  constructor(tell) {
    this.#tell = tell
  }

  /** @param {{ account: import('offhook').SoftphoneOptions }} given */
  async signIn({ account }) {
    await this.signOut()
    await this.#leaving
    // One call is heard at a time: answering the second holds the first, and resuming swaps them.
    const phone = new Softphone({ holdOthers: true, tones: true, logLevel: 'warn', ...account })
    this.#phone = phone
    this.#follow(phone)
    try {
      await phone.initialize()
    } catch (error) {
      await this.signOut()
      throw error
    }
    // The process before was killed in a call: nobody sits at the other end of it any more.
    for (const orphan of phone.orphans) orphan.end().catch((error) => console.warn(error.message))
  }

  async signOut() {
    const phone = this.#phone
    this.#phone = undefined
    this.#ended.clear()
    for (const page of this.#pages.splice(0)) page.close()
    this.#leaving = phone?.destroy() ?? this.#leaving
    await this.#leaving
  }

  /**
   * A window that wants to drive the phone.
   *
   * @param {import('offhook/bridge').BridgePort} port
   */
  page(port) {
    if (!this.#phone) return
    const served = serve(this.#phone, port)
    this.#pages.push(served)
    void served.closed.then(() => (this.#pages = this.#pages.filter((one) => one !== served)))
  }

  /** @param {{ id: string, path: string }} given */
  async report({ id, path }) {
    const session = this.#phone?.sessions.find((one) => one.id === id) ?? this.#ended.get(id)
    if (!session) throw new Error('Nothing is kept of this call any more')
    await session.report(path)
  }

  /** The machine has slept: what waits to try again does so now. */
  awake() {
    if (this.#phone && !this.#phone.connected) this.#phone.reconnect()
  }

  /** @param {Softphone} phone */
  #follow(phone) {
    const count = () => this.#tell({ calls: phone.sessions.length, rings: phone.pendingSessions.length })
    phone.on('pendingSession', count)
    phone.on('cancelPendingSession', count)
    phone.on('handledPendingSession', count)
    phone.on('sessionStarted', count)
    phone.on('sessionEnded', (session) => {
      this.#ended.set(session.id, session)
      const [oldest] = this.#ended.keys()
      if (this.#ended.size > MOST_ENDED && oldest !== undefined) this.#ended.delete(oldest)
      count()
    })
  }
}
