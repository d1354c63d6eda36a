import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as dialTls } from 'node:tls'
import { hears } from '../sound.mjs'
import { connect, eventually, next, phonesOf } from '../phones.mjs'
import { authority } from './certificates.mjs'
import { startKamailio } from './kamailio.mjs'
import { bot, listening } from './listening.mjs'
import { peers } from './peers.mjs'

const sound = ({ callerEar, calleeEar }) => Promise.all([hears(callerEar, 1000), hears(calleeEar, 600)])

for (const transport of ['udp', 'tcp', 'tls']) {
  describe(`A trunk of Kamailio over ${transport.toUpperCase()}`, { skip: peers('kamailio') }, () => {
    let kamailio
    before(async () => (kamailio = await startKamailio()))
    after(() => kamailio?.stop())

    /** One that calls by the server, and is called without it. */
    async function both(t) {
      const { open } = phonesOf(t)
      const account = (user) => ({ uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, tls: { ca: kamailio.ca } })
      const trunk = { ...account('bob'), servers: kamailio[transport], ...(transport === 'tls' && { certificate: kamailio.certificate }) }
      const [alice, { phone, port }] = await Promise.all([open({ ...account('alice'), servers: kamailio.ws }), listening(t, transport, trunk)])
      return { alice, phone, number: transport === 'udp' ? `trunk-${port}` : `trunk-${transport}-${port}` }
    }

    test('carries calls with sound and hold both ways, which each side can end', async (t) => {
      const { alice, phone, number } = await both(t)
      for (const ender of ['outgoing', 'incoming']) {
        const call = await connect(alice, phone, number)
        assert.equal(call.pending.called, number)
        assert.equal(call.pending.address, 'alice')
        await sound(call)
        await call.incoming.hold({ music: { tone: 1800 } })
        await hears(call.callerEar, 1800)
        await call.incoming.resume()
        await sound(call)
        const ends = [next(alice, 'sessionEnded'), next(phone, 'sessionEnded')]
        await call[ender].end()
        for (const [, reason] of await Promise.all(ends)) assert.equal(`${reason}`, 'success')
      }
      const out = await connect(phone, alice, 'alice')
      await sound(out)
      const ended = next(alice, 'sessionEnded')
      await out.outgoing.end()
      await ended
    })

    test('goes on in a call after it was killed and is back', async (t) => {
      const { alice, phone, number } = await both(t)
      const call = await connect(alice, phone, number)
      await sound(call)
      const lost = [alice, phone].map((one) => next(one, 'disconnected', 60_000))
      const back = next(alice, 'registered', 60_000)
      await kamailio.restart(transport === 'udp' ? lost[0] : Promise.all(lost))
      await back
      await sound(call)
      const ended = next(alice, 'sessionEnded', 60_000)
      await call.incoming.end()
      const [, reason] = await ended
      assert.equal(`${reason}`, 'success')
    })
  })
}

test('tells whether its peer is there, by OPTIONS', { skip: peers('kamailio') }, async (t) => {
  const kamailio = await startKamailio()
  t.after(() => kamailio.stop())
  const { phone, port } = await listening(t, 'udp', { pingInterval: 1000 })
  const alice = await phonesOf(t).open({ uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio.ws })
  assert.deepEqual(phone.health().peers, [])
  const rings = next(phone, 'pendingSession')
  const call = await alice.call(`trunk-${port}`)
  call.answered.catch(() => {})
  await rings
  const is = (state) => () => phone.health().peers.some((peer) => peer.address === '127.0.0.1' && peer.state === state)
  await eventually(is('reachable'), 60_000)
  assert.equal(typeof phone.health().peers[0].code, 'number')
  await kamailio.kill()
  await eventually(is('unreachable'), 60_000)
})

test('one phone calls another without any server, whatever strangers send meanwhile', async (t) => {
  const { open } = phonesOf(t)
  const { phone, port } = await listening(t, 'tcp')
  const carrier = await open({ uri: 'sip:+15550199@127.0.0.1', register: false, servers: `sip:127.0.0.1:${port};transport=tcp` })
  const call = await connect(carrier, phone, 'sip:+15550100@127.0.0.1')
  assert.equal(call.pending.called, '+15550100')
  await sound(call)
  const told = []
  for (const event of ['pendingSession', 'sessionEnded', 'error']) phone.on(event, () => told.push(event))
  assert.equal(await streams(t, port), 20)
  await sound(call)
  assert.deepEqual(told, [])
  const ended = next(carrier, 'sessionEnded')
  await call.incoming.end()
  await ended
})

