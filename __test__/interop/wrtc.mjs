import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('wrtc-phone.mjs', import.meta.url))
const platform = `@roamhq/wrtc-${process.platform}-${process.arch}`

const methods = ['film', 'seen', 'call', 'answer', 'hangUp', 'hold', 'unhold', 'restartIce', 'event', 'hears', 'received']

/** Whether this platform has a build of libwebrtc for Node. */
export function wrtcInstalled() {
  try {
    return Boolean(createRequire(import.meta.url).resolve(platform))
  } catch {
    return false
  }
}

/**
 * A phone of JsSIP and libwebrtc, registered, in a process of its own: `{ server, uri, password, pcConfig?, streamsAlone? }`.
 * Its methods are those of wrtc-phone.mjs.
 */
export async function wrtcPhone(options) {
  const child = fork(script)
  const calls = new Calls(child)
  const phone = Object.fromEntries(methods.map((method) => [method, (...given) => calls.make(method, given)]))
  phone.stop = async () => {
    if (!child.connected) return
    const exited = once(child, 'exit')
    child.disconnect()
    await exited
  }
  await calls.make('start', [options])
  return phone
}

/** The calls that a child process carries out; all fail when it ends. */
class Calls {
  #child
  #open = new Map()
  #next = 1

  constructor(child) {
    this.#child = child
    child.on('message', ({ id, result, error }) => this.#settle(id, result, error))
    child.on('exit', (code, signal) => {
      for (const id of [...this.#open.keys()]) this.#settle(id, undefined, `the phone's process ended: ${signal ?? code}`)
    })
  }

  make(method, given) {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#open.set(id, { method, resolve, reject })
      this.#child.send({ id, method, given })
    })
  }

  #settle(id, result, error) {
    const { method, resolve, reject } = this.#open.get(id)
    this.#open.delete(id)
    if (error === undefined) resolve(result)
    else reject(new Error(`${method}: ${error}`))
  }
}
