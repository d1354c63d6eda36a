import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { connect, eventually } from '../phones.mjs'
import { drain } from '../sound.mjs'
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

describe('coturn whose credentials end in mid call', { skip: peers('coturn'), concurrency: true }, () => {
  /** A call over a relay of credentials that end after `lasts` seconds each; `options` are coturn's. */
  async function limited(t, lasts, { nonceLifetime, lifetime }) {
    const secret = 'shared-secret'
    const more = ['--use-auth-secret', `--static-auth-secret=${secret}`, `--max-allocate-lifetime=${lifetime}`]
    const server = await startCoturn({ nonceLifetime, more })
    t.after(() => server.stop())
    let given = 0
    const iceServers = async () => {
      const username = `${Math.floor(Date.now() / 1000) + lasts}:call-${given++}`
      const credential = createHmac('sha1', secret).update(username).digest('base64')
      return [{ urls: server.server.urls, username, credential }]
    }
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { iceServers, iceTransportPolicy: 'relay' }), open('bob')])
    const call = await connect(alice, bob, 'bob')
    const hear = () => {
      for (const ear of [call.callerEar, call.calleeEar]) drain(ear)
      return Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    }
    await hear()
    const ended = (user) => Date.now() / 1000 > Number(user.split(':')[0]) + 1
    const users = () => server.lines(/ALLOCATE processed, success/).map((line) => line.match(/user <([^>]*)>/)[1])
    return { server, call, hear, ended, users }
  }

  test('renews a relay whose credentials have ended, and the call goes on over it', async (t) => {
    // It is renewed after half of its life, when its credentials are a second too old.
    const { server, call, hear, ended, users } = await limited(t, 3, { lifetime: 10 })
    const began = Date.now()
    await server.logs(/refreshed, .* lifetime=[1-9]/, 20_000)
    const [first] = users()
    assert.ok(ended(first), `${first} had not ended`)
    await pause(began + 11_000 - Date.now())
    await hear()
    assert.deepEqual(new Set(users()), new Set([first]), 'it is the first relay')
    assert.match(await path(call.outgoing), /^relay /)
    await call.outgoing.end()
  })

  test('renews no relay any more, and the call goes on over another of the credentials that came meanwhile', async (t) => {
    // A nonce that is stale when the relay is to be renewed, and a life too short for another try.
    const { server, call, hear, ended, users } = await limited(t, 4, { nonceLifetime: 2, lifetime: 6 })
    const [first] = users()
    await eventually(() => users().some((user) => user !== first), 30_000)
    assert.ok(ended(first), `${first} had not ended`)
    // While ICE restarts there is no pair.
    while (!/^relay /.test(await path(call.outgoing).catch(() => ''))) await pause(50)
    await hear()
    assert.equal(server.lines(/refreshed, .* lifetime=[1-9]/).length, 0)
    await call.outgoing.end()
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
