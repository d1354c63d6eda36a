import { utilityProcess } from 'electron'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../phone/process.js', import.meta.url))

/** The utility process with the phone. `signIn` starts it, also if it is gone. */
export class PhoneProcess {
  /** @type {Electron.UtilityProcess | undefined} */
  #child
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map()
  #asked = 0
  #on

  /** @param {{ news: (news: { calls: number, rings: number }) => void, lost: () => void }} on */
  constructor(on) {
    this.#on = on
  }

  /** @param {import('./account.js').KeptAccount} account */
  signIn(account) {
    this.#child ??= this.#start()
    return this.ask('signIn', { account })
  }

  /**
   * Has something done there, if there is a phone; rejects with what failed, which has a `code`.
   *
   * @param {'signIn' | 'signOut' | 'page' | 'report' | 'awake'} name
   * @param {object} [given]
   * @param {Electron.MessagePortMain[]} [ports]
   * @returns {Promise<any>}
   */
  async ask(name, given = {}, ports = []) {
    const child = this.#child
    if (!child) return undefined
    this.#asked += 1
    const number = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      child.postMessage({ number, name, given }, ports)
    })
  }

  #start() {
    const child = utilityProcess.fork(path, [], { serviceName: 'phone' })
    child.on('message', ({ news, number, value, error }) => {
      if (news) return this.#on.news(news)
      const waiting = this.#waiting.get(number)
      this.#waiting.delete(number)
      if (error) waiting?.reject(Object.assign(new Error(error.message), error))
      else waiting?.resolve(value)
    })
    child.on('exit', () => {
      this.#child = undefined
      for (const { reject } of this.#waiting.values()) reject(new Error('The phone has stopped.'))
      this.#waiting.clear()
      this.#on.lost()
    })
    return child
  }
}
