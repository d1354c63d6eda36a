import { inspect } from 'node:util'
import { SoftphoneError } from '../index'
import { mismatch, type Rule } from '../schema'

/** Milliseconds that a server has for its whole answer. */
const ANSWER_MS = 30_000
/** Bytes of an answer that are read: what these APIs say is far below. */
const LONGEST_ANSWER = 1 << 20

const url = 'an http: or https: URL'

/** Where an API is, in the options of a façade. */
export const apiAddress: Rule = {
  check(name, value) {
    if (typeof value !== 'string' || !isHttp(value)) throw mismatch(name, value, url)
  },
  expected: url,
}

/** A request of a REST API. */
export interface RestRequest {
  method: string
  headers: Record<string, string>
  body?: string | URLSearchParams
  /** Gives up. */
  signal: AbortSignal
}

/**
 * Asks a REST API; resolves with the text of its answer. Redirects are not followed: the credentials are for this server.
 *
 * @throws `SoftphoneError` `ERR_HTTP`, whose `cause` is what the server said, or why it said nothing.
 */
export async function askRest(url: string, { signal, ...request }: RestRequest): Promise<string> {
  const what = `${request.method} ${pathOf(url)}`
  const giveUp = new AbortController()
  const abort = () => giveUp.abort(signal.reason)
  const timer = setTimeout(() => giveUp.abort(new Error(`nothing came in ${ANSWER_MS / 1000} s`)), ANSWER_MS)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal: giveUp.signal })
    const text = await textOf(response, what)
    if (!response.ok) throw httpError(`${what} was answered with ${response.status} ${response.statusText}`.trimEnd(), text)
    return text
  } catch (cause) {
    // What is left of a long answer is not waited for.
    giveUp.abort()
    throw cause instanceof SoftphoneError ? cause : httpError(`${what} failed: ${reasonOf(cause)}`, cause)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/**
 * A path of these segments. An id may be a peer's word, and `.` or `..` would climb: URLs resolve them, and no escape keeps them from it.
 *
 * @throws `SoftphoneError` `ERR_HTTP` for a segment that can be none.
 */
export function restPath(...segments: string[]): string {
  return segments.map((segment) => `/${escaped(segment)}`).join('')
}

/** Whether a text can name something in a path. */
export function isSegment(text: string): boolean {
  return !/^\.{0,2}$|\p{Surrogate}/u.test(text)
}

function isHttp(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol)
  } catch {
    return false
  }
}

function escaped(segment: string): string {
  if (isSegment(segment)) return encodeURIComponent(segment)
  throw httpError(`${inspect(segment)} can't be asked for: it names nothing in a path`)
}

/** What went wrong with a REST API. */
export function httpError(message: string, cause?: unknown): SoftphoneError {
  return new SoftphoneError(message, { code: 'ERR_HTTP', type: 'http', cause })
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname
  } catch (cause) {
    throw httpError(`The API's address is no URL: ${url}`, cause)
  }
}

async function textOf(response: Response, what: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > LONGEST_ANSWER) throw httpError(`The answer to ${what} is longer than ${LONGEST_ANSWER} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

// fetch says little itself: what its error is caused by names the address and the fault.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}
