import { SoftphoneError } from './errors'
import { native, type NativeDeviceWatch } from './native'
import type { WireInput, WireOutput } from './wire'

/** A microphone or a speaker. */
export interface AudioDevice {
  /** Names the device; the same after a restart. */
  id: string
  /** The name that the system shows. */
  label: string
  /** W3C's kind. */
  kind: 'audioinput' | 'audiooutput'
  /** Whether it is the system's default of its kind. */
  default: boolean
}

/** Lists the microphones and speakers that are there now; empty if the system has no sound. */
export async function listDevices(): Promise<AudioDevice[]> {
  return JSON.parse(await native().listDevices()) as AudioDevice[]
}

const watchers = new Set<() => void>()
let watch: NativeDeviceWatch | undefined

/** @internal Calls back when the list has changed; looking for that begins with the first listener. */
export function watchDevices(changed: () => void): void {
  watchers.add(changed)
  watch ??= new (native().NativeDeviceWatch)(() => {
    for (const watcher of [...watchers]) watcher()
  })
}

/** @internal Ends with the last who wanted to know. */
export function unwatchDevices(changed: () => void): void {
  watchers.delete(changed)
  if (watchers.size > 0) return
  watch?.close()
  watch = undefined
}

/**
 * Lets choices be made in the order in which they were asked for, though looking whether a device is there takes a moment.
 *
 * @internal
 */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(choose: () => Promise<T>): Promise<T> {
    const chosen = this.#last.then(choose)
    this.#last = chosen.catch(() => {})
    return chosen
  }
}

/**
 * Rejects if one of these is a device that is not there.
 *
 * @internal
 */
export async function refuseMissing(devices: { input?: WireInput | undefined; output?: WireOutput | undefined; ring?: WireOutput | undefined }): Promise<void> {
  for (const [name, device] of Object.entries(devices)) {
    if (device?.type !== 'device') continue
    const missing = await native().missingDevice?.(device.id, name !== 'input')
    if (missing) throw new SoftphoneError(`Option '${name}': ${missing}`, { code: 'ERR_NO_DEVICE', type: 'media' })
  }
}
