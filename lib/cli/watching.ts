import type { CallStats, CallSummary, EndReason, LevelEvent, Session, Softphone } from '../index'
import { clock, plain } from './figures'
import type { Output } from './output'
import { beginningOf } from './width'

/** More of a name than these cells helps nobody who reads it. */
const NAME_WIDTH = 40

/** Tells what becomes of a phone's connection and account. */
export function watchPhone(phone: Softphone, output: Output): void {
  phone.on('connected', ({ server, reconnect }) => output.tell('connected', { server, reconnect }, reconnect ? `connected again to ${server}` : `connected to ${server}`))
  phone.on('disconnected', ({ reason, reconnecting, retryIn }) => {
    const next = reconnecting && retryIn !== undefined ? `; next try in ${plain(retryIn / 1000)} s` : ''
    if (reconnecting) output.complain('disconnected', { reason, reconnecting, retryIn }, `connection lost: ${reason}${next}`)
  })
  phone.on('registered', ({ expires }) => output.tell('registered', { expires }, `registered for ${expires} s`))
  phone.on('registrationFailed', ({ code, reason, fatal, retryIn }) => {
    output.complain('registrationFailed', { code, reason, fatal, retryIn }, `not registered: ${[code, reason].filter(Boolean).join(' ')}`)
  })
}

/** Tells what becomes of a call, until it is over; `inFront` says whether its sound is the one that is shown, `more` what else is to be marked. */
export function watchSession(session: Session, output: Output, inFront: () => boolean, more: () => readonly string[] = () => []): void {
  const name = nameOf(session)
  const about = { session: session.id }
  const tell = (event: string, details: object, text: string) => output.tell(event, { ...about, ...details }, text)
  session.on('progress', ({ code, reason, earlyMedia }) => {
    tell('progress', { code, reason, earlyMedia }, `${code} ${reason}${earlyMedia ? ', sound before the answer' : ''}`)
  })
  session.on('redirected', ({ code, target }) => tell('redirected', { code, target }, `redirected to ${target}`))
  session.on('change:active', (_, active) => {
    if (active) tell('answered', { with: session.uri, codec: session.codec }, `talking to ${name}${session.codec ? `, ${session.codec}` : ''}`)
  })
  session.on('dtmf', ({ tone, duration, method }) => tell('dtmf', { tone, duration, method }, `${name} pressed ${tone}`))
  session.on('mute', () => tell('mute', {}, 'muted'))
  session.on('unmute', () => tell('unmute', {}, 'no longer muted'))
  session.on('hold', ({ side }) => tell('hold', { side }, side === 'local' ? `${name} is on hold` : `${name} put you on hold`))
  session.on('resume', ({ side }) => tell('resume', { side }, side === 'local' ? `${name} is no longer on hold` : `${name} took you off hold`))
  session.on('change:interrupted', (_, interrupted) => {
    tell(interrupted ? 'interrupted' : 'recovered', {}, interrupted ? 'interrupted: nothing is heard, or the server is gone' : 'everything is back')
  })
  session.on('transferProgress', ({ code, reason }) => tell('transferProgress', { code, reason }, `transfer: ${code} ${reason}`))
  session.on('warning', (warning) => output.complain('warning', { ...about, ...warning }, warning.message, warning.advice))
  session.on('warningCleared', ({ code }) => tell('warningCleared', { code }, `no longer so: ${code}`))
  session.on('terminated', (_, reason) => {
    const { condition, text, side, sip, q850, summary } = reason
    tell('ended', { condition, text, side, sip, q850, duration: session.duration, summary }, endText(session, reason))
    if (summary && session.duration > 0) output.say(summaryText(summary))
  })
  watchSound(session, output, inFront, more)
}

function watchSound(session: Session, output: Output, inFront: () => boolean, more: () => readonly string[]): void {
  let level: LevelEvent | undefined
  let stats: CallStats | undefined
  const figures = () => {
    const marks = [session.muted && 'muted', session.held && 'on hold', session.remoteHeld && 'held by them', session.interrupted && 'interrupted']
    return { name: nameOf(session), duration: session.duration, level, stats, marks: [...marks.filter((mark) => mark !== false), ...more()] }
  }
  session.on('level', (event) => {
    level = event
    if (inFront()) output.sounds(figures())
  })
  session.on('stats', (event) => {
    stats = event
    if (inFront()) output.measures(figures())
  })
  session.on('terminated', () => output.sounds(undefined))
}

/** How somebody is called here. */
export function nameOf({ displayName, address }: { displayName?: string | undefined; address: string }): string {
  return beginningOf(displayName ?? address, NAME_WIDTH)
}

function endText({ startTime, duration }: Session, { condition, side, text }: EndReason): string {
  if (startTime === undefined) return `not answered: ${text}`
  const usual = side === 'local' && condition === 'success'
  return `ended after ${clock(duration)}${usual ? '' : `: ${text}`}`
}

/** How a call was. */
function summaryText({ codec, mos, loss, jitter, rtt }: CallSummary): string {
  const roundTrip = rtt === null ? [] : [`round trip ${Math.round(rtt)} ms`]
  return [codec ?? 'no codec', `MOS ${mos.mean.toFixed(1)}, at its worst ${mos.least.toFixed(1)}`, `loss ${plain(loss)} %`, `jitter ${plain(jitter)} ms`, ...roundTrip].join(', ')
}
