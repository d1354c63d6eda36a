import { AudioSink, AudioSource, type PendingSession, type Softphone } from '../index'
import { accountOf, accountOptions } from './account'
import type { Cli, Command } from './cli'
import { complainOf } from './errors'
import { exitCode } from './exit-code'
import { abortOf } from './interrupt'
import { refusedForGood } from './listen'
import { withPhone } from './phone'
import { UsageError } from './usage-error'
import { nameOf, watchSession } from './watching'

const RATE = 48_000

export const echo: Command = {
  name: 'echo',
  summary: 'Answer every call, and play back what it says',
  about: 'A bot: it uses neither microphone nor speaker, and takes any number of calls.',
  options: accountOptions,
  run: answerAll,
}

async function answerAll(cli: Cli): Promise<number> {
  const { given, output, interrupt, keyboard } = cli
  if (given.words.length > 0) throw new UsageError(`echo takes no "${given.words[0]}".`)
  const account = await accountOf(cli)
  return withPhone(cli, { ...account, audio: 'none', autoAnswer: 'off' }, async (phone) => {
    phone.on('pendingSession', (pending) => void answer(phone, pending, cli))
    phone.on('sessionStarted', (session) => watchSession(session, output, () => phone.sessions[0] === session))
    const left = new Promise<number>((resolve) => keyboard?.listen((key) => key === 'q' && resolve(exitCode.done)))
    output.tell('waiting', {}, `waiting for calls${keyboard ? ' (q quits)' : ''}`)
    return (await Promise.race([left, abortOf(interrupt.signal), refusedForGood(phone)])) ?? exitCode.interrupted
  })
}

/** Says back what a caller says, for as long as the call lasts. */
export async function answer(phone: Softphone, pending: PendingSession, { output }: Cli): Promise<void> {
  const { id, address, uri, displayName } = pending
  output.tell('ringing', { session: id, address, uri, displayName }, `${nameOf(pending)} calls`)
  const ear = new AudioSink({ rate: RATE })
  const mouth = new AudioSource({ rate: RATE })
  ear.pipe(mouth)
  try {
    const session = await phone.answer(id, { mediaStream: mouth, audioElement: ear })
    await session.once('terminated')
  } catch (error) {
    complainOf(output, error, { session: id })
  } finally {
    ear.destroy()
    mouth.destroy()
  }
}
