import { parse, join } from 'node:path'
import type { Session } from '../index'
import type { OptionTable } from './arguments'
import type { Cli } from './cli'
import { complainOf } from './errors'

/** The options of what is kept of a call. */
export const keepingOptions: OptionTable = {
  report: { value: 'FILE', help: 'Write a page (.html) on how the call was, once it is over' },
}

/** What is kept of calls: a report of each at its end. */
export class Keeping {
  readonly #cli: Cli
  readonly #writing = new Set<Promise<void>>()
  #reported = 0

  constructor(cli: Cli) {
    this.#cli = cli
  }

  /** Reports on a call when it is over, if that was asked for. */
  follow(session: Session): void {
    const report = this.#cli.given.value('report')
    if (report !== undefined) session.on('terminated', () => this.#write(this.#report(session, report)))
  }

  /** Resolves when all is written. */
  async finished(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  async #report(session: Session, path: string): Promise<void> {
    const file = numbered(path, ++this.#reported)
    await session.report(file)
    this.#cli.output.tell('reported', { session: session.id, file }, `the report of the call is ${file}`)
  }

  /** Keeps a call that goes on from what fails here, and the process from ending before it is done. */
  #write(writes: Promise<void>): void {
    const written = writes.catch((error: unknown) => complainOf(this.#cli.output, error)).finally(() => this.#writing.delete(written))
    this.#writing.add(written)
  }
}

/** The second file of a name is `name-2.wav`, so that no call takes the place of another's. */
function numbered(path: string, count: number): string {
  const { dir, name, ext } = parse(path)
  return count === 1 ? path : join(dir, `${name}-${count}${ext}`)
}
