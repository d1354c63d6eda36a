import type { WarningCode, WarningEvent } from './events'

interface WireWarned {
  warning: WarningCode
  text: string
  chosen?: string
  inUse?: string
}

/** @internal What `warning` says, of a session or of a conference. */
export function warningEvent({ warning: code, text: message, chosen, inUse }: WireWarned): WarningEvent {
  return chosen === undefined || inUse === undefined ? { code, message } : { code, message, chosen, inUse }
}
