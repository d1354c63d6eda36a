import { clock, levelText, qualityWords, type Figures } from './figures'
import type { Output } from './output'
import { printable, traceText } from './printable'

/** So many measurements are left out between two that are printed: a file or a pipe is read later. */
const EACH = 5

/** Lines for people, where there is no terminal. */
export class PlainLines implements Output {
  #measured = 0

  tell(_event: string, _details: object, text: string): void {
    this.say(text)
  }

  say(text: string): void {
    process.stdout.write(`${printable(text)}\n`)
  }

  complain(_event: string, _details: object, text: string, remedy?: string): void {
    process.stderr.write(`${printable(text)}\n`)
    if (remedy !== undefined) process.stderr.write(`  ${printable(remedy)}\n`)
  }

  trace(level: string, message: string, details: unknown): void {
    process.stderr.write(traceText(level, message, details))
  }

  sounds(): void {}

  measures({ name, duration, level, stats, marks }: Figures): void {
    if (this.#measured++ % EACH > 0) return
    const loud = level ? [`you ${levelText(level.local)}`, `${name} ${levelText(level.remote)}`] : []
    this.say([clock(duration), ...marks, ...loud, ...(stats ? qualityWords(stats) : [])].join(' · '))
  }

  ask(): void {}

  close(): void {}
}
