import { Softphone, SoftphoneError, type Logger, type SoftphoneOptions } from '../index'
import type { Cli } from './cli'
import { complainOf } from './errors'
import { abortOf, type Interrupt } from './interrupt'
import type { Output } from './output'
import { watchPhone } from './watching'

/** A server that takes connections and ends them again would be tried for ever; in milliseconds. */
const PATIENCE_MS = 30_000

/** Makes a phone and connects it, tells what becomes of it, lets it be used, and destroys it whatever happens. */
export async function withPhone(cli: Cli, options: SoftphoneOptions, use: (phone: Softphone) => Promise<number>): Promise<number> {
  const phone = phoneOf(cli, options)
  try {
    await connect(phone, cli.interrupt, cli.given.milliseconds('timeout') ?? PATIENCE_MS)
    return await use(phone)
  } finally {
    await phone.destroy()
  }
}

/** Connects and registers within so many milliseconds. */
export async function connect(phone: Softphone, interrupt: Interrupt, patience: number): Promise<void> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), patience)
  void abortOf(interrupt.signal).then(() => late.abort())
  try {
    await phone.initialize({ signal: late.signal })
  } catch (error) {
    if (!late.signal.aborted || interrupt.signal.aborted) throw error
    const message = `The server has not taken us in ${patience / 1000} s`
    throw new SoftphoneError(message, { code: 'ERR_CONNECTION_FAILED', type: 'initialization' })
  } finally {
    clearTimeout(timer)
  }
}

/** Makes a phone that tells here what becomes of it. */
export function phoneOf({ given, output }: Cli, options: SoftphoneOptions): Softphone {
  const traced = given.has('trace')
  const phone = new Softphone({ ...options, logger: traced ? silent : loggerOf(output, options), logLevel: 'warn' })
  if (traced) phone.on('trace', (level, message, details) => output.trace(level, message, details))
  // What fails in `initialize()` is told by its promise.
  phone.on('error', (error) => {
    if (error.type !== 'initialization') complainOf(output, error)
  })
  watchPhone(phone, output)
  return phone
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** What is odd about the phone as a whole; what is odd about a call is told by its warnings. */
function loggerOf(output: Output, { servers }: SoftphoneOptions): Logger {
  const several = Array.isArray(servers) && servers.length > 1
  const warn = (message: string, details?: unknown) => {
    const about = typeof details === 'object' && details !== null ? (details as Record<string, unknown>) : {}
    // Of the only server, the error says as much.
    if ('id' in about || ('server' in about && !several)) return
    const text = [message, about['server'], about['reason']].filter(Boolean).join(': ')
    output.complain('warning', { code: 'log', message: text }, text)
  }
  return { ...silent, warn, error: warn }
}
