import { createInterface } from 'node:readline/promises'
import { CreateError } from './create-error.mjs'

/** Whether somebody is there to answer. */
export function canAsk() {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/** What is answered, or what is proposed; without a terminal that at once. */
export async function asked(question, proposed) {
  if (!canAsk()) return proposed
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const gone = new Promise((_, reject) => lines.once('close', () => reject(new CreateError('Nothing was made.'))))
  try {
    return (await Promise.race([lines.question(`${question} (${proposed}): `), gone])).trim() || proposed
  } finally {
    gone.catch(() => {})
    lines.close()
  }
}
