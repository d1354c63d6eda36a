import { types } from 'node:util'
import type { Logger, LogLevel } from './options'

/** Writes a line to the application's logger, in the order of arguments that it takes; what fails there harms nothing here. */
export function writeLine(logger: Logger, level: LogLevel, text: string, details?: unknown): void {
  try {
    const done: unknown = logger[method(level)](...line(logger, text, details))
    if (types.isPromise(done)) done.catch((error: unknown) => complain(logger, error))
  } catch (error) {
    complain(logger, error)
  }
}

// `log` is another thing in nearly each logger, if there at all: winston's wants a level first.
function method(level: LogLevel): 'debug' | 'info' | 'warn' | 'error' {
  if (level === 'trace') return 'debug'
  return level === 'log' ? 'info' : level
}

function line(logger: Logger, text: string, details: unknown): [message: string, details?: unknown] {
  if (details === undefined || details === null) return [text]
  if (!takesFieldsFirst(logger)) return [text, details]
  const fields = typeof details === 'object' ? details : { details }
  return [fields, text] as unknown as [string]
}

// pino and bunyan: they have children and no `log`, and drop fields that come behind the message.
function takesFieldsFirst(logger: Logger): boolean {
  const { child, log } = logger as { child?: unknown; log?: unknown }
  return typeof child === 'function' && typeof log !== 'function'
}

const complained = new WeakSet<Logger>()

function complain(logger: Logger, error: unknown): void {
  if (complained.has(logger)) return
  complained.add(logger)
  process.emitWarning(`The logger failed: ${error instanceof Error ? error.message : String(error)}`, 'OffhookWarning')
}
