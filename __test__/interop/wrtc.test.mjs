import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VideoSink, VideoSource } from 'offhook'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { proxyOf } from '../proxy-server.mjs'
import { drain } from '../sound.mjs'
import { peers } from './peers.mjs'
import { wrtcPhone } from './wrtc.mjs'

async function pathChanges(session) {
  const report = [...(await session.getStats()).values()]
  return report.find(({ type }) => type === 'transport').selectedCandidatePairChanges
}

describe('JsSIP and libwebrtc in Node, through the embedded PBX', { skip: peers('wrtc') }, () => {
  async function both(t, options, more) {
    const { pbx, open } = await pbxOf(t)
    const { uri, password } = pbx.account('bob')
    const [peer, phone] = await Promise.all([
      wrtcPhone({ server: pbx.url, uri, password, ...more }),
      open('alice', options),
    ])
    t.after(() => peer.stop())
    return [peer, phone]
  }

  for (const codec of ['opus', 'PCMU']) {
    test(`are called with ${codec}; they hang up`, async (t) => {
      const [peer, phone] = await both(t, { codecs: [codec] })
      const { ear, audio } = voice(600)
      const session = await phone.call('bob', audio)
      await peer.event('incoming')
      await peer.answer(1000)
      await session.answered
      await Promise.all([hears(ear, 1000), peer.hears(600)])
      assert.equal((await peer.received()).codec, `audio/${codec}`)
      assert.equal(session.codec?.toLowerCase(), codec.toLowerCase())
      const ended = next(session, 'terminated')
      await peer.hangUp()
      const [, reason] = await ended
      assert.deepEqual([`${reason}`, reason.side], ['success', 'remote'])
    })

    test(`call with ${codec}; we hang up`, async (t) => {
      const [peer, phone] = await both(t, { codecs: [codec] })
      const ringing = next(phone, 'pendingSession')
      await peer.call('alice', 1000)
      const [{ id, address }] = await ringing
      assert.equal(address, 'bob')
      const { ear, audio } = voice(600)
      const started = next(phone, 'sessionStarted')
      phone.acceptPendingSession(id, audio)
      const [session] = await started
      await peer.event('confirmed')
      await Promise.all([hears(ear, 1000), peer.hears(600)])
      assert.equal((await peer.received()).codec, `audio/${codec}`)
      await session.end()
      assert.equal((await peer.event('ended')).originator, 'remote')
    })
  }

  /** The ends of the way that media takes, ours first. */
  async function ends(session) {
    const report = await session.getStats()
    const pair = report.get([...report.values()].find(({ type }) => type === 'transport').selectedCandidatePairId)
    return [pair.localCandidateId, pair.remoteCandidateId].map((id) => report.get(id))
  }

  async function overStream(session) {
    const [ours, theirs] = await ends(session)
    assert.deepEqual([ours.protocol, ours.tcpType, theirs.protocol, theirs.tcpType], ['tcp', 'active', 'tcp', 'passive'])
    return theirs
  }

  test('are called over TCP if UDP does not go', async (t) => {
    const [peer, phone] = await both(t, {}, { streamsAlone: true })
    const { ear, audio } = voice(600)
    const session = await phone.call('bob', audio)
    await peer.event('incoming', 20_000)
    await peer.answer(1000)
    await session.answered
    await Promise.all([hears(ear, 1000, 20_000), peer.hears(600, 20_000)])
    await overStream(session)
    await session.end()
  })

  test('call over TCP if UDP does not go, through a proxy', async (t) => {
    const proxy = await proxyOf(t)
    const [peer, phone] = await both(t, { httpProxy: proxy.url() }, { streamsAlone: true })
    const ringing = next(phone, 'pendingSession', 20_000)
    await peer.call('alice', 1000)
    const [{ id }] = await ringing
    const { ear, audio } = voice(600)
    const started = next(phone, 'sessionStarted', 20_000)
    phone.acceptPendingSession(id, audio)
    const [session] = await started
    await peer.event('confirmed', 20_000)
    await Promise.all([hears(ear, 1000, 20_000), peer.hears(600, 20_000)])
    const { address, port } = await overStream(session)
    assert.ok(proxy.asked.some((asked) => asked.host === address && asked.port === port), JSON.stringify(proxy.asked))
    await session.end()
  })

  /** What shows its peer what that shows. */
  function mirror(t) {
    const source = new VideoSource({ codecs: ['vp8'] })
    const sink = new VideoSink()
    t.after(() => [source, sink].forEach((end) => end.close()))
    sink.on('data', (frame) => source.write(frame))
    source.on('keyFrameRequest', () => sink.requestKeyFrame())
    const reflect = (session) => {
      const show = ({ id }) => session.setVideoOutput(id, sink)
      session.on('streamAvailable', show)
      session.streams.forEach(show)
    }
    return { source, reflect }
  }

  /** Its own pictures in their order, of which some may be missing. */
  function assertInOrder(counts) {
    const back = counts.slice(1).filter((count, index) => (count - counts[index] + 256) % 256 > 128)
    assert.deepEqual(back, [], counts.join(' '))
    assert.ok(new Set(counts).size > counts.length / 2, counts.join(' '))
  }

  test('are called with pictures, and see their own', async (t) => {
    const [peer, phone] = await both(t)
    await peer.film()
    const { source, reflect } = mirror(t)
    const { ear, audio } = voice(600)
    const session = await phone.call('bob', { ...audio, video: source })
    await peer.event('incoming')
    await peer.answer(1000)
    await session.answered
    reflect(session)
    assertInOrder(await peer.seen(60))
    await Promise.all([hears(ear, 1000), peer.hears(600)])
    await session.end()
  })

  test('call with pictures, and see their own', async (t) => {
    const [peer, phone] = await both(t)
    await peer.film()
    const ringing = next(phone, 'pendingSession')
    await peer.call('alice', 1000)
    const [{ id }] = await ringing
    const { source, reflect } = mirror(t)
    const { ear, audio } = voice(600)
    const started = next(phone, 'sessionStarted')
    phone.acceptPendingSession(id, { ...audio, video: source })
    const [session] = await started
    reflect(session)
    await peer.event('confirmed')
    assertInOrder(await peer.seen(60))
    await Promise.all([hears(ear, 1000), peer.hears(600)])
    await session.end()
  })

  async function talking(t) {
    const [peer, phone] = await both(t)
    const { ear, audio } = voice(600)
    const session = await phone.call('bob', audio)
    await peer.event('incoming')
    await peer.answer(1000)
    await session.answered
    await peer.event('confirmed')
    const hear = () => {
      drain(ear)
      return Promise.all([hears(ear, 1000), peer.hears(600)])
    }
    await hear()
    return { peer, session, hear }
  }

  test('put us on hold and talk on', async (t) => {
    const { peer, session, hear } = await talking(t)
    for (const [change, held] of [['hold', true], ['unhold', false]]) {
      const told = next(session, 'change:remoteHeld')
      await peer[change]()
      assert.equal((await told)[1], held)
    }
    await hear()
    await session.end()
  })

  test('restart ICE, and the sound goes on', async (t) => {
    const { peer, session, hear } = await talking(t)
    await peer.restartIce()
    while ((await pathChanges(session)) < 2) await next(session, 'stats')
    await hear()
    await session.end()
  })
})
