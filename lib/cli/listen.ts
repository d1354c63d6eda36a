import type { Softphone } from '../index'
import { accountOf, accountOptions } from './account'
import type { Cli, Command } from './cli'
import { Desk } from './desk'
import { exitCode, ofRegistrar } from './exit-code'
import { abortOf } from './interrupt'
import { keepingOptions } from './keeping'
import { withPhone } from './phone'
import { ringOption, soundOf, soundOptions } from './sound'
import { UsageError } from './usage-error'

export const listen: Command = {
  name: 'listen',
  summary: 'Wait for calls, ring, and answer by a key',
  about: 'While a call goes on, others hear that you are busy.',
  options: {
    ...accountOptions,
    ...soundOptions,
    ...ringOption,
    ...keepingOptions,
    'auto-answer': { help: 'Answer every call by itself: whoever calls hears your microphone' },
    once: { help: 'End after the first call' },
  },
  run: waitForCalls,
}

async function waitForCalls(cli: Cli): Promise<number> {
  const { given, output, interrupt, keyboard } = cli
  const answers = given.has('auto-answer')
  if (!keyboard && !answers) throw new UsageError('There is no keyboard here by which to answer: add --auto-answer.')
  if (given.words.length > 0) throw new UsageError(`listen takes no "${given.words[0]}". To call somebody: offhook call ${given.words[0]}`)
  const audio = await soundOf(cli)
  const account = await accountOf(cli)
  return withPhone(cli, { ...account, audio, autoAnswer: answers ? 'always' : 'off', maxSessions: 1, tones: true }, async (phone) => {
    const desk = new Desk(cli, phone)
    phone.on('pendingSession', (pending) => desk.ring(pending))
    tellOfMissed(phone, desk, cli)
    output.tell('waiting', {}, `waiting for calls${answers ? ', which are answered by themselves: whoever calls hears this microphone' : ''}${keyboard ? ' (q quits)' : ''}`)
    const ends = [desk.left, abortOf(interrupt.signal).then(() => desk.hangUp()), refusedForGood(phone), ...(given.has('once') ? [firstCall(phone, desk)] : [])]
    return (await Promise.race(ends)) ?? exitCode.interrupted
  })
}

function tellOfMissed(phone: Softphone, desk: Desk, { output }: Cli): void {
  phone.on('cancelPendingSession', (id, { side, reason }) => {
    desk.stopRinging(id)
    output.tell('missed', { session: id, side, condition: reason.condition, text: reason.text }, side === 'local' ? 'refused' : `missed: ${reason.text}`)
  })
  phone.on('handledPendingSession', (id, { elsewhere, reason }) => {
    desk.stopRinging(id)
    output.tell('handled', { session: id, elsewhere, text: reason.text }, reason.text)
  })
}

/** Resolves when the first call is over, answered or not. */
function firstCall(phone: Softphone, desk: Desk): Promise<number> {
  const missed = new Promise<number>((resolve) => {
    phone.on('cancelPendingSession', () => resolve(exitCode.noAnswer))
    phone.on('handledPendingSession', () => resolve(exitCode.noAnswer))
  })
  return Promise.race([desk.over, missed])
}

/** Resolves when the server wants nothing more to do with this account. */
export function refusedForGood(phone: Softphone): Promise<number> {
  return new Promise((resolve) => phone.on('registrationFailed', ({ fatal, code }) => fatal && resolve(ofRegistrar(code))))
}
