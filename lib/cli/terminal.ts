import { cells, clock, decibels, qualityWords, type Figures } from './figures'
import type { Output } from './output'
import { printable, traceText } from './printable'
import { beginningOf, endOf, widthOf } from './width'

const WIDTH = 14
const colours = { red: 31, green: 32, yellow: 33, dim: 90, bold: 1 } as const
/** From this level on sound is loud, and from that on it clips, in dBFS. */
const LOUD = -12
const CLIPPING = -3

/** Goes to the beginning of the line and empties it. */
const REDRAW = '\r\x1b[K'

/** A terminal: lines of what happened, and below them one that moves, with how the call sounds or what is asked. */
export class Terminal implements Output {
  readonly #coloured: boolean
  #figures: Figures | undefined
  #question: string | undefined
  #below = ''

  constructor(coloured: boolean) {
    this.#coloured = coloured
    process.once('exit', () => this.close())
  }

  tell(_event: string, _details: object, text: string): void {
    this.say(text)
  }

  say(text: string): void {
    this.#line(printable(text))
  }

  complain(_event: string, _details: object, text: string, remedy?: string): void {
    this.#line(this.#in('red', printable(text)))
    if (remedy !== undefined) this.#line(`  ${printable(remedy)}`)
  }

  trace(level: string, message: string, details: unknown): void {
    const text = traceText(level, message, details)
    if (process.stderr.isTTY) this.#above(() => process.stderr.write(this.#in('dim', text)))
    else process.stderr.write(text)
  }

  sounds(figures: Figures | undefined): void {
    this.#figures = figures
    this.#draw()
  }

  measures(figures: Figures): void {
    this.sounds(figures)
  }

  ask(line: string | undefined): void {
    this.#question = line
    this.#draw()
  }

  close(): void {
    this.#figures = undefined
    this.#question = undefined
    this.#draw()
  }

  #line(text: string): void {
    this.#above(() => process.stdout.write(`${text}\n`))
  }

  #above(write: () => void): void {
    if (this.#below !== '') process.stdout.write(REDRAW)
    write()
    process.stdout.write(unbroken(this.#below))
  }

  // Drawn anew in place, and only if it has changed.
  #draw(): void {
    const below = this.#question === undefined ? this.#meters() : endOf(printable(this.#question), columns())
    if (below === this.#below) return
    process.stdout.write(REDRAW + unbroken(below))
    this.#below = below
  }

  #meters(): string {
    if (!this.#figures) return ''
    const { name, duration, level, stats, marks } = this.#figures
    const parts = [
      { text: clock(duration) },
      ...marks.map((mark) => ({ text: mark, colour: 'yellow' as const })),
      ...(level ? [bar('you', level.local), bar(printable(name), level.remote)] : []),
      ...(stats ? qualityWords(stats).map((text) => ({ text })) : []),
    ]
    return this.#fitted(parts)
  }

  // What does not fit is left out, from the end.
  #fitted(parts: readonly Part[]): string {
    let left = columns()
    let line = ''
    for (const { text, colour } of parts) {
      left -= widthOf(text) + (line === '' ? 0 : 2)
      if (left < 0) break
      line += (line === '' ? '' : '  ') + (colour ? this.#in(colour, text) : text)
    }
    return line
  }

  #in(colour: keyof typeof colours, text: string): string {
    return this.#coloured ? `\x1b[${colours[colour]}m${text}\x1b[0m` : text
  }
}

// Some terminals do not know how wide they are, and say 0. The last column stays free for the cursor.
function columns(): number {
  return (process.stdout.columns || 80) - 1
}

/** A line that does not go on in the next, however wide its letters are: one that did could not be drawn over. */
function unbroken(line: string): string {
  return line === '' ? '' : `\x1b[?7l${line}\x1b[?7h`
}

interface Part {
  text: string
  colour?: keyof typeof colours
}

function bar(name: string, level: number): Part {
  const full = cells(level, WIDTH)
  const loud = decibels(level)
  const colour = loud >= CLIPPING ? 'red' : loud >= LOUD ? 'yellow' : 'green'
  return { text: `${beginningOf(name, 16)} ▕${'█'.repeat(full)}${' '.repeat(WIDTH - full)}▏${String(loud).padStart(3)} dB`, colour }
}
