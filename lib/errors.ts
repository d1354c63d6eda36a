import { inspect } from 'node:util'
import { EndReason, type EndCondition, type EndReasonInit } from './end-reason'
import type { ErrorCode } from './error-code'

/** The kind of a failure, as the PureCloud SDK names them. */
export type ErrorType =
  | 'generic'
  | 'initialization'
  | 'invalid_token'
  | 'http'
  | 'invalid_options'
  | 'not_supported'
  | 'session'
  | 'call'
  | 'media'

/** A SIP status that a peer or a server sent. */
export interface SipStatus {
  /** The status code, 100–699. */
  code: number
  /** The reason phrase as received. */
  reason: string
}

/** What a {@link SoftphoneError} is made of. */
export interface SoftphoneErrorInit {
  /** A stable name, `ERR_…`. */
  code: ErrorCode
  /** The kind of failure. */
  type: ErrorType
  /** The SIP status behind it, if there is one. */
  sip?: SipStatus | undefined
  /** What caused it. */
  cause?: unknown
}

/** A {@link SoftphoneError} as plain data, for JSON, `structuredClone`, a MessagePort or Electron's IPC. */
export interface SoftphoneErrorJson {
  name: 'SoftphoneError'
  message: string
  code: ErrorCode
  type: ErrorType
  sip?: SipStatus
  /** Another error, the end of a call, or text. */
  cause?: unknown
  stack?: string
}

/**
 * The one error class of this package: tell failures apart by `code`, which is stable.
 *
 * `structuredClone`, and with it a MessagePort and Electron's IPC, keeps no more of an error than its message, stack and cause:
 * send `error.toJSON()`, and make an error of it again with `SoftphoneError.from`.
 */
export class SoftphoneError extends Error {
  /** A stable name, `ERR_…`. */
  readonly code: ErrorCode
  /** The kind of failure. */
  readonly type: ErrorType
  /** The SIP status behind it, if there is one. */
  declare readonly sip?: SipStatus

  constructor(message: string, { code, type, sip, cause }: SoftphoneErrorInit) {
    super(message, cause === undefined ? undefined : { cause })
    Object.defineProperty(this, 'name', { value: 'SoftphoneError', configurable: true, writable: true })
    this.code = code
    this.type = type
    if (sip) this.sip = sip
  }

  /**
   * The error as plain data; `JSON.stringify` uses it by itself. Of its causes there are eight at most: the one after them, and one that
   * is among those it caused, is text.
   */
  toJSON(): SoftphoneErrorJson {
    return plainError(this, [])
  }

  /** The error that `toJSON()` made plain, in another thread or process. What was no SoftphoneError is one of code `ERR_UNKNOWN`. */
  static from(error: SoftphoneErrorJson | Error): SoftphoneError {
    if (error instanceof SoftphoneError) return error
    return errorOf(error, 0)
  }
}

/** Causes of causes that are kept: what an error is handed on with must not depend on how often it was wrapped. */
const MOST_CAUSES = 8
/** Characters of a cause that is text. */
const MOST_TEXT = 8192

/** `caused` is what this is the cause of, the outermost first. */
function plainError(error: SoftphoneError, caused: readonly unknown[]): SoftphoneErrorJson {
  const { message, code, type, sip, stack, cause } = error
  return {
    name: 'SoftphoneError',
    message,
    code,
    type,
    ...(sip && { sip: { ...sip } }),
    ...(cause !== undefined && { cause: plainCause(cause, [...caused, error]) }),
    ...(stack !== undefined && { stack }),
  }
}

// What a function of the application threw may be anything, also what can't be cloned.
function plainCause(cause: unknown, caused: readonly unknown[]): unknown {
  try {
    if (cause instanceof EndReason) return { ...cause }
    if (!(cause instanceof Error)) return textOf(cause)
    if (caused.includes(cause)) return `[Circular] ${textOf(cause)}`
    if (caused.length > MOST_CAUSES) return textOf(cause)
    if (cause instanceof SoftphoneError) return plainError(cause, caused)
    const { name, message, stack } = cause
    return {
      name: String(name),
      message: String(message),
      ...(cause.cause !== undefined && { cause: plainCause(cause.cause, [...caused, cause]) }),
      ...(stack && { stack: String(stack) }),
    }
  } catch {
    return 'a cause that can not be read'
  }
}

