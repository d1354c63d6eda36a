import { MessageChannel, type MessagePort } from 'node:worker_threads'

/** Milliseconds that the readers of all sinks may take of one turn of the event loop; the frame under way is finished. */
const TURN = 4
/** Frames that the first turn gives in any case: who keeps up has them at once, also on a machine that is busy. */
const FIRST = 3

/** So many turns in a row may keep the process alive: who catches up at all does so in fewer. */
const PATIENCE = 1000

/** Delivers one frame; true if there may be another. */
export type Delivery = () => boolean

/**
 * Shares the JavaScript thread among all sinks: a frame each in turn, and the rest of the application's work in between.
 *
 * A step is an Immediate, so what a listener puts off (`await`, `process.nextTick`) runs before the next frame and counts
 * against the turn as well.
 */
export class Turns {
  readonly #waiting = new Set<Delivery>()
  /** Steps of this turn that are still to come. */
  #steps = 0
  #ends: number | undefined
  /** Frames given in this turn. */
  #given = 0
  /** Turns in a row that did not come to an end with what there was to read. */
  #behind = 0
  #waker: MessagePort | undefined

  /** Takes a place at the end of the queue; one that waits already keeps its own. */
  join(delivery: Delivery): void {
    this.#waiting.add(delivery)
    if (this.#steps === 0) this.#begin()
  }

  /** Gives its place up. */
  leave(delivery: Delivery): void {
    this.#waiting.delete(delivery)
  }

  #begin(): NodeJS.Immediate[] {
    this.#ends = undefined
    this.#given = 0
    this.#steps = this.#waiting.size
    return Array.from(this.#waiting, () => setImmediate(() => this.#step()))
  }

  // Who never comes to an end with reading must not keep the process alive by that alone.
  #goOn(): void {
    if (this.#waiting.size === 0) return void (this.#behind = 0)
    const steps = this.#begin()
    if (++this.#behind <= PATIENCE) return
    for (const step of steps) step.unref()
    this.#wake()
  }

  // An unref'd Immediate waits until something else wakes the loop.
  #wake(): void {
    if (this.#waker === undefined) {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', () => {})
      port1.unref()
      this.#waker = port2
    }
    this.#waker.postMessage(null)
  }

  #step(): void {
    this.#steps--
    this.#ends ??= performance.now() + TURN
    try {
      // The last step uses up what the others have left.
      while (this.#waiting.size > 0 && this.#hasTime(this.#ends)) {
        this.#serve()
        if (this.#steps > 0) return
      }
    } finally {
      // A listener that throws takes nobody's turn away.
      if (this.#steps === 0) this.#goOn()
    }
  }

  #hasTime(ends: number): boolean {
    return performance.now() < ends || (this.#behind === 0 && this.#given < FIRST)
  }

  #serve(): void {
    const [next] = this.#waiting
    if (next === undefined) return
    this.#given++
    this.#waiting.delete(next)
    if (next()) this.#waiting.add(next)
  }
}
