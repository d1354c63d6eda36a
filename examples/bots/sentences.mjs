// What a model says, item by item, and how much of it was heard when the caller interrupts.
export class Sentences {
  /** Those that are not known to be heard, in the order in which they are played. */
  #items = []
  #cut = new Set()
  #mouth
  #perMs

  constructor(mouth, rate) {
    this.#mouth = mouth
    this.#perMs = rate / 1000
  }

  /** Plays a piece of an item, in base64; none of what was interrupted. */
  say(id, content_index, base64) {
    if (this.#cut.has(id)) return
    const item = this.#items.find((item) => item.id === id) ?? this.#begin(id, content_index)
    item.samples += Buffer.byteLength(base64, 'base64') / 2
    this.#mouth.write(base64, 'base64')
  }

  done(id) {
    const item = this.#items.find((item) => item.id === id)
    if (item) item.done = true
  }

  /** Falls silent, and gives what was heard of each item that was not heard in full. */
  interrupt() {
    // The estimate of what was heard; before there is one, what was sent.
    const { sent, heard = sent } = this.#mouth.position
    this.#mouth.clear()
    const cut = this.#items.filter((item) => !item.done || item.begins === undefined || heard < item.begins + item.samples)
    this.#items = []
    for (const { id } of cut) this.#cut.add(id)
    return cut.map(({ id, content_index, begins = heard, samples }) => {
      const of = Math.min(Math.max(heard - begins, 0), samples)
      return { item_id: id, content_index, audio_end_ms: Math.floor(of / this.#perMs) }
    })
  }

  #begin(id, content_index) {
    const item = { id, content_index, begins: undefined, samples: 0, done: false }
    this.#items = [...this.#items.filter((item) => !this.#isHeard(item)), item]
    // What was said before it was played by then: here it begins.
    this.#mouth.mark(id).then(({ outcome, position }) => {
      if (outcome === 'played') item.begins = position
    })
    return item
  }

  #isHeard({ done, begins, samples }) {
    const { heard } = this.#mouth.position
    return done && begins !== undefined && heard !== undefined && heard >= begins + samples
  }
}
