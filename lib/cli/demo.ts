import { join } from 'node:path'
import { listDevices, type AudioOutput, type Session, type Softphone } from '../index'
import { Pbx } from '../testing'
import type { Cli, Command } from './cli'
import { Desk } from './desk'
import { answer } from './echo'
import { exitCode } from './exit-code'
import { decibels } from './figures'
import { abortOf } from './interrupt'
import { keepingOptions } from './keeping'
import type { Output } from './output'
import { phoneOf } from './phone'
import { soundOf, soundOptions } from './sound'
import { UsageError } from './usage-error'
import { watchSession } from './watching'

/** LibriVox's public-domain reading of Sense and Sensibility, in a loop. */
const SPEECH = join(__dirname, '..', '..', 'examples', 'speech.wav')
const TALK = 10_000
/** What is quieter than this, in dBFS, is not heard. */
const HEARD = -50

export const demo: Command = {
  name: 'demo',
  summary: 'Let two phones call each other here, without a server',
  about: 'A switchboard and two phones in this process: alice reads to bob, who says back what he hears. You hear alice\'s receiver, if there is a speaker.',
  options: {
    ...soundOptions,
    ...keepingOptions,
    duration: { value: 'SECONDS', help: 'Hang up after this time; default 10' },
  },
  run: demonstrate,
}

async function demonstrate(cli: Cli): Promise<number> {
  const { given, output } = cli
  if (given.words.length > 0) throw new UsageError(`demo takes no "${given.words[0]}": bob is called. To call somebody else: offhook call ${given.words[0]}`)
  const talk = given.milliseconds('duration') ?? TALK
  const { input = { wav: SPEECH, loop: true }, output: speaker = await speakerOf(output) } = await soundOf(cli, SPEECH)
  const users = ['alice', 'bob'].map((name) => ({ name, password: `${name}-secret` }))
  const pbx = await Pbx.start({ users })
  output.tell('pbx', { url: pbx.url }, `a switchboard listens on ${pbx.url}`)
  const [ofAlice, ofBob] = [named(cli, 'alice'), named(cli, 'bob')]
  const phones: Softphone[] = []
  try {
    const alice = phoneOf(ofAlice, { ...pbx.account('alice'), audio: { input, output: speaker } })
    phones.push(alice)
    const bob = phoneOf(ofBob, { ...pbx.account('bob'), audio: 'none' })
    phones.push(bob)
    await Promise.all(phones.map((phone) => phone.initialize({ signal: cli.interrupt.signal })))
    const heard = ears(bob, ofBob)
    return await converse(alice, ofAlice, talk, heard)
  } finally {
    await Promise.all(phones.map((phone) => phone.destroy()))
    await pbx.close()
  }
}

async function speakerOf(output: Output): Promise<AudioOutput> {
  const devices = await listDevices()
  if (devices.some((device) => device.kind === 'audiooutput' && device.default)) return 'default'
  output.tell('noSpeaker', {}, 'there is no speaker here: you see the call, and do not hear it')
  return 'none'
}

/** Lets bob say back what he hears; gives how loud each of the two has heard the other at most. */
function ears(bob: Softphone, ofBob: Cli): Record<'alice' | 'bob', number> {
  const heard = { alice: 0, bob: 0 }
  bob.on('pendingSession', (pending) => void answer(bob, pending, ofBob))
  bob.on('sessionStarted', (session) => {
    watchSession(session, ofBob.output, () => false)
    session.on('level', ({ remote }) => (heard.bob = Math.max(heard.bob, remote)))
  })
  return heard
}

async function converse(alice: Softphone, ofAlice: Cli, talk: number, heard: Record<'alice' | 'bob', number>): Promise<number> {
  const { output, interrupt, keyboard } = ofAlice
  const desk = new Desk(ofAlice, alice)
  const { over } = desk
  const session = await alice.call('bob', { signal: interrupt.signal })
  output.tell('calling', { session: session.id, uri: session.uri }, `calls ${session.uri}`)
  session.on('level', ({ remote }) => (heard.alice = Math.max(heard.alice, remote)))
  await session.answered
  if (keyboard) output.say('has your keyboard: m mutes, h holds, q hangs up, ? lists the keys')
  const timer = new AbortController()
  const ended = await Promise.race([over, abortOf(interrupt.signal).then(() => desk.hangUp()), after(talk, timer.signal).then(() => farewell(session, over))])
  timer.abort()
  if (ended === undefined) return exitCode.interrupted
  return session.duration < talk ? ended : judged(heard, ofAlice.output)
}

/** Presses some keys and hangs up. */
async function farewell(session: Session, over: Promise<number>): Promise<number> {
  if (session.active) await session.sendDtmf('42#').catch(() => {})
  await session.end()
  return over
}

function judged(heard: Record<'alice' | 'bob', number>, output: Output): number {
  let code: number = exitCode.done
  for (const [name, what] of [['bob', 'alice\'s reading'], ['alice', 'its echo']] as const) {
    const level = decibels(heard[name])
    if (level >= HEARD) output.tell('heard', { by: name, db: level }, `${name} heard ${what} at ${level} dB`)
    else {
      output.complain('error', { code: 'nothing-heard', by: name, db: level }, `${name} heard nothing of ${what}`)
      code = exitCode.failed
    }
  }
  return code
}

function after(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}

/** The same, for one of the two phones: what happens to it is told with its name and the time. */
function named(cli: Cli, phone: string): Cli {
  const { output } = cli
  const shown = (text: string) => `${String(Math.round(performance.now())).padStart(6)} ms  ${phone.padEnd(5)}  ${text}`
  const wrapped: Output = {
    tell: (event, details, text) => output.tell(event, { phone, ...details }, shown(text)),
    say: (text) => output.say(shown(text)),
    complain: (event, details, text, remedy) => output.complain(event, { phone, ...details }, shown(text), remedy),
    trace: (level, message, details) => output.trace(level, `${phone}: ${message}`, details),
    sounds: (figures) => output.sounds(figures),
    measures: (figures) => output.measures(figures),
    ask: (line) => output.ask(line),
    close: () => output.close(),
  }
  return { ...cli, output: wrapped }
}
