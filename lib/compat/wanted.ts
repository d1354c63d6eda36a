/** A state that takes its time to change: a toggle turns what was asked for last, not what is. */
export class Wanted {
  #value: boolean | undefined
  #open = 0

  /** What was asked for last and is not settled, or what is. */
  or(actual: boolean): boolean {
    return this.#value ?? actual
  }

  /** Remembers what is asked for until that, and all that was asked for beside it, is settled. */
  async ask(value: boolean, act: () => Promise<void>): Promise<void> {
    this.#value = value
    this.#open += 1
    try {
      await act()
    } finally {
      this.#open -= 1
      if (this.#open === 0) this.#value = undefined
    }
  }
}
