import assert from 'node:assert/strict'
import { BandwidthRtc, Rooms } from 'offhook/compat/bandwidth'
import { pbxOf, voice } from '../pbx.mjs'

/**
 * A PBX with the phone that hosts the rooms, and the account that all guests share; a client is what `joined` in a browser
 * would be: it is told of streams, and remembers them in order.
 */
export async function meeting(t, { rooms: options, ...more } = {}) {
  const { pbx, open } = await pbxOf(t, { users: ['rooms', 'guest', 'bob'], ...more })
  // The cheapest codec: a room has many calls in one process.
  const host = await open('rooms', { notifies: ['conference'], codecs: ['PCMU'] })
  const address = `sip:rooms@${pbx.domain}`
  const warnings = []
  const logger = { warn: (line) => warnings.push(line) }
  const rooms = new Rooms(host, { address, account: pbx.account('guest'), logger, ...options })
  t.after(() => rooms.close())
  const { id: sessionId } = await rooms.createSession({ tag: 'test room' })
  const invite = async (tag) => {
    const { participant, token } = await rooms.createParticipant({ tag })
    await rooms.addParticipantToSession(sessionId, participant.id)
    return { participant, token }
  }
  const client = (logLevel = 'silent') => {
    const rtc = new BandwidthRtc(logLevel)
    t.after(() => rtc.disconnect())
    const seen = []
    const waiting = new Set()
    const note = (entry) => {
      seen.push(entry)
      for (const look of [...waiting]) look()
    }
    rtc.onStreamAvailable((stream) => note({ available: stream.alias, stream }))
    rtc.onStreamUnavailable((endpointId) => note({ unavailable: endpointId }))
    const until = (what, deadline = 10_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`it was not so in time; seen: ${JSON.stringify(seen)}`)), deadline)
        const look = () => {
          const entry = seen.find(what)
          if (!entry) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(entry)
        }
        waiting.add(look)
        look()
      })
    return { rtc, seen, until }
  }
  const join = async (tag, frequency, alias) => {
    const { participant, token } = await invite(tag)
    const { rtc, seen, until } = client()
    const { ear, audio } = voice(frequency)
    await rtc.connect({ deviceToken: token }, { audio: 'none', output: ear })
    const stream = await rtc.publish(audio.mediaStream, undefined, alias)
    return { participant, token, rtc, seen, until, ear, stream }
  }
  return { pbx, open, host, rooms, sessionId, invite, client, join, warnings, address }
}

/** What a promise fails with. */
export const failure = (promise) => promise.then(() => assert.fail('it did not fail'), (error) => error)

/** What a token says. */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
}

/** A token that says that. */
export function written(claims) {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
}
