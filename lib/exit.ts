import { isMainThread } from 'node:worker_threads'
import { native, type NativeSignalWatch } from './native'

/*
 * The end of the process: `process.exit()`, an error that nobody caught and the natural end all tell of it by `exit`. A signal whose
 * default is to end the process tells nothing: the engine says goodbye before, on a thread of its own, and then lets it end by it.
 * The end of a worker thread is the engine's matter alone.
 */

const deadly = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/** Phones of this thread that run and hang up on exit. */
let attending = 0
let signals: NativeSignalWatch | undefined

/** Lets a phone say goodbye when the process ends. */
export function attend(): void {
  if (!isMainThread || attending++ > 0) return
  process.on('exit', sayGoodbye)
  process.on('removeListener', watchAgain)
  watch()
}

/** It has said goodbye. */
export function depart(): void {
  if (!isMainThread || --attending > 0) return
  process.off('exit', sayGoodbye)
  process.off('removeListener', watchAgain)
  signals?.close()
  signals = undefined
}

// A listener of the application's decides by itself; Electron ends in its own way, with `exit`.
function watch(): void {
  const { NativeSignalWatch } = native()
  if (!NativeSignalWatch || process.versions['electron'] !== undefined) return
  signals?.close()
  signals = new NativeSignalWatch(deadly.filter((signal) => process.listenerCount(signal) === 0))
}

// With its last listener Node puts the default back in place of what the engine has set.
function watchAgain(event: string | symbol): void {
  if (deadly.some((signal) => signal === event) && process.listenerCount(event) === 0) watch()
}

function sayGoodbye(): void {
  native().farewell?.()
}
