import type { CallStats, EndReason } from 'offhook'

const errors: Record<string, string> = {
  ERR_AUTHENTICATION_FAILED: 'The server does not take this user and password.',
  ERR_CONNECTION_FAILED: 'The server can’t be reached. Look at your network.',
  ERR_NOT_CONNECTED: 'There is no connection to the server now. Calls that go on are not affected.',
  ERR_TOO_MANY_SESSIONS: 'This computer has no time for another call.',
  ERR_HOLD_FAILED: 'The other side did not agree to be put on hold, or taken off it. The call goes on.',
  ERR_TRANSFER_FAILED: 'The transfer did not work. The call goes on.',
  ERR_DTMF_REFUSED: 'The other side takes no digits.',
  ERR_NATIVE_ADDON: 'A part of this program can’t be loaded. Install it again.',
  ERR_NO_DEVICE: 'This device can’t be opened. Choose another one.',
  ERR_VIDEO_FAILED: 'The other side takes no pictures. The call goes on.',
  ERR_SESSION_ENDED: 'This call is over.',
  ERR_SESSION_CANCELLED: 'This call rings no more: its caller has given up, or somebody has taken or refused it.',
  NotAllowedError: 'The system, or somebody, does not allow it.',
  NotFoundError: 'There is no camera.',
  ERR_BRIDGE: 'The phone has stopped. It is started again by itself.',
}

const calls: Partial<Record<EndReason['condition'], string>> = {
  busy: 'is busy',
  decline: 'has declined',
  timeout: 'did not answer',
  gone: 'is not known there',
  cancel: 'was not waited for',
  'connectivity-error': 'was lost: the connection broke',
  'failed-transport': 'can’t be reached',
  'security-error': 'was not trusted: the connection is not safe',
  'incompatible-parameters': 'speaks no codec of ours',
}

/** What failed, for whoever sits here. */
export function explained(error: unknown): string {
  const { code, name = '', message = String(error) } = error as { code?: unknown; name?: string; message?: string }
  return errors[typeof code === 'string' ? code : name] ?? message
}

/** How a call ended that nobody here ended: undefined if there is nothing to say. */
export function ending(name: string, { condition, side, text }: EndReason): string | undefined {
  if (condition === 'success' || side === 'local') return undefined
  return `${name} ${calls[condition] ?? `is gone: ${text || condition}`}`
}

/** A MOS as people say it, and as a shape that is no colour alone. */
export function quality({ mos }: CallStats): { word: string; bars: 1 | 2 | 3 | 4 } {
  if (mos >= 4) return { word: 'Good', bars: 4 }
  if (mos >= 3.6) return { word: 'Fair', bars: 3 }
  return mos >= 3.1 ? { word: 'Poor', bars: 2 } : { word: 'Bad', bars: 1 }
}

/** 3:07, or 1:02:03. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rest = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

export function nameOf({ displayName, address }: { displayName?: string | undefined; address: string }): string {
  return displayName || address
}
