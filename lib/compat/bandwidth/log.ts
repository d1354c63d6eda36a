import type { Logger, LogLevel, Softphone, SoftphoneOptions } from '../../index'
import { writeLine } from '../../log'

/** What is logged at least; `silent` logs nothing. */
export type RtcLogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

const order: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']

/** The log of one BandwidthRtc, its phone's included, whose level can be changed at any time. */
export class RtcLog {
  #level: RtcLogLevel
  #logger: Logger = console
  #phone: Softphone | undefined
  /** The least level that the phone logs by itself. */
  #phoneLevel: LogLevel = 'warn'
  readonly #trace = (level: LogLevel, message: string, details: unknown) => {
    if (order.indexOf(level) < order.indexOf(this.#phoneLevel)) this.#write(level, message, details)
  }

  constructor(level: RtcLogLevel) {
    this.#level = level
  }

  to(logger: Logger | undefined): void {
    this.#logger = logger ?? console
  }

  setLevel(level: RtcLogLevel): void {
    this.#level = level
    this.#listen()
  }

  info(message: string): void {
    this.#write('info', `[offhook] ${message}`)
  }

  warn(message: string): void {
    this.#write('warn', `[offhook] ${message}`)
  }

  /** What the phone is made with, so that its lines come here. */
  forPhone(): Pick<SoftphoneOptions, 'logger' | 'logLevel'> {
    this.#phoneLevel = this.#level === 'silent' ? 'error' : this.#level
    const write = (level: LogLevel) => (message: string, details?: unknown) => this.#write(level, message, details)
    return {
      logLevel: this.#phoneLevel,
      logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    }
  }

  follow(phone: Softphone): void {
    this.#phone = phone
    this.#listen()
  }

  // A phone makes finer lines than those it was made for only while somebody listens.
  #listen(): void {
    this.#phone?.off('trace', this.#trace)
    const finer = this.#level !== 'silent' && order.indexOf(this.#level) < order.indexOf(this.#phoneLevel)
    if (finer) this.#phone?.on('trace', this.#trace)
  }

  #write(level: LogLevel, message: string, details?: unknown): void {
    if (this.#level === 'silent' || order.indexOf(level) < order.indexOf(this.#level)) return
    writeLine(this.#logger, level, message, details)
  }
}
