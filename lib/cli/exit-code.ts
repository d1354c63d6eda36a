import { EndReason, SoftphoneError, type EndCondition } from '../index'
import { UsageError } from './usage-error'

/** What the process ends with; a signal adds its number to 128, as shells do. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  network: 3,
  account: 4,
  busy: 5,
  noAnswer: 6,
  refused: 7,
  nobodyThere: 8,
  interrupted: 130,
} as const

/** What each of them means, for the help. */
export const exitCodes: readonly (readonly [code: number, meaning: string])[] = [
  [exitCode.done, 'the call was answered, and has ended'],
  [exitCode.failed, 'something else went wrong'],
  [exitCode.usage, 'what was typed is wrong'],
  [exitCode.network, 'the server or the other party can not be reached, or was lost'],
  [exitCode.account, 'the server refuses the account'],
  [exitCode.busy, 'busy'],
  [exitCode.noAnswer, 'nobody answered'],
  [exitCode.refused, 'the call was refused'],
  [exitCode.nobodyThere, 'there is nobody at that address'],
  [exitCode.interrupted, 'Ctrl-C'],
]

/** The code of a call that is over. */
export function ofEnd(reason: EndReason, answered: boolean): number {
  return answered ? ofAnswered(reason) : ofUnanswered(reason.condition)
}

/** The code of what failed. */
export function ofError(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage
  if (!(error instanceof SoftphoneError)) return exitCode.failed
  if (error.cause instanceof EndReason) return ofEnd(error.cause, false)
  switch (error.code) {
    case 'ERR_INVALID_OPTION':
    case 'ERR_INVALID_ARGUMENT':
      return exitCode.usage
    case 'ERR_CONNECTION_FAILED':
    case 'ERR_NOT_CONNECTED':
    case 'ERR_PROXY_AUTHENTICATION':
    case 'ERR_PROXY_FAILED':
    case 'ERR_REQUEST_TIMEOUT':
      return exitCode.network
    case 'ERR_ACCESS_TOKEN':
    case 'ERR_PASSWORD':
      return exitCode.account
    case 'ERR_AUTHENTICATION_FAILED':
    case 'ERR_REGISTRATION_FAILED':
      return ofRegistrar(statusOf(error))
    default:
      return exitCode.failed
  }
}

/** The code of what a registrar says: whether it refuses the account, or can't be used. */
export function ofRegistrar(status: number | undefined): number {
  return status !== undefined && [401, 403, 404, 407].includes(status) ? exitCode.account : exitCode.network
}

function statusOf({ sip, cause }: SoftphoneError): number | undefined {
  return sip?.code ?? (cause instanceof SoftphoneError ? statusOf(cause) : undefined)
}

function ofAnswered({ condition, side }: EndReason): number {
  const broken: readonly EndCondition[] = ['connectivity-error', 'expired', 'failed-transport', 'media-error', 'security-error']
  return side === 'network' || broken.includes(condition) ? exitCode.network : exitCode.done
}

function ofUnanswered(condition: EndCondition): number {
  switch (condition) {
    case 'busy':
      return exitCode.busy
    case 'timeout':
    case 'expired':
    case 'cancel':
      return exitCode.noAnswer
    case 'gone':
      return exitCode.nobodyThere
    case 'connectivity-error':
    case 'failed-transport':
    case 'media-error':
      return exitCode.network
    case 'alternative-session':
    case 'decline':
    case 'failed-application':
    case 'general-error':
    case 'incompatible-parameters':
    case 'security-error':
    case 'success':
    case 'unsupported-applications':
    case 'unsupported-transports':
      return exitCode.refused
  }
}
