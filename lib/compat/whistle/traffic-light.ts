import type { CallStats } from '../../index'
import type { Connectivity } from './config'

/** Seconds between two updates: statistics come once a second. */
const PERIOD = 5
/** Percent of packets lost above which the light is red. */
const RED = 5

/** Shows how a call's connection is, from what was lost in the last five seconds. */
export class TrafficLight {
  readonly #show: (connectivity: Connectivity) => void
  #seen = 0
  #before = { lost: 0, received: 0 }

  constructor(show: (connectivity: Connectivity) => void) {
    this.#show = show
  }

  /** Shows green, as a call begins. */
  start(): void {
    this.#show('Green')
  }

  /** Takes the statistics of one second. */
  see({ packetsLost: lost, packetsReceived: received }: CallStats): void {
    this.#seen += 1
    if (this.#seen % PERIOD !== 0) return
    const missing = Math.max(0, lost - this.#before.lost)
    const expected = missing + received - this.#before.received
    this.#before = { lost, received }
    this.#show(light(expected <= 0 ? 0 : (100 * missing) / expected))
  }
}

function light(lossPct: number): Connectivity {
  if (lossPct > RED) return 'Red'
  return lossPct > 0 ? 'Yellow' : 'Green'
}