describe('A peer over TCP', () => {
  const closed = (socket) => new Promise((done) => socket.once('close', done))
  const opened = (t, port) => {
    const socket = dial({ port, host: '127.0.0.1' })
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    return socket
  }
  /** Asks, and resolves with the first line of the answer. */
  async function asks(socket, number) {
    socket.write(invite(number, 'TCP 127.0.0.1').replaceAll('INVITE', 'OPTIONS'))
    const [answer] = await once(socket, 'data')
    return `${answer}`.split('\r\n')[0]
  }

  test('has 32 connections and no more', async (t) => {
    const { port } = await listening(t, 'tcp')
    const sockets = Array.from({ length: 32 }, () => opened(t, port))
    for (const [number, socket] of sockets.entries()) assert.equal(await asks(socket, number), 'SIP/2.0 200 OK')
    const further = opened(t, port).resume()
    await closed(further)
    assert.equal(await asks(sockets[0], 100), 'SIP/2.0 200 OK')
  })

  test('ends a connection by a message without end, or one that does not end in time', async (t) => {
    const { port } = await listening(t, 'tcp')
    const starts = ['A'.repeat(100_000), 'INVITE sip:a SIP/2.0\r\nContent-Length: 4294967295\r\n\r\n', 'INVITE sip:a SIP/2.0\r\n\r\n', 'INVITE sip:a']
    const other = opened(t, port)
    await Promise.all(starts.map((start) => {
      const socket = opened(t, port).resume()
      socket.write(start)
      return closed(socket)
    }))
    assert.equal(await asks(other, 1), 'SIP/2.0 200 OK')
  })
})

test('who has no certificate of the authority does not get in', async (t) => {
  const { ca, server, client } = authority()
  const { port } = await listening(t, 'tls', { certificate: { ...server, ca } })
  const secured = (identity) => {
    const socket = dialTls({ port, host: '127.0.0.1', ca, ...identity })
    t.after(() => socket.destroy())
    return socket
  }
  const ended = await new Promise((done) => {
    const socket = secured({})
    socket.on('error', done)
    socket.on('close', done)
    socket.resume()
  })
  assert.ok(ended !== undefined)
  const socket = secured(client)
  socket.write(invite(1, 'TLS 127.0.0.1').replaceAll('INVITE', 'OPTIONS'))
  const [answer] = await once(socket, 'data')
  assert.match(`${answer}`, /^SIP\/2\.0 200 /)
})

const invite = (number, via) => [
  ...['INVITE sip:bot@127.0.0.1 SIP/2.0', `Via: SIP/2.0/${via};branch=z9hG4bK${number}`, `From: <sip:a@127.0.0.1>;tag=${number}`],
  ...['To: <sip:bot@127.0.0.1>', `Call-ID: ${number}`, 'CSeq: 1 INVITE', 'Content-Length: 0', '', ''],
].join('\r\n')

/** A stranger's connections, with whole messages, half ones and endless ones: resolves with the number of those that were closed. */
async function streams(t, port) {
  const contents = [invite(1, 'TCP 127.0.0.2'), 'INVITE sip:bot@127', 'A'.repeat(100_000), 'INVITE sip:a SIP/2.0\r\nContent-Length: 4294967295\r\n\r\n']
  const all = Array.from({ length: 20 }, async (_, number) => {
    const socket = dial({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    socket.resume()
    const closed = new Promise((closed) => socket.once('close', closed))
    await once(socket, 'connect')
    socket.write(contents[number % contents.length])
    await closed
  })
  return (await Promise.all(all)).length
}

test('a port that is in use is named', async (t) => {
  const { port } = await listening(t, 'udp')
  const phone = phonesOf(t).make({ ...bot, listen: { udp: { port, host: '127.0.0.1' } } })
  const failed = next(phone, 'error')
  await assert.rejects(phone.initialize(), { code: 'ERR_CONNECTION_FAILED' })
  assert.match(`${(await failed)[0].cause}`, new RegExp(`UDP at 127.0.0.1:${port} is in use`))
})
