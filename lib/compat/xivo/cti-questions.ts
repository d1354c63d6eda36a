import type { CtiApi } from './cti'

/** Milliseconds that the CTI server has to answer. */
const ANSWER_MS = 10_000

/** What the CTI server was asked and has not answered. */
export class CtiQuestions {
  readonly #cti: () => CtiApi
  readonly #open = new Set<(reason: string) => void>()

  constructor(cti: () => CtiApi) {
    this.#cti = cti
  }

  /** Asks; resolves with the answer. Messages name no request: the first of the type that comes is it. */
  ask<Message>(type: string, question: (cti: CtiApi) => void): Promise<Message> {
    const cti = this.#cti()
    return new Promise((resolve, reject) => {
      const settled = () => {
        clearTimeout(timer)
        this.#open.delete(abandon)
        cti.unsetHandler(type, take)
      }
      const take = (message: Message) => {
        settled()
        resolve(message)
      }
      const abandon = (reason: string) => {
        settled()
        reject(new Error(`the CTI server sent no ${type}: ${reason}`))
      }
      const timer = setTimeout(() => abandon(`nothing came in ${ANSWER_MS / 1000} s`), ANSWER_MS)
      this.#open.add(abandon)
      cti.setHandler(type, take)
      try {
        question(cti)
      } catch (error) {
        abandon((error as Error).message)
      }
    })
  }

  /** Waits for no answer any more. */
  abandon(reason: string): void {
    for (const abandon of this.#open) abandon(reason)
  }
}
