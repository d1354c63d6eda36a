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
  if (port.addEventListener && port.removeEventListener) {
    port.addEventListener('message', listener)
    port.addEventListener('close', closed)
    port.start?.()
    return () => {
      port.removeEventListener?.('message', listener)
      port.removeEventListener?.('close', closed)
    }
  }
  if (port.on && port.off) {
    port.on('message', listener)
    port.on('close', closed)
    port.start?.()
    return () => {
      port.off?.('message', listener)
      port.off?.('close', closed)
    }
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
