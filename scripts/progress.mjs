const SILENCE_MS = 10_000

/** One line that says what goes on: rewritten on a terminal, repeated every ten seconds elsewhere. */
export class Progress {
  #title
  #started = performance.now()
  #shown = 0
  #text = ''
  #ticker
  #quiet

  constructor(title, { quiet = false } = {}) {
    this.#title = title
    this.#quiet = quiet
    this.#print()
    this.#ticker = setInterval(() => this.#print(), process.stdout.isTTY ? 250 : SILENCE_MS)
  }

  show(text) {
    if (text) this.#text = text.trim()
    if (process.stdout.isTTY && performance.now() - this.#shown > 100) this.#print()
  }

  done(succeeded) {
    clearInterval(this.#ticker)
    this.#text = succeeded ? 'done' : 'FAILED'
    this.#print()
    if (process.stdout.isTTY && !this.#quiet) process.stdout.write('\n')
  }

  #print() {
    if (this.#quiet) return
    this.#shown = performance.now()
    const seconds = Math.round((performance.now() - this.#started) / 1000)
    const line = `${this.#title} (${seconds} s)${this.#text ? `: ${this.#text}` : ' …'}`
    if (!process.stdout.isTTY) return void process.stdout.write(`${line}\n`)
    process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns || 80) - 1)}`)
  }
}
