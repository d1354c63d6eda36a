import assert from 'node:assert/strict'
import { drain, quiet } from '../sound.mjs'
import { next, voice } from '../phones.mjs'
import { PATIENCE } from './lines.mjs'

export const transports = ['udp', 'tcp', 'tls', 'ws', 'wss']
export const keyings = ['dtls', 'sdes', 'rtp']
/** G.711 is µ-law if we call, and A-law if the other side does. */
export const codecs = ['opus', 'G.722', 'G.711']
export const directions = ['out', 'in']

const onWire = { opus: () => 'opus', 'G.722': () => 'G722', 'G.711': (direction) => (direction === 'out' ? 'PCMU' : 'PCMA') }

/** Over these nobody on the way to the server reads along, so keys may be said there without a further word. */
const secure = new Set(['tls', 'wss'])

/** Who can stand for a cell: software that is not ours. */
const counterparts = {
  baresip: () => true,
  Chromium: isOfBrowsers,
  rtpengine: isOfBrowsers,
}

function isOfBrowsers({ transport, keying }) {
  return /^wss?$/.test(transport) && keying === 'dtls'
}

/** All cells, with the codec's name on the wire and the names of those that stand for it. */
export const cells = transports.flatMap((transport) =>
  keyings.flatMap((keying) =>
    codecs.flatMap((codec) =>
      directions.map((direction) => {
        const cell = { transport, keying, codec, direction, payload: onWire[codec](direction) }
        return { ...cell, peers: Object.keys(counterparts).filter((name) => counterparts[name](cell)) }
      }),
    ),
  ),
)

/** Pairs of transport and keying that have tests of their own: keyings.test.mjs, and those of JsSIP. */
export const heldElsewhere = ['tls sdes', 'tls rtp', 'ws dtls']

/**
 * What CI tries each time, with baresip: each other keying over each transport. Codecs, and who calls, holds and hangs up, take turns.
 * What else there is, is tried by `npm run interop`.
 */
export const sample = keyings.flatMap((keying, first) =>
  transports
    .filter((transport) => !heldElsewhere.includes(`${transport} ${keying}`))
    .map((transport, number) => {
      const turn = first + number
      const wanted = { transport, keying, codec: codecs[turn % codecs.length], direction: directions[turn % directions.length] }
      return cells.find((cell) => Object.entries(wanted).every(([name, value]) => cell[name] === value))
    }),
)

/** What a phone's `media` says for this. */
export function mediaOf({ transport, keying }) {
  return [keying === 'sdes' && !secure.has(transport) ? 'sdes-unprotected' : keying]
}

/** A call of a cell, with sound each way: to the line, which has the address `theirs`, or from it to `ours`. */
export async function place({ direction }, phone, line, { ours, theirs = line.uri } = {}) {
  const { ear, audio } = voice(600)
  const session = await (direction === 'out' ? call(phone, line, audio, theirs) : take(phone, line, audio, ours))
  await line.established()
  const hear = () => line.exchanges(600, ear)
  await hear()
  return { session, ear, hear }
}

async function call(phone, line, audio, target) {
  const session = await phone.call(target, audio)
  await line.answer()
  await session.answered
  return session
}

async function take(phone, line, audio, target) {
  const ringing = next(phone, 'pendingSession', PATIENCE)
  await line.dial(target)
  const [{ id }] = await ringing
  const started = next(phone, 'sessionStarted', PATIENCE)
  phone.acceptPendingSession(id, audio)
  const [session] = await started
  if (!session.active) await next(session, 'change:active', PATIENCE)
  return session
}

/** That a call is what its cell says. */
export function isOf({ transport, keying, payload }, session) {
  assert.equal(session.codec?.toLowerCase(), payload.toLowerCase())
  assert.deepEqual([session.security.keying, session.security.signalling], [keying, transport])
  assert.equal(session.security.cipher === undefined, keying === 'rtp')
}

/** We hold and resume: the other side says nothing meanwhile. */
export async function hold({ session, ear, hear }) {
  await session.hold()
  drain(ear)
  await quiet(ear, PATIENCE)
  await session.resume()
  await hear()
}

/** The other side does. */
export async function isHeld({ session, ear, hear }, line) {
  const held = next(session, 'hold', PATIENCE)
  await line.hold()
  await held
  drain(ear)
  await quiet(ear, PATIENCE)
  const resumed = next(session, 'resume', PATIENCE)
  await line.resume()
  await resumed
  await hear()
}

export async function end({ session }, line) {
  await session.end()
  await line.ended()
}

export async function isEnded({ session }, line) {
  const ended = next(session, 'terminated', PATIENCE)
  await line.hangUp()
  const [, reason] = await ended
  assert.deepEqual([`${reason}`, reason.side], ['success', 'remote'])
  await line.ended()
}

const titles = {
  dtls: 'DTLS-SRTP',
  sdes: 'SDES',
  rtp: 'plain RTP',
}

/** The rows of docs/interop.md. */
export function rows() {
  return [
    `| | ${codecs.flatMap((codec) => [`${name(codec)}, we call`, 'it calls']).join(' | ')} |`,
    `|---|${codecs.flatMap(() => ['---', '---']).join('|')}|`,
    ...transports.flatMap((transport) =>
      keyings.map((keying) => {
        const row = cells.filter((cell) => cell.transport === transport && cell.keying === keying)
        return `| ${transport.toUpperCase()}, ${titles[keying]} | ${row.map(({ peers }) => `✓ ${peers.join(', ')}`).join(' | ')} |`
      }),
    ),
  ]
}

const name = (codec) => (codec === 'opus' ? 'Opus' : codec)
