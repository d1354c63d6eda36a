import { SoftphoneError } from '../index'
import type { Output } from './output'
import { UsageError } from './usage-error'

/** Tells of an error; `about` says what else a program may want to know, such as the session. */
export function complainOf(output: Output, error: unknown, about: object = {}): void {
  const text = errorText(error)
  const { code, sip } = error instanceof SoftphoneError ? error : {}
  output.complain('error', { ...about, code, message: text, sip }, text)
}

/** What options are called at the command line, in the texts of the package's errors. */
const names: Readonly<Record<string, string>> = {
  uri: '--user',
  servers: '--server',
  username: '--auth-user',
  password: '--password',
  accessToken: '--token',
  displayName: '--display-name',
  httpProxy: '--proxy',
  iceServers: '--ice',
  'tls.ca': '--ca',
  'audio.input.tone': '--input',
}

/** An error in a sentence or two for people, with what caused it. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof UsageError) return error.message
  if (!(error instanceof SoftphoneError)) return oneLine(error.message)
  const cause = error.cause instanceof Error && error.cause.message !== error.message ? error.cause.message : ''
  // That of `initialize()` is PureCloud's, and says nothing beside its cause.
  const whole = error.type === 'initialization' && cause !== '' ? cause : [error.message, cause].filter(Boolean).join(': ')
  return oneLine(whole).replace(/Option '([\w.]+?)(\[\d+\][\w.]*)?'/g, (text, name: string) => names[name] ?? text).replaceAll('tls.ca', '--ca')
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, ' ')
}
