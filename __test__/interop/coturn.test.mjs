import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { connect } from '../phones.mjs'
import { startCoturn } from './coturn.mjs'
import { peers } from './peers.mjs'
import { wrtcPhone } from './wrtc.mjs'

/** The kinds of the two addresses that media takes: `relay host`. */
async function path(session) {
  const report = await session.getStats()
  const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport')
  const pair = report.get(selectedCandidatePairId)
  return [pair.localCandidateId, pair.remoteCandidateId].map((id) => report.get(id).candidateType).join(' ')
}

describe('coturn', { skip: peers('coturn') }, () => {
  let coturn
  before(async () => (coturn = await startCoturn()))
  after(() => coturn?.stop())

  const relayed = (more) => ({ iceServers: [{ ...coturn.server, ...more }], iceTransportPolicy: 'relay' })

  test('carries a call of two phones that use nothing else, and takes back what it gave', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', relayed()), open('bob', relayed())])
    const call = await connect(alice, bob, 'bob')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    assert.deepEqual([await path(call.outgoing), await path(call.incoming)], ['relay relay', 'relay relay'])
    await call.outgoing.end()
    const granted = coturn.lines(/ALLOCATE processed, success/).length
    await coturn.logs(new RegExp(`(refreshed, .* lifetime=0\\s[^]*){${granted}}`))
  })

  for (const caller of ['relayed', 'direct']) {
    test(`carries a call of which only one side uses it, when the ${caller} one calls`, async (t) => {
      const { open } = await pbxOf(t)
      const [alice, bob] = await Promise.all([open('alice', relayed()), open('bob')])
      const call = await (caller === 'relayed' ? connect(alice, bob, 'bob') : connect(bob, alice, 'alice'))
      await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
      const [session, other] =
        caller === 'relayed' ? [call.outgoing, call.incoming] : [call.incoming, call.outgoing]
      assert.match(await path(session), /^relay /)
      assert.match(await path(other), / (relay|prflx)$/)
      await call.outgoing.end()
    })
  }

  test('is given credentials for a limited time by a function, which is asked again while a call runs', async (t) => {
    const secret = 'shared-secret'
    const timed = await startCoturn({ more: ['--use-auth-secret', `--static-auth-secret=${secret}`] })
    t.after(() => timed.stop())
    const asked = new EventEmitter()
    const given = []
    const iceServers = async () => {
      const username = `${Math.floor(Date.now() / 1000) + 3600}:call-${given.length}`
      const credential = createHmac('sha1', secret).update(username).digest('base64')
      given.push(username)
      asked.emit('question')
      return [{ urls: timed.server.urls, username, credential, expires: Date.now() + 4000 }]
    }
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { iceServers, iceTransportPolicy: 'relay' }), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    const before = given.length
    await once(asked, 'question', { signal: AbortSignal.timeout(10_000) })
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    await call.outgoing.end()
    const again = await connect(alice, bob, 'bob')
    await Promise.all([hears(again.callerEar, 1000), hears(again.calleeEar, 600)])
    assert.match(await path(again.outgoing), /^relay /)
    await again.outgoing.end()
    const users = timed.lines(/ALLOCATE processed, success/).map((line) => line.match(/user <([^>]*)>/)?.[1])
    assert.deepEqual([users[0], given.indexOf(users.at(-1)) >= before], [given[0], true], users.join())
  })

  test('is not needed where the direct way works', async (t) => {
    const { open } = await pbxOf(t)
    const options = { iceServers: [coturn.server] }
    const [alice, bob] = await Promise.all([open('alice', options), open('bob', options)])
    const call = await connect(alice, bob, 'bob')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    assert.equal(await path(call.outgoing), 'host host')
    await call.outgoing.end()
  })

  test('carries a call with libwebrtc', { skip: peers('wrtc') }, async (t) => {
    const { pbx, open } = await pbxOf(t)
    const { uri, password } = pbx.account('bob')
    const pcConfig = relayed()
    const [peer, phone] = await Promise.all([
      wrtcPhone({ server: pbx.url, uri, password, pcConfig }),
      open('alice', relayed()),
    ])
    t.after(() => peer.stop())
    const { ear, audio } = voice(600)
    const session = await phone.call('bob', audio)
    await peer.event('incoming')
    await peer.answer(1000)
    await session.answered
    await Promise.all([hears(ear, 1000), peer.hears(600)])
    assert.equal(await path(session), 'relay relay')
    await session.end()
  })

  test('that refuses our password delays no call that can do without it', async (t) => {
    const { open } = await pbxOf(t)
    const options = { iceServers: [{ ...coturn.server, credential: 'wrong' }] }
    const [alice, bob] = await Promise.all([open('alice', options), open('bob')])
    const started = performance.now()
    const call = await connect(alice, bob, 'bob')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    assert.ok(performance.now() - started < 3000, 'it waited for the server')
    await call.outgoing.end()
  })

  test('that refuses our password fails a call that needs it, at once', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', relayed({ credential: 'wrong' })), open('bob')])
    const started = performance.now()
    await assert.rejects(alice.call('bob'), { code: 'ERR_MEDIA' })
    const ringing = next(alice, 'pendingSession')
    const session = await bob.call('alice')
    const [{ id }] = await ringing
    alice.acceptPendingSession(id)
    const failure = await session.answered.catch((reason) => reason)
    assert.equal(failure.sip?.code, 500)
    assert.ok(performance.now() - started < 3000, 'it waited for the server')
  })
})

describe('A TURN server that says nothing', () => {
  test('delays a call by no more than the limit of gathering', async (t) => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const server = { urls: `turn:127.0.0.1:${silent.address().port}`, username: 'a', credential: 'b' }
    const { open } = await pbxOf(t)
    const limit = 400
    const options = { iceServers: [server], iceGatheringTimeout: limit }
    const [alice, bob] = await Promise.all([open('alice', options), open('bob')])
    const started = performance.now()
    const ringing = next(bob, 'pendingSession')
    const session = await alice.call('bob')
    await ringing
    const waited = performance.now() - started
    assert.ok(waited >= limit && waited < limit + 1000, `the call took ${waited} ms`)
    await session.end()
  })
})
