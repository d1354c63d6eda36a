import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BandwidthRtcError } from 'offhook/compat/bandwidth'
import { eventually, uncaughtBy } from '../phones.mjs'
import { next } from '../pbx.mjs'
import { claimsOf, failure, meeting, written } from './bandwidth-harness.mjs'

/** The stream, once the host knows that the call before it is over. */
async function published(rtc) {
  const deadline = performance.now() + 10_000
  for (;;) {
    try {
      return await rtc.publish({ tone: 600 })
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}

describe('mistakes of users of the Bandwidth façade', { timeout: 60_000 }, () => {
  test('unpublish at once ends what is being published', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const publishing = failure(rtc.publish({ tone: 600 }))
    await rtc.unpublish()
    assert.ok((await publishing) instanceof BandwidthRtcError)
    assert.equal(rtc.phone.sessions.length, 0)
    // The token is free again, as soon as the host knows.
    await published(rtc)
  })

  test('a connection that was given up leaves the next one alone', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    const first = failure(rtc.connect({ deviceToken: token }, { audio: 'none' }))
    const gone = rtc.disconnect()
    const second = rtc.connect({ deviceToken: token }, { audio: 'none' })
    assert.match((await first).message, /^'connect' failed: /)
    await Promise.all([second, gone])
    await rtc.publish({ tone: 600 })
  })

  test('what is being published when all is disconnected fails, and the next one is not its', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const publishing = failure(rtc.publish({ tone: 600 }))
    await rtc.disconnect()
    assert.match((await publishing).message, /^'publish' failed: /)
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    await published(rtc)
  })

  test('who disconnects in a callback is told of nobody more', async (t) => {
    const { join, invite, client } = await meeting(t)
    await join('Ann', 600)
    await join('Bob', 1000)
    const { token } = await invite('Cid')
    const { rtc } = client()
    const told = []
    let gone
    rtc.onStreamUnavailable((endpointId) => told.push(endpointId))
    rtc.onStreamAvailable((stream) => {
      told.push(stream)
      gone ??= rtc.disconnect()
    })
    await rtc.connect({ deviceToken: token }, { audio: 'none' }).catch(() => {})
    await eventually(() => gone)
    await gone
    assert.deepEqual(told.slice(1), [told[0].endpointId])
  })

  test('a call that arrives while its session ends is not let in', async (t) => {
    const { rooms, sessionId, invite, client, host } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const joined = []
    rooms.on('participantJoined', (_, { tag }) => joined.push(tag))
    const arrives = next(host, 'pendingSession')
    const publishing = rtc.publish({ tone: 600 }).catch(() => {})
    await arrives
    await rooms.endSession(sessionId)
    await publishing
    await eventually(() => host.sessions.length === 0 && rtc.phone.sessions.length === 0)
    assert.deepEqual(joined, [])
  })

  test('whatever is wrong is a BandwidthRtcError that shows no token', async (t) => {
    const { invite, client } = await meeting(t)
    const claims = claimsOf((await invite('Ann')).token)
    const { rtc } = client()
    for (const authParams of [
      undefined,
      null,
      { deviceToken: 7 },
      { deviceToken: written({ v: { toString: 1 } }) },
      { deviceToken: written({ v: 'x'.repeat(100_000) }) },
      { deviceToken: written({ ...claims, key: 'k'.repeat(100_000) }) },
      { deviceToken: written({ ...claims, key: 'k\r\nX-Other: 1' }) },
      { deviceToken: written({ ...claims, sip: [] }) },
      { deviceToken: written({ ...claims, sip: { ...claims.sip, uri: 'nobody' } }) },
      { deviceToken: written({ ...claims, sip: { ...claims.sip, password: 12345678 } }) },
      { deviceToken: written({ ...claims, sip: { ...claims.sip, servers: null } }) },
    ]) {
      const error = await failure(rtc.connect(authParams, { audio: 'none' }))
      assert.ok(error instanceof BandwidthRtcError, `${error}`)
      assert.ok(error.message.length < 400 && !/kkk|xxxxxxxxxxxxxxxxx|12345678|-password/.test(error.message), error.message)
      assert.equal(rtc.phone, undefined)
    }
    const options = [{ iceServers: 5 }, { websocketUrl: 7 }, { account: {} }, { audio: 'loud' }]
    for (const given of options) {
      const error = await failure(rtc.connect({ deviceToken: written(claims) }, given))
      assert.ok(error instanceof BandwidthRtcError, `${error}`)
    }
    await rtc.connect({ deviceToken: written(claims) }, { audio: 'none' })
    for (const input of [null, 5, { foo: 1 }, { audio: false }]) {
      const error = await failure(rtc.publish(input))
      assert.ok(error instanceof BandwidthRtcError, `${error}`)
    }
    const stream = await rtc.publish({ audio: { deviceId: null } })
    for (const other of [null, undefined, {}, 'another']) {
      assert.match((await failure(rtc.unpublish(other))).message, /^No stream of the id/)
    }
    await rtc.unpublish(stream)
  })

  test('what is no call of the host takes nobody’s place in the room', async (t) => {
    const { rooms, invite, host, open, pbx } = await meeting(t)
    const { participant, token } = await invite('Telephone')
    const bob = await open('bob')
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: 'none', audioElement: 'none' }))
    const call = await host.call(`sip:bob@${pbx.domain}`, { mediaStream: 'none', audioElement: 'none' })
    await call.answered
    for (const session of [undefined, null, {}, bob.sessions[0]]) {
      const error = await failure(rooms.admit(token, session))
      assert.ok(error instanceof BandwidthRtcError, `${error}`)
    }
    await rooms.admit(token, call)
    assert.equal((await rooms.getParticipant(participant.id)).connected, true)
    const another = await invite('Another')
    assert.match((await failure(rooms.admit(another.token, call))).message, /in a room already/)
    const left = next(rooms, 'participantLeft')
    await call.end()
    assert.equal((await left)[1].id, participant.id)
    await assert.rejects(rooms.admit(token, call), BandwidthRtcError)
  })

  test('one participant does not take the subscriptions of all, also not at once', async (t) => {
    const { invite, open, address } = await meeting(t)
    const { token } = await invite('Ann')
    const bob = await open('bob')
    const headers = { 'X-Participant-Token': claimsOf(token).key }
    const asked = Array.from({ length: 8 }, () => bob.subscribe(address, 'conference', { headers }))
    const settled = await Promise.allSettled(asked)
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 4)
  })

  test('a level callback that throws is an uncaught exception, as with every other', async (t) => {
    const { invite, client } = await meeting(t)
    const { token } = await invite('Ann')
    const { rtc } = client()
    await rtc.connect({ deviceToken: token }, { audio: 'none' })
    const fault = new Error('thrown by a callback')
    let told = 0
    const uncaught = await uncaughtBy(async () => {
      const level = () => {
        told += 1
        throw fault
      }
      await rtc.publish({ tone: 600 }, level)
      await eventually(() => told > 0)
    })
    assert.equal(uncaught[0], fault)
  })
})
