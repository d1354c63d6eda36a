import { typeName } from './schema'

/**
 * Says of what a function of the application threw no more than its name and code. Its message may hold a secret: that of a fetch quotes
 * the URL, that of JSON.parse what it read.
 */
export function thrown(error: unknown): string {
  try {
    if (!(error instanceof Error)) return typeName(error)
    const { name, code } = error as { name: unknown; code?: unknown }
    const called = typeof name === 'string' ? name : 'an error'
    return (typeof code === 'string' ? `${called} (${code})` : called).toWellFormed()
  } catch {
    // One whose properties throw themselves.
    return 'an error'
  }
}
