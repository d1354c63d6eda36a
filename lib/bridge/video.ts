import type { BridgePhone } from './client'
import { REFERENCE } from './messages'

/**
 * A port for one stream of pictures, over the port of a phone: give it to `publish()` or `render()` of `offhook/renderer`, and to a call.
 */
export interface BridgeVideoPort {
  postMessage(message: any): void
  addEventListener(name: string, listener: (event: any) => void): void
  removeEventListener(name: string, listener: (event: any) => void): void
  /** Names it to the phone. */
  readonly port: number
}

/** The ports of each phone's page, by their numbers. */
const open = new WeakMap<BridgePhone, Ports>()

interface Ports {
  there: Map<number, BridgeVideoPort & EventTarget>
  /** Whether what carries them carries text alone; the phone says so before it wants pictures. */
  isText: boolean
  count: number
}

/**
 * Makes a port for one stream of pictures: what a page publishes there is the `video` or `screen` of a call, and what a call is told to
 * put out there the page renders.
 *
 * ```ts
 * const camera = videoPort(client)
 * publish(camera, await navigator.mediaDevices.getUserMedia({ video: true }))
 * const session = await client.call('bob', { video: camera })
 * session.on('streamAvailable', async ({ id }) => {
 *   const theirs = videoPort(client)
 *   render(theirs, canvas)
 *   await session.setVideoOutput(id, theirs)
 * })
 * ```
 */
export function videoPort(phone: BridgePhone): BridgeVideoPort {
  const ports = open.get(phone) ?? opened(phone)
  ports.count += 1
  const number = ports.count
  const postMessage = (data: { kind?: string }) => {
    phone.line.send({ kind: 'video', port: number, data: ports.isText ? withText(data) : data })
    if (data.kind === 'end') ports.there.delete(number)
  }
  const port = Object.assign(new EventTarget(), { [REFERENCE]: 'video' as const, port: number, postMessage })
  ports.there.set(number, port)
  return port
}

function opened(phone: BridgePhone): Ports {
  const ports: Ports = { there: new Map(), isText: false, count: 0 }
  open.set(phone, ports)
  phone.extras.set('video', ({ port, data, text }: { port: number; data: { kind?: string }; text?: true }) => {
    ports.isText = text === true
    ports.there.get(port)?.dispatchEvent(Object.assign(new Event('message'), { data: text ? withOctets(data) : data }))
    if (data.kind === 'end') ports.there.delete(port)
  })
  void phone.closed.then(() => {
    for (const port of ports.there.values()) port.dispatchEvent(new Event('close'))
    ports.there.clear()
  })
  return ports
}

/** Octets that `btoa` takes at once: each is an argument. */
const CHUNK = 0x2000

function withText(message: object): object {
  const { data } = message as { data?: unknown }
  if (!(data instanceof Uint8Array)) return message
  let octets = ''
  for (let at = 0; at < data.length; at += CHUNK) octets += String.fromCharCode(...data.subarray(at, at + CHUNK))
  return { ...message, data: btoa(octets) }
}

function withOctets(message: object): object {
  const { data } = message as { data?: unknown }
  return typeof data === 'string' ? { ...message, data: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)) } : message
}
