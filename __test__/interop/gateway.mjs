import assert from 'node:assert/strict'
import { next, phonesOf, voice } from '../phones.mjs'
import { behindRtpengine } from './rtpengine.mjs'
import { answer, playTone, receive, reply, request, sdp, startSipp } from './sipp.mjs'

/** What sipp waits for until it is told to `goOn`, so that whom it tells something listens. */
export const toldToGoOn = [receive('INFO'), reply('200 OK')]

export async function goOn(session) {
  // A BYE that follows can overtake the 200, for Kamailio has several processes.
  const isOver = ({ code }) => code === 'ERR_SESSION_ENDED'
  await session.sendInfo({ contentType: 'text/plain', body: 'go on' }).catch((error) => assert.ok(isOver(error), error))
}

/** For a suite: a Kamailio and an rtpengine between Alice, who is ours, and sipp. */
export function gateway() {
  let kamailio
  behindRtpengine((started) => (kamailio = started))

  const aliceOf = (t, options) => {
    const account = { uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio.ws }
    return phonesOf(t).open({ ...account, ...options })
  }

  const sippOf = async (t, steps, options) => {
    const sipp = await startSipp(kamailio, steps, options)
    t.after(() => sipp.stop())
    return sipp
  }

  /** A call from Alice, with `call`'s options, to a sipp that expects `matches` in its INVITE, answers at once and goes through these steps. */
  const called = async (t, steps, { phone, call, matches, sound = voice(600) } = {}) => {
    const [alice, sipp] = await Promise.all([
      aliceOf(t, phone),
      sippOf(t, () => [
        receive('INVITE', { keep: true, matches }),
        answer('200 OK', { tag: 'callee', sdp: sdp() }),
        receive('ACK'),
        playTone,
        ...steps,
      ]),
    ])
    const session = await alice.call(sipp.uri, { ...sound.audio, ...call })
    await session.answered
    return { alice, sipp, session, ear: sound.ear }
  }

  /**
   * A sipp that calls Alice: with `steps` once it is answered, `headers` and `offer` in its INVITE, or a `first` of its own;
   * `watch` is what is waited for from before it calls.
   */
  const ringing = async (t, steps, { first, headers, offer = sdp(), phone, watch } = {}) => {
    const alice = await aliceOf(t, phone)
    const pending = next(alice, 'pendingSession')
    const watched = watch?.(alice)
    const invite = (scenario) => [
      request('INVITE', 1, { scenario, within: false, headers, body: offer }),
      receive(100, { optional: true }),
      receive(180, { optional: true }),
      receive(200),
      request('ACK', 1, { scenario }),
      playTone,
    ]
    const sipp = await sippOf(t, (scenario) => [...(first ?? invite)(scenario), ...steps(scenario)], { call: 'alice' })
    return { alice, sipp, pending: (await pending)[0], watched }
  }

  /** The same, and Alice takes the call. */
  const calling = async (t, steps, options) => {
    const { alice, sipp, pending } = await ringing(t, steps, options)
    const { ear, audio } = voice(600)
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(pending.id, audio)
    const [session] = await started
    if (!session.active) await next(session, 'change:active')
    return { alice, sipp, session, ear, pending }
  }

  return { aliceOf, sippOf, called, ringing, calling }
}
