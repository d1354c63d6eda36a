import { audioInput, audioOutput } from './audio'
import type { LogLevel } from './options'
import { mismatch, type Rule, type Schema } from './schema'

/** The levels of the log by importance. */
export const levels: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']

const urls: Rule = { either: ['text', { arrayOf: 'text', min: 1 }] }

/** Headers that the application adds. */
export const headers: Rule = { record: 'string' }

/** Where log lines go. */
export const logger: Rule = { check: checkLogger, expected: 'a logger' }

/** A list of ICE servers. */
export const iceServers: Rule = { arrayOf: { object: { urls, username: 'string', credential: 'string', expires: { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } } }, required: ['urls'] } }

/** The devices of a phone, as they can be changed. */
export const audioDevices: Schema = { input: audioInput, output: audioOutput, ring: audioOutput }

/** Throws for what is no logger. */
export function checkLogger(name: string, value: unknown): void {
  const missing = ['debug', 'info', 'warn', 'error'].find(
    (level) => typeof (value as Record<string, unknown> | null)?.[level] !== 'function',
  )
  if (missing) throw mismatch(name, value, `a logger with a function '${missing}', such as console`)
}
