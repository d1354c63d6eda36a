import { SoftphoneError } from '../index'
import { readArguments, type Given } from './arguments'
import { call } from './call'
import type { Cli, Command } from './cli'
import { demo } from './demo'
import { devices } from './devices'
import { doctor } from './doctor'
import { echo } from './echo'
import { complainOf, errorText } from './errors'
import { exitCode, ofError } from './exit-code'
import { commonOptions, helpOf, overview, version } from './help'
import { Interrupt } from './interrupt'
import { JsonLines } from './json-lines'
import { Keyboard } from './keyboard'
import { listen } from './listen'
import { didYouMean } from './nearest'
import type { Output } from './output'
import { PlainLines } from './plain-lines'
import { printable } from './printable'
import { Terminal } from './terminal'
import { UsageError } from './usage-error'

const commands: readonly Command[] = [call, listen, echo, devices, demo, doctor]

/** Runs what was typed, and says by the process's exit code what became of it. */
export async function run(typed: readonly string[]): Promise<void> {
  try {
    process.exitCode = await dispatch(typed)
  } catch (error) {
    process.stderr.write(`${printable(errorText(error))}\n`)
    process.exitCode = ofError(error)
  }
}

async function dispatch([first, ...rest]: readonly string[]): Promise<number> {
  if (first === undefined || first === '--help' || first === '-h') return show(overview(commands))
  if (first === '--version' || first === '-V' || first === 'version') return show(`${version()}\n`)
  if (first === 'help') return show(rest[0] === undefined ? overview(commands) : helpOf(commandOf(rest[0])))
  const command = commandOf(first)
  const given = readArguments(rest, { ...command.options, ...commonOptions })
  if (given.has('help')) return show(helpOf(command))
  return perform(command, given)
}

function show(text: string): number {
  process.stdout.write(text)
  return exitCode.done
}

function commandOf(name: string): Command {
  const found = commands.find((command) => command.name === name)
  if (found) return found
  if (name.startsWith('-')) throw new UsageError(`The command comes before its options: offhook ${commands.map(({ name }) => name).join(' | ')}`)
  if (/^(sips?|tel):|^\+?\d+$|@/i.test(name)) throw new UsageError(`There is no command ${name}. Did you mean: offhook call ${name}`)
  const names = commands.map(({ name }) => name)
  throw new UsageError(`There is no command ${name}.${didYouMean(name, names)} There are: ${names.join(', ')}. More: offhook help`)
}

async function perform(command: Command, given: Given): Promise<number> {
  const interrupt = new Interrupt()
  const output = outputFor(given)
  // Keys would be pressed at nothing if there is nobody who sees what they do.
  const keyboard = output instanceof Terminal && process.stdin.isTTY ? new Keyboard(interrupt, output) : undefined
  const cli: Cli = { given, output, keyboard, interrupt }
  try {
    const code = await command.run(cli)
    return interrupt.code ?? code
  } catch (error) {
    if (interrupt.code !== undefined) return interrupt.code
    if (error instanceof UsageError) throw error
    complainOf(output, error)
    // A fault of ours: where it was.
    if (!(error instanceof SoftphoneError)) output.trace('error', 'offhook failed', { stack: (error as Error).stack })
    return ofError(error)
  } finally {
    output.close()
    keyboard?.close()
    interrupt.over()
  }
}

function outputFor(given: Given): Output {
  if (given.has('json')) return new JsonLines()
  const { isTTY } = process.stdout
  if (!isTTY || process.env['TERM'] === 'dumb') return new PlainLines()
  return new Terminal(!process.env['NO_COLOR'])
}
