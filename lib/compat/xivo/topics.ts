import { tell } from '../tell'

/** Handlers by the group of events that they listen to. */
export class Topics<Message> {
  readonly #handlers = new Map<string, Set<(message: Message) => void>>()

  add(topic: string, handler: (message: Message) => void): void {
    const handlers = this.#handlers.get(topic) ?? new Set()
    this.#handlers.set(topic, handlers.add(handler))
  }

  remove(topic: string, handler: (message: Message) => void): void {
    this.#handlers.get(topic)?.delete(handler)
  }

  clear(): void {
    this.#handlers.clear()
  }

  publish(topic: string, message: Message): void {
    for (const handler of [...(this.#handlers.get(topic) ?? [])]) tell(handler, message)
  }
}
