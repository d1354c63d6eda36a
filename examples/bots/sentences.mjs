// What a model says, item by item, and how much of it was heard when the caller interrupts.

/** Of so many items that were cut it is remembered that nothing more of them is to be played. */
const mostCut = 64

export class Sentences {
  /** Those that are not known to be heard, by their ids, in the order in which they are played. */
  #items = new Map()
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
    const item = this.#items.get(id) ?? this.#begin(id, content_index)
    item.samples += Buffer.byteLength(base64, 'base64') / 2
    this.#mouth.write(base64, 'base64')
  }

  done(id) {
    const item = this.#items.get(id)
    if (item) item.done = true
  }

  /** Falls silent, and gives what was heard of each item that was not heard in full. */
  interrupt() {
    // The estimate of what was heard; before there is one, what was sent.
    const { sent, heard = sent } = this.#mouth.position
    this.#mouth.clear()
    const cut = [...this.#items.values()].filter((item) => !isHeard(item, heard))
    this.#items.clear()
    for (const { id } of cut) this.#cut.add(id)
    for (const id of [...this.#cut].slice(0, -mostCut)) this.#cut.delete(id)
    return cut.map(({ id, content_index, begins = heard, samples }) => {
      const of = Math.min(Math.max(heard - begins, 0), samples)
      return { item_id: id, content_index, audio_end_ms: Math.floor(of / this.#perMs) }
    })
  }

  #begin(id, content_index) {
    this.#forgetHeard()
    const item = { id, content_index, begins: undefined, samples: 0, done: false }
    this.#items.set(id, item)
    // What was said before it was played by then: here it begins.
    this.#mouth.mark(id).then(({ outcome, position }) => {
      if (outcome === 'played') item.begins = position
    })
    return item
  }

  #forgetHeard() {
    const { heard } = this.#mouth.position
    for (const [id, item] of this.#items) {
      if (heard === undefined || !isHeard(item, heard)) return
      this.#items.delete(id)
    }
  }
}

function isHeard({ done, begins, samples }, heard) {
  return done && begins !== undefined && heard >= begins + samples
}
