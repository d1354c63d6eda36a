import { decibels, type Figures } from './figures'
import type { Output } from './output'
import { jsonLine } from './printable'

/** Lines of JSON on the standard output, each with the time, the name of what happened, and what there is to say of it. */
export class JsonLines implements Output {
  #loudest = { local: 0, remote: 0 }

  tell(event: string, details: object): void {
    process.stdout.write(`${jsonLine({ time: new Date().toISOString(), event, ...details })}\n`)
  }

  say(): void {}

  complain(event: string, details: object): void {
    this.tell(event, details)
  }

  trace(level: string, message: string, details: unknown): void {
    this.tell('trace', { level, message, details })
  }

  sounds(figures: Figures | undefined): void {
    const { local = 0, remote = 0 } = figures?.level ?? {}
    this.#loudest = { local: Math.max(this.#loudest.local, local), remote: Math.max(this.#loudest.remote, remote) }
  }

  measures({ name, duration, stats }: Figures): void {
    const { local, remote } = this.#loudest
    this.#loudest = { local: 0, remote: 0 }
    this.tell('stats', { with: name, duration, ...stats, localDb: decibels(local), remoteDb: decibels(remote) })
  }

  ask(): void {}

  close(): void {}
}
