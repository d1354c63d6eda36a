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

  constructor(options: SoftphoneOptions, answer: (command: WireCommand) => void) {
    this.#options = options
    this.#answer = answer
  }

  /** Fetches another token or password; what fails goes to `fail`. */
  async renewCredential(renew: (option: Fetched['option'], given: string) => Promise<void>, fail: (error: SoftphoneError) => void): Promise<void> {
    const fetched = fetchedOption(this.#options)
    if (!fetched) return
    try {
      await renew(fetched.option, await fetchCredential(fetched))
    } catch (error) {
      fail(error as SoftphoneError)
    }
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