function textOf(value: unknown): string {
  const text = typeof value === 'object' && !(value instanceof Error) ? inspect(value) : String(value)
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text
}

// What comes from another process may be anything.
function errorOf(error: unknown, depth: number): SoftphoneError {
  if (typeof error !== 'object' || error === null) return errorOf(new Error(String(error)), depth)
  const { message, code, type, sip, cause, stack } = error as Partial<SoftphoneErrorJson>
  const made = new SoftphoneError(String(message), {
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    type: type ?? 'generic',
    sip,
    cause: cause === undefined ? undefined : causeOf(cause, depth + 1),
  })
  if (typeof stack === 'string') made.stack = stack
  return made
}

function causeOf(cause: unknown, depth: number): unknown {
  if (typeof cause !== 'object' || cause === null || cause instanceof Error) return cause
  if ('condition' in cause && 'side' in cause) return EndReason.of(cause as EndReasonInit)
  if (depth > MOST_CAUSES) return textOf(cause)
  if ('code' in cause && 'type' in cause) return errorOf(cause, depth)
  const { name, message, stack, cause: deeper } = cause as Partial<Error>
  const made = new Error(String(message), deeper === undefined ? undefined : { cause: causeOf(deeper, depth + 1) })
  Object.defineProperty(made, 'name', { value: String(name ?? 'Error'), configurable: true, writable: true })
  if (typeof stack === 'string') made.stack = stack
  return made
}

/** @internal */
export function invalidOption(message: string): SoftphoneError {
  return new SoftphoneError(message, { code: 'ERR_INVALID_OPTION', type: 'invalid_options' })
}

/**
 * The same error with the option it is about as somebody else calls it, by its whole path or by the option that it is in. An option in
 * camel case or quotes that the text speaks of further on is called so as well.
 *
 * @internal
 */
export function renamed(error: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof SoftphoneError)) return error
  const nameOf = (name: string) => (Object.hasOwn(names, name) ? names[name] : undefined)
  const [, before = '', name = '', inside = '', after = ''] = /^(Option ')?(\w*)([\w.[\]]*)(.*)$/s.exec(error.message) ?? []
  const renamedPath = nameOf(name + inside) ?? (nameOf(name) ?? name) + inside
  // A list of options that there are is no text about one of them.
  const isList = after.startsWith("' must be one of ")
  const rest = isList ? after : after.replace(/\b[a-z]+[A-Z]\w*|(?<=')\w+(?=')/g, (word) => nameOf(word) ?? word)
  const message = before + renamedPath + rest
  const { code, type, sip, cause } = error
  return message === error.message ? error : new SoftphoneError(message, { code, type, sip, cause })
}

/**
 * What everything rejects with whose signal was aborted; the signal's reason is its `cause`.
 *
 * @internal
 */
export function aborted({ reason }: AbortSignal): SoftphoneError {
  const why = reason instanceof Error ? reason.message : inspect(reason)
  return new SoftphoneError(`The signal was aborted: ${why}`, { code: 'ERR_ABORTED', type: 'generic', cause: reason })
}

/**
 * The error of an outgoing call that nobody answered: `ERR_CALL_BUSY`, `ERR_CALL_TIMEOUT`, …, after the end's condition.
 *
 * @internal
 */
export function unanswered(reason: EndReason): SoftphoneError {
  return new SoftphoneError(`The call was not answered: ${reason.text || reason.condition}`, {
    code: callCode(reason.condition),
    type: 'call',
    sip: reason.sip,
    cause: reason,
  })
}

function callCode(condition: EndCondition): ErrorCode {
  return `ERR_CALL_${condition.replaceAll('-', '_').toUpperCase()}`
}
