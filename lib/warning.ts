import type { WarningCode, WarningEvent } from './events'

interface WireWarned {
  warning: WarningCode
  text: string
  cause: string
  advice: string
  chosen?: string
  inUse?: string
}

/** @internal What `warning` says, of a session or of a conference. */
export function warningEvent({ warning: code, text: message, cause, advice, chosen, inUse }: WireWarned): WarningEvent {
  const event = { code, message, cause, advice }
  return chosen === undefined || inUse === undefined ? event : { ...event, chosen, inUse }
}
