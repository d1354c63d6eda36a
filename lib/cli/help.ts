import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OptionTable } from './arguments'
import type { Command } from './cli'
import { callKeys } from './desk'
import { exitCodes } from './exit-code'

/** The options of every command. */
export const commonOptions: OptionTable = {
  json: { help: 'Print what happens as lines of JSON' },
  trace: { help: 'Show the log with every SIP message, secrets left out' },
  help: { short: 'h', help: 'Show this' },
}

/** The version of the package. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as { version: string }
  return version
}

/** What there is. */
export function overview(commands: readonly Command[]): string {
  return `offhook ${version()}: a softphone in the terminal

Usage: offhook <command> [options]

${columns([...commands.map(({ name, takes = '', summary }) => [`${name} ${takes}`.trim(), summary] as const), ['help <command>', 'Show a command\'s options']])}

Without a server:  offhook demo
With one:          offhook call bob --user sip:alice@example.com --server wss://pbx.example.com/ws
`
}

/** How a command is used. */
export function helpOf({ name, takes, summary, about, options }: Command): string {
  const sections = [
    `Usage: offhook ${[name, takes, '[options]'].filter(Boolean).join(' ')}`,
    [`${summary}.`, about].filter(Boolean).join('\n'),
    columns(Object.entries({ ...options, ...commonOptions }).map(([option, { short, value, help }]) => [`${short ? `-${short}, ` : '    '}--${option}${value ? ` ${value}` : ''}`, help])),
    ...(['call', 'listen', 'demo'].includes(name) ? [`Keys in a call:\n${columns(callKeys)}`] : []),
    ...(name === 'call' ? [`Ends with:\n${columns(exitCodes.map(([code, meaning]) => [String(code), meaning]))}`] : []),
  ]
  return `${sections.join('\n\n')}\n`
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n')
}
