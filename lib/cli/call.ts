import type { Session, Softphone } from '../index'
import { accountOf, accountOptions } from './account'
import type { Given } from './arguments'
import type { Cli, Command } from './cli'
import { Desk } from './desk'
import { complainOf } from './errors'
import { exitCode } from './exit-code'
import { abortOf } from './interrupt'
import { keepingOptions } from './keeping'
import { withPhone } from './phone'
import { soundOf, soundOptions } from './sound'
import { UsageError } from './usage-error'
import { beginningOf } from './width'

export const call: Command = {
  name: 'call',
  takes: '<target>',
  summary: 'Call somebody with the microphone and the speaker',
  about: 'The target is a SIP address (sip:bob@example.com), a user at your own domain (bob), or a telephone number (+15551234567).',
  options: {
    ...accountOptions,
    ...soundOptions,
    ...keepingOptions,
    timeout: { value: 'SECONDS', help: 'Give up if nobody answers in this time' },
    digits: { value: 'DIGITS', help: 'Send these digits once it is answered; a comma waits for two seconds' },
    duration: { value: 'SECONDS', help: 'Hang up so long after the answer' },
  },
  run: placeCall,
}

async function placeCall(cli: Cli): Promise<number> {
  const { given, interrupt, output } = cli
  const target = targetOf(given)
  const [timeout, duration] = [given.milliseconds('timeout'), given.milliseconds('duration')]
  const audio = await soundOf(cli)
  const account = await accountOf(cli)
  return withPhone(cli, { ...account, audio, autoAnswer: 'off', tones: { ring: false } }, async (phone) => {
    refuseOthers(phone, cli)
    const desk = new Desk(cli, phone)
    const { over } = desk
    const session = await phone.call(target, { signal: interrupt.signal, ...(timeout !== undefined && { timeout }) })
    output.tell('calling', { session: session.id, uri: session.uri }, `calling ${session.uri}${cli.keyboard ? ' (q gives up, ? lists the keys)' : ''}`)
    const timers = new AbortController()
    session.answered.then(
      () => whenAnswered(session, cli, timers.signal, duration),
      () => {},
    )
    try {
      return (await Promise.race([over, abortOf(interrupt.signal).then(() => desk.hangUp())])) ?? exitCode.interrupted
    } finally {
      timers.abort()
    }
  })
}

function targetOf({ words: [target, ...more] }: Given): string {
  if (target === undefined) throw new UsageError('Whom shall be called? offhook call <target>')
  if (more.length > 0) throw new UsageError(`One call has one target, but there are ${more.length + 1}. Put one with blanks in quotes.`)
  return target
}

// This phone is there for one call: another is told so, and not left to ring.
function refuseOthers(phone: Softphone, { output }: Cli): void {
  phone.on('pendingSession', ({ id, address, uri, autoAnswer }) => {
    // It takes the place of the call that there is: a transfer.
    if (autoAnswer) return
    output.tell('refused', { address, uri }, `${beginningOf(address, 40)} calls, and is told that you are busy`)
    phone.rejectPendingSession(id).catch(() => {})
  })
}

function whenAnswered(session: Session, { given, output }: Cli, signal: AbortSignal, duration: number | undefined): void {
  const fails = (error: unknown) => complainOf(output, error)
  const digits = given.value('digits')
  if (digits !== undefined) session.sendDtmf(digits, { signal }).then(() => output.tell('digitsSent', { session: session.id }, 'digits sent'), fails)
  if (duration === undefined) return
  const timer = setTimeout(() => session.end().catch(fails), duration)
  signal.addEventListener('abort', () => clearTimeout(timer))
}
