import { createInterface } from 'node:readline'
import { CreateError } from './create-error.mjs'

/** One for all questions: what is typed ahead answers the next. */
let open

/** Whether somebody is there to answer. */
export function canAsk() {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/** What is answered, or what is proposed; without a terminal that at once. */
export async function asked(question, proposed) {
  if (!canAsk()) return proposed
  open ??= begin()
  open.lines.setPrompt(`${question} (${proposed}): `)
  open.lines.prompt()
  const { value, done } = await open.answers.next()
  if (done) throw new CreateError('Nothing was made.')
  return value.trim() || proposed
}

/** Lets the process end. */
export function askNoMore() {
  open?.lines.close()
}

function begin() {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  return { lines, answers: lines[Symbol.asyncIterator]() }
}
