import { isMainThread } from 'node:worker_threads'
import { native, type NativeSignalWatch } from './native'

/*
 * The end of the process: `process.exit()`, an error that nobody caught and the natural end all tell of it by `exit`. A signal whose
 * default is to end the process tells nothing: the engine says goodbye before, on a thread of its own, and then lets it end by it.
 * The end of a worker thread is the engine's matter alone.
 */

/** Phones of this thread that run and hang up on exit. */
let attending = 0
let signals: NativeSignalWatch | undefined

/** Lets a phone say goodbye when the process ends. */
export function attend(): void {
  if (!isMainThread || attending++ > 0) return
  process.on('exit', sayGoodbye)
  const unheard = (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).filter((signal) => process.listenerCount(signal) === 0)
  const { NativeSignalWatch } = native()
  // A listener of the application's decides by itself; Electron ends in its own way, with `exit`.
  if (NativeSignalWatch && process.versions['electron'] === undefined) signals = new NativeSignalWatch(unheard)
}

/** It has said goodbye. */
export function depart(): void {
  if (!isMainThread || --attending > 0) return
  process.off('exit', sayGoodbye)
  signals?.close()
  signals = undefined
}

function sayGoodbye(): void {
  native().farewell?.()
}
