import type { Figures } from './figures'

/** Where what happens is shown: a terminal, plain lines, or lines of JSON. */
export interface Output {
  /** Something happened; programs get `event` and `details`, people the text. */
  tell(event: string, details: object, text: string): void
  /** As {@link tell}, for people alone. */
  say(text: string): void
  /** Something is wrong: as {@link tell}, to where errors go, for people with what helps. */
  complain(event: string, details: object, text: string, remedy?: string): void
  /** A line of the log, for whoever looks for a fault. */
  trace(level: string, message: string, details: unknown): void
  /** How loud a call is, ten times a second; undefined if there is none any more. */
  sounds(figures: Figures | undefined): void
  /** How a call's network is, once a second. */
  measures(figures: Figures): void
  /** What is asked for at the keyboard, with what was typed so far; undefined if nothing is. */
  ask(line: string | undefined): void
  /** Leaves the screen as it was found. */
  close(): void
}
