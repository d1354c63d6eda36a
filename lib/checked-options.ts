import { audioInput, audioOutput } from './audio'
import type { LogLevel } from './options'
import { isText, mismatch, shownNumber, type Rule, type Schema } from './schema'
import { invalidArgument } from './session'

/** The levels of the log by importance. */
export const levels: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']

/** Milliseconds. */
export const milliseconds: Rule = { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } }

const urls: Rule = { either: ['text', { arrayOf: 'text', min: 1 }] }

/** Headers that the application adds. */
export const headers: Rule = { record: 'string' }

/** Where log lines go. */
export const logger: Rule = { check: checkLogger, expected: 'a logger' }

/** A list of ICE servers. */
export const iceServers: Rule = { arrayOf: { object: { urls, username: 'string', credential: 'string', expires: { number: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } } }, required: ['urls'] } }

/** How a message is sent. */
export const messaging: Schema = { contentType: 'text', headers }

/** How a call is announced. */
export const expecting: Schema = { conversationId: 'text', timeout: milliseconds }

/** The devices of a phone, as they can be changed. */
export const audioDevices: Schema = { input: audioInput, output: audioOutput, ring: audioOutput }

/** Throws for what is no logger. */
export function checkLogger(name: string, value: unknown): void {
  const missing = ['debug', 'info', 'warn', 'error'].find(
    (level) => typeof (value as Record<string, unknown> | null)?.[level] !== 'function',
  )
  if (missing) throw mismatch(name, value, `a logger with a function '${missing}', such as console`)
}

/** Throws for what names nobody who could be called or asked. */
export function checkTarget(target: unknown): void {
  if (!isText(target) || target === '') throw invalidArgument('target', target, 'a SIP address or a number')
}

/** The id of what was asked for by an event. */
export function checkedRequest(id: number, event = 'subscriptionRequest'): number {
  if (Number.isSafeInteger(id) && id >= 0) return id
  throw invalidArgument('id', id, `the id of a '${event}'`, shownNumber(id))
}
