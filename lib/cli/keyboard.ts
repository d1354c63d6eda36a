import { emitKeypressEvents } from 'node:readline'
import type { Interrupt } from './interrupt'
import type { Output } from './output'

interface Key {
  name?: string
  ctrl?: boolean
}

/** A question that is open. */
interface Question {
  text: string
  hidden: boolean
  typed: string
  answer(text: string | undefined): void
}

/** The keys of a terminal, one by one as they are pressed. The terminal is as before once it is closed; at the end of the process Node sees to that. */
export class Keyboard {
  readonly #interrupt: Interrupt
  readonly #output: Output
  readonly #pressed = (text: string | undefined, key: Key) => this.#press(text, key)
  #question: Question | undefined
  #listener: ((key: string) => void) | undefined

  constructor(interrupt: Interrupt, output: Output) {
    this.#interrupt = interrupt
    this.#output = output
    emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    process.stdin.on('keypress', this.#pressed)
    process.stdin.resume()
    interrupt.signal.addEventListener('abort', () => this.#answer(undefined))
  }

  /** Calls back with each key: a character, or `return`. */
  listen(listener: (key: string) => void): void {
    this.#listener = listener
  }

  /** Asks for a line; undefined if Escape or an empty line is typed. */
  ask(text: string, { hidden = false } = {}): Promise<string | undefined> {
    this.#answer(undefined)
    return new Promise((answer) => {
      this.#question = { text, hidden, typed: '', answer }
      this.#show()
    })
  }

  close(): void {
    this.#answer(undefined)
    process.stdin.off('keypress', this.#pressed)
    process.stdin.pause()
    process.stdin.setRawMode(false)
  }

  #press(text: string | undefined, { name, ctrl }: Key): void {
    // In raw mode Ctrl-C is a key like any other.
    if (ctrl && name === 'c') return this.#interrupt.raise(130)
    if (this.#question) return this.#type(this.#question, text, name)
    const key = name === 'return' || name === 'enter' ? 'return' : text
    if (key !== undefined && !ctrl) this.#listener?.(key)
  }

  #type(question: Question, text: string | undefined, name: string | undefined): void {
    if (name === 'escape') return this.#answer(undefined)
    if (name === 'return' || name === 'enter') return this.#answer(question.typed || undefined)
    if (name === 'backspace') question.typed = [...question.typed].slice(0, -1).join('')
    else if (text !== undefined && text >= ' ') question.typed += text
    this.#show()
  }

  #answer(text: string | undefined): void {
    const question = this.#question
    this.#question = undefined
    if (!question) return
    this.#output.ask(undefined)
    question.answer(text)
  }

  #show(): void {
    if (!this.#question) return
    const { text, typed, hidden } = this.#question
    this.#output.ask(`${text}: ${hidden ? '' : typed}`)
  }
}
