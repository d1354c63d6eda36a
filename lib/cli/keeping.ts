import { existsSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { Recording, Session } from '../index'
import type { OptionTable } from './arguments'
import type { Cli } from './cli'
import { complainOf } from './errors'
import { clock } from './figures'

/** The options of what is kept of a call. */
export const keepingOptions: OptionTable = {
  record: { value: 'FILE', help: 'Record the call into a .wav, .ogg or .opus file: you on the left, the other side on the right' },
  report: { value: 'FILE', help: 'Write a page (.html) on how the call was, once it is over' },
  force: { help: 'Overwrite files that are there already' },
}

/** What is kept of calls: recordings while they go on, a report at the end. */
export class Keeping {
  readonly #cli: Cli
  readonly #recordings = new Map<Session, Promise<Recording>>()
  readonly #writing = new Set<Promise<void>>()
  #recorded = 0
  #reported = 0

  constructor(cli: Cli) {
    this.#cli = cli
  }

  /** Records a call once it is answered, and reports on it when it is over, as far as that was asked for. */
  follow(session: Session): void {
    const { given } = this.#cli
    const [record, report] = [given.value('record'), given.value('report')]
    session.on('change:active', (_, active) => {
      if (active && record !== undefined) this.#write(this.#begin(session, record))
    })
    session.on('terminated', () => {
      if (this.isRecording(session)) this.#write(this.#end(session))
      if (report !== undefined) this.#write(this.#report(session, report))
    })
  }

  isRecording(session: Session): boolean {
    return this.#recordings.has(session)
  }

  /** Begins or ends a recording, by the key. */
  toggle(session: Session): Promise<void> {
    return this.isRecording(session) ? this.#end(session) : this.#begin(session, this.#cli.given.value('record') ?? namedByTime())
  }

  /** Resolves when all is written. */
  async finished(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  async #begin(session: Session, path: string): Promise<void> {
    const file = this.#next(path, () => ++this.#recorded)
    const begun = session.record(file)
    this.#recordings.set(session, begun)
    try {
      await begun
    } catch (error) {
      this.#recordings.delete(session)
      throw error
    }
    this.#cli.output.tell('recording', { session: session.id, file }, `recording into ${file}`)
  }

  async #end(session: Session): Promise<void> {
    const recording = await this.#recordings.get(session)
    this.#recordings.delete(session)
    if (!recording) return
    const { file, duration, lost } = await recording.stop()
    this.#cli.output.tell('recorded', { session: session.id, file, duration, lost }, `recorded ${clock(duration)} into ${file}`)
  }

  async #report(session: Session, path: string): Promise<void> {
    const file = this.#next(path, () => ++this.#reported)
    await session.report(file)
    this.#cli.output.tell('reported', { session: session.id, file }, `the report of the call is ${file}`)
  }

  // The first was looked at before anybody was called.
  #next(path: string, count: () => number): string {
    for (;;) {
      const number = count()
      const file = numbered(path, number)
      if (number === 1 || this.#cli.given.has('force') || !existsSync(file)) return file
    }
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

function namedByTime(): string {
  return `call-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.wav`
}
