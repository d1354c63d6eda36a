import { levels } from './checked-options'
import { writeLine } from './log'
import type { Logger, LogLevel } from './options'

/** The lines of one phone: which of them the engine makes, and where they go. */
export class PhoneLog {
  /** The least level of the lines that the application's logger gets. */
  readonly least: LogLevel
  /** The least level of the lines that the engine makes. */
  made: LogLevel
  readonly #logger: Logger

  constructor({ logLevel = 'info', logger = console }: { logLevel?: LogLevel; logger?: Logger }) {
    this.least = logLevel
    this.made = logLevel
    this.#logger = logger
  }

  write(level: LogLevel, message: string, details: unknown): void {
    if (levels.indexOf(level) >= levels.indexOf(this.least)) writeLine(this.#logger, level, `[offhook] ${message}`, details)
  }
}
