import { resolve } from 'node:path'
import type { PhoneLink } from './link'
import { isText } from './schema'
import { invalidArgument } from './session'

/** What goes over the network, on its way to a file. */
export interface Capture {
  /**
   * Ends it; resolves once all is written. Again, it does nothing; nor after `destroy()`, which has ended it.
   *
   * @throws `ERR_CAPTURE_FAILED` if the disk did not take all of it.
   */
  stop(): Promise<void>
}

/** @internal The captures of a phone, one at a time. */
export class Captures {
  #newest: Capture | undefined

  async begin(link: PhoneLink, path: string): Promise<Capture> {
    await link.capture(resolve(path))
    const capture: Capture = {
      stop: async () => {
        // It is over with the phone, or broke off, and another may be going on.
        if (this.#newest !== capture || link.closed) return
        this.#newest = undefined
        await link.stopCapture()
      },
    }
    this.#newest = capture
    return capture
  }
}

/** @internal */
export function checkCapturePath(path: unknown): void {
  if (!isText(path) || path === '' || path.includes('\0')) throw invalidArgument('path', path, "a file to write, such as 'call.pcapng'")
}
