import { type Fetched, fetchCredential, fetchedOption } from './credential'
import type { SoftphoneError } from './errors'
import { givenIceServers } from './ice-servers'
import type { SoftphoneOptions } from './options'
import { chosenProxy } from './proxy'
import type { WireCommand, WireEventOf } from './wire'

/** What the engine asks the functions among a phone's options; `answer` hands it what they gave. */
export class Questions {
  readonly #options: SoftphoneOptions
  readonly #answer: (command: WireCommand) => void
  /** Counts the passwords and tokens that were asked for or set. */
  #credential = 0

  constructor(options: SoftphoneOptions, answer: (command: WireCommand) => void) {
    this.#options = options
    this.#answer = answer
  }

  /** Fetches another token or password; what fails goes to `fail`. An answer that comes when there is a newer one says nothing. */
  async renewCredential(renew: (option: Fetched['option'], given: string) => Promise<void>, fail: (error: SoftphoneError) => void): Promise<void> {
    const fetched = fetchedOption(this.#options)
    if (!fetched) return
    const asked = this.credentialReplaced()
    try {
      const given = await fetchCredential(fetched)
      if (asked === this.#credential) await renew(fetched.option, given)
    } catch (error) {
      if (asked !== this.#credential) return
      this.#answer({ type: 'credentialFailed' })
      fail(error as SoftphoneError)
    }
  }

  /** Whatever was asked before is out of date. */
  credentialReplaced(): number {
    return ++this.#credential
  }

  async chooseProxy({ question, url }: WireEventOf<'proxyNeeded'>): Promise<void> {
    const { httpProxy } = this.#options
    if (typeof httpProxy !== 'function') return
    this.#answer({ type: 'proxyChosen', question, ...(await chosenProxy(httpProxy, url)) })
  }

  async giveIceServers({ question }: WireEventOf<'iceServersNeeded'>): Promise<void> {
    const { iceServers } = this.#options
    if (typeof iceServers !== 'function') return
    this.#answer({ type: 'iceServersGiven', question, ...(await givenIceServers(iceServers)) })
  }
}
