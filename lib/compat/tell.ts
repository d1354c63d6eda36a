/**
 * Calls what the application gave, if it is a function. What it throws becomes an uncaught exception of its own, as with a
 * phone's events: a bad listener takes neither what is told behind it nor the method that told it.
 */
export function tell<Args extends unknown[]>(listener: ((...args: Args) => unknown) | undefined, ...args: Args): void {
  if (typeof listener !== 'function') return
  try {
    listener(...args)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
