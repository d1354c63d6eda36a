/**
 * Text of other people's as a terminal may show it: what would move its cursor, change its colours, or turn the direction of what
 * stands around it is replaced by U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** One line of JSON, without what a terminal would take for a command. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A line of the log as people read it; what has lines of its own, as a SIP message, keeps them. */
export function traceText(level: string, message: string, details: unknown): string {
  const more = Object.entries(typeof details === 'object' && details !== null ? details : { details })
  const short = more.filter(([, value]) => !isLong(value) && value !== undefined && value !== null)
  const words = short.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const long = more.filter(([, value]) => isLong(value)).flatMap(([, value]) => String(value).trimEnd().split(/\r?\n/))
  return [[level, message, ...words].join(' '), ...long.map((line) => `    ${line}`)].map((line) => `${printable(line)}\n`).join('')
}

function isLong(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\n')
}
