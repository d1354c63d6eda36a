type Listener = (event: unknown) => void
interface AnyPort {
  addEventListener?(name: string, listener: Listener): void
  removeEventListener?(name: string, listener: Listener): void
  on?(name: string, listener: Listener): void
  off?(name: string, listener: Listener): void
  start?(): void
  onmessage?: Listener | null
}

/**
 * Listens in the way that this port knows; gives what stops it. What is heard is the message itself, or an event that has it in `data`.
 *
 * @internal
 */
export function listened(given: object, listener: Listener, closed: () => void): () => void {
  const port = given as AnyPort
  const [begin, end] = port.addEventListener ? (['addEventListener', 'removeEventListener'] as const) : (['on', 'off'] as const)
  if (port[begin] && port[end]) {
    // A worker and a utility process are no ports: their end is an exit.
    const all = [['message', listener], ['close', closed], ['exit', closed]] as const
    for (const [event, heard] of all) port[begin](event, heard)
    port.start?.()
    return () => all.forEach(([event, heard]) => port[end]?.(event, heard))
  }
  if (!('onmessage' in port)) throw new TypeError('The port must tell of messages, by addEventListener, on or onmessage')
  const before = port.onmessage
  const both: Listener = (event) => {
    before?.call(port, event)
    listener(event)
  }
  port.onmessage = both
  return () => {
    if (port.onmessage === both) port.onmessage = before ?? null
  }
}
