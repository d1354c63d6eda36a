import type { Given, OptionTable } from './arguments'
import type { Interrupt } from './interrupt'
import type { Keyboard } from './keyboard'
import type { Output } from './output'

/** What a command is run with. */
export interface Cli {
  readonly given: Given
  readonly output: Output
  /** Undefined if there is nobody at a keyboard. */
  readonly keyboard: Keyboard | undefined
  readonly interrupt: Interrupt
}

/** A command of the terminal phone. */
export interface Command {
  readonly name: string
  /** What stands behind its name, such as `<target>`. */
  readonly takes?: string
  /** What it does, in a line. */
  readonly summary: string
  /** What else there is to know. */
  readonly about?: string
  readonly options: OptionTable
  /** Runs it; resolves with what the process ends with. */
  run(cli: Cli): Promise<number>
}
