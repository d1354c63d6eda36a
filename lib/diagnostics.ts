import { channel } from 'node:diagnostics_channel'
import { EndReason } from './end-reason'
import { clockFigures, type ClockFigures, type Health } from './health'
import type { Softphone } from './softphone'
import type { WireEvent } from './wire'

/** What the channel `offhook:call:begin` of `node:diagnostics_channel` tells: a call rings or is placed. */
export interface CallBegin {
  phone: Softphone
  /** The id of the pending session and of the session. */
  id: string
  direction: 'incoming' | 'outgoing'
  address: string
}

/** What `offhook:call:answer` tells. */
export interface CallAnswer extends CallBegin {
  /** Milliseconds to the answer, from when it rang here or was placed. */
  setUp: number
}

/** What `offhook:call:end` tells, of each call that began, once. */
export interface CallEnd extends CallBegin {
  /** As in `CallAnswer`; absent if the call was not answered. */
  setUp?: number
  /** Why it ended; with `summary` (MOS, loss, jitter) if it had sound. */
  reason: EndReason
  /** What waits now between the phone and the application. */
  queues: Health['queues']
  /** How the media clock of the process has kept its time until now. */
  clock: ClockFigures
}

const begin = channel('offhook:call:begin')
const answer = channel('offhook:call:answer')
const end = channel('offhook:call:end')

/** @internal Publishes a phone's calls for whoever watches the process. */
export class CallDiagnostics {
  readonly #phone: Softphone
  readonly #open = new Map<string, { call: CallBegin; begun: number; setUp?: number }>()

  constructor(phone: Softphone) {
    this.#phone = phone
  }

  note(event: WireEvent): void {
    switch (event.type) {
      case 'pendingSession':
        return this.#begin(event.id, 'incoming', event.address)
      case 'sessionStarted': {
        const { id, direction, address, state } = event.session
        this.#begin(id, direction, address)
        if (state === 'active') this.#answer(id)
        return
      }
      case 'sessionChanged':
        return event.changes.state === 'active' ? this.#answer(event.id) : undefined
      case 'answered':
        return this.#answer(event.id)
      case 'cancelPendingSession':
      case 'handledPendingSession':
        return this.#end(event.id, EndReason.of(event.details.reason))
      case 'sessionEnded':
        return this.#end(event.id, EndReason.of(event.reason))
    }
  }

  #begin(id: string, direction: CallBegin['direction'], address: string): void {
    if (this.#open.has(id)) return
    const call = { phone: this.#phone, id, direction, address }
    this.#open.set(id, { call, begun: performance.now() })
    if (begin.hasSubscribers) begin.publish(call satisfies CallBegin)
  }

  #answer(id: string): void {
    const open = this.#open.get(id)
    if (!open || open.setUp !== undefined) return
    const setUp = Math.round(performance.now() - open.begun)
    open.setUp = setUp
    if (answer.hasSubscribers) answer.publish({ ...open.call, setUp } satisfies CallAnswer)
  }

  #end(id: string, reason: EndReason): void {
    const open = this.#open.get(id)
    this.#open.delete(id)
    if (!open || !end.hasSubscribers) return
    const { setUp } = open
    const { queues } = this.#phone.health()
    end.publish({ ...open.call, ...(setUp !== undefined && { setUp }), reason, queues, clock: clockFigures() } satisfies CallEnd)
  }
}
