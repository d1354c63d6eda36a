import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { bothBeep, hears, next, pbxOf, voice } from '../pbx.mjs'
import { connect } from '../phones.mjs'
import { proxyOf } from '../proxy-server.mjs'
import { selfSigned } from './certificates.mjs'
import { startCoturn } from './coturn.mjs'
import { peers } from './peers.mjs'
import { startMicrosocks, startSquid, startTinyproxy } from './proxies.mjs'

const login = ['alice', 'p%c3-w:rd']
const plain = ['alice', 'plainsecret']

/** The local end of the way that media takes. */
async function relay(session) {
  const report = await session.getStats()
  const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport')
  return report.get(report.get(selectedCandidatePairId).localCandidateId)
}

/** Resolves with the next warning about a server. */
const warned = (session) =>
  new Promise((resolve) => session.on('warning', (warning) => warning.code === 'ice-server' && resolve(warning)))

describe('TURN over streams', { skip: peers('coturn') }, () => {
  let coturn
  let identity
  before(async () => {
    identity = selfSigned()
    coturn = await startCoturn({ identity })
  })
  after(() => coturn?.stop())

  const relayed = (server, more) => ({ iceServers: [server], iceTransportPolicy: 'relay', tls: { ca: identity.cert }, ...more })

  for (const way of ['byTcp', 'byTls']) {
    test(`${way}: a call of two phones that use nothing else is heard both ways, and what was given is taken back`, async (t) => {
      const { open } = await pbxOf(t)
      const [alice, bob] = await Promise.all([open('alice', relayed(coturn[way])), open('bob', relayed(coturn[way]))])
      const before = coturn.lines(/ALLOCATE processed, success/).length
      const call = await connect(alice, bob, 'bob')
      await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
      for (const session of [call.outgoing, call.incoming]) {
        const { candidateType, relayProtocol } = await relay(session)
        assert.deepEqual([candidateType, relayProtocol], ['relay', way === 'byTcp' ? 'tcp' : 'tls'])
      }
      await call.outgoing.end()
      assert.equal(coturn.lines(/ALLOCATE processed, success/).length - before, 2)
      await coturn.logs(/(refreshed, .* lifetime=0\s[^]*){2}/)
    })

    test(`${way}: a call through a proxy of either kind goes to the server through it`, async (t) => {
      const { open } = await pbxOf(t)
      const bob = await open('bob')
      for (const scheme of ['http', 'socks5']) {
        const proxy = await proxyOf(t, { login })
        const alice = await open('alice', relayed(coturn[way], { httpProxy: proxy.url(scheme) }))
        const call = await connect(alice, bob, 'bob')
        await bothBeep(call)
        const asked = proxy.asked.map(({ port }) => port)
        assert.ok(asked.includes(way === 'byTcp' ? coturn.port : coturn.tlsPort), `${asked}`)
        assert.equal((await relay(call.outgoing)).candidateType, 'relay')
        await call.outgoing.end()
        await alice.destroy()
      }
    })
  }

  test('a proxy that only a function knows is taken as the WebSocket took it', async (t) => {
    const { open } = await pbxOf(t)
    const proxy = await proxyOf(t)
    const asked = []
    const httpProxy = (url) => {
      asked.push(url)
      return proxy.url('socks5')
    }
    const [alice, bob] = await Promise.all([open('alice', relayed(coturn.byTls, { httpProxy })), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await bothBeep(call)
    assert.equal(asked.length, 1)
    assert.ok(proxy.asked.some(({ port }) => port === coturn.tlsPort))
    await call.outgoing.end()
  })

  for (const [name, peer, scheme, start] of [
    ['tinyproxy', 'tinyproxy', 'http', () => startTinyproxy(plain)],
    ['Squid', 'squid', 'http', () => startSquid(login)],
    ['microsocks', 'microsocks', 'socks5', () => startMicrosocks(login)],
  ]) {
    test(`a call over TLS goes through ${name}`, { skip: peers(peer) }, async (t) => {
      const proxy = await start()
      t.after(() => proxy.close())
      const { open } = await pbxOf(t)
      const [alice, bob] = await Promise.all([open('alice', relayed(coturn.byTls, { httpProxy: proxy.url(scheme) })), open('bob')])
      const call = await connect(alice, bob, 'bob')
      await bothBeep(call)
      assert.equal((await relay(call.outgoing)).relayProtocol, 'tls')
      await call.outgoing.end()
    })
  }

  test('a certificate that nobody vouches for is told, and fails only a call that needs the server', async (t) => {
    const { open } = await pbxOf(t)
    const distrusts = { tls: undefined }
    const [alice, bob] = await Promise.all([open('alice', { iceServers: [coturn.byTls] }), open('bob')])
    const session = await alice.call('bob')
    const { message, cause, advice } = await warned(session)
    assert.match(message, /^turns:localhost:\d+: .*certificate/)
    assert.ok(cause.length > 0 && advice.includes('iceServers'))
    await session.end()
    await alice.destroy()
    const relying = await open('alice', relayed(coturn.byTls, distrusts))
    await assert.rejects(relying.call('bob'), { code: 'ERR_MEDIA' })
    await bob.destroy()
  })

  test('a password that is wrong is told with the code of the server, and reaches no log', async (t) => {
    const { open } = await pbxOf(t)
    const server = { ...coturn.byTcp, credential: 'ödd: secret' }
    const [alice, bob] = await Promise.all([open('alice', { iceServers: [server], logLevel: 'trace' }), open('bob')])
    const session = await alice.call('bob')
    assert.match((await warned(session)).message, /^turn:127\.0\.0\.1:\d+\?transport=tcp: it refuses: 401 /)
    await session.end()
    for (const line of [...alice.log, ...bob.log]) assert.ok(!line.includes('dd: secret'), line)
  })

  test('credentials with odd characters are taken', async (t) => {
    const user = { username: '1893456000.tïm@example.com', credential: 'p%c3 w:rd+&=ö\\' }
    const odd = await startCoturn({ more: [`--user=${user.username}:${user.credential}`] })
    t.after(() => odd.stop())
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', relayed({ ...odd.byTcp, ...user })), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await bothBeep(call)
    assert.equal((await relay(call.outgoing)).relayProtocol, 'tcp')
    await call.outgoing.end()
  })

  test('a server that goes away under a call is told, and the call goes on over another', async (t) => {
    const servers = await Promise.all([startCoturn(), startCoturn()])
    const running = new Set(servers)
    t.after(() => Promise.all([...running].map((server) => server.stop())))
    const { open } = await pbxOf(t)
    const iceServers = servers.map(({ byTcp }) => byTcp)
    const [alice, bob] = await Promise.all([open('alice', relayed(undefined, { iceServers })), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await bothBeep(call)
    const { port } = await relay(call.outgoing)
    const used = servers.find((server) => server.lines(new RegExp(`Local relay addr: 127.0.0.1:${port}`)).length > 0)
    const told = warned(call.outgoing)
    running.delete(used)
    await used.stop()
    assert.match((await told).message, new RegExp(`^turn:127.0.0.1:${used.port}.transport=tcp: `))
    await bothBeep(call)
    assert.notEqual((await relay(call.outgoing)).port, port)
    await call.outgoing.end()
  })
})

describe('A server of TURN over TCP that is none', () => {
  for (const [name, serve, told] of [
    ['speaks something else', (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'), /speaks neither STUN nor TURN/],
    ['closes at once', (socket) => socket.end(), /the server closed the connection/],
    ['floods', (socket) => flood(socket), /speaks neither STUN nor TURN/],
    ['says nothing', () => {}, /does not answer/],
  ]) {
    test(`that ${name} is told and delays a call by a second at most`, async (t) => {
      const sockets = new Set()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => {})
        serve(socket)
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      const { open } = await pbxOf(t)
      const turn = { urls: `turn:localhost:${server.address().port}?transport=tcp`, username: 'a', credential: 'b' }
      const [alice, bob] = await Promise.all([open('alice', { iceServers: [turn] }), open('bob')])
      const [mine, theirs] = [voice(600), voice(1000)]
      const ringing = next(bob, 'pendingSession')
      const started = performance.now()
      const session = await alice.call('bob', mine.audio)
      const warning = warned(session)
      const [{ id }] = await ringing
      assert.ok(performance.now() - started < 3000, 'it waited for the server')
      assert.match((await warning).message, told)
      bob.acceptPendingSession(id, theirs.audio)
      await session.answered
      await bothBeep({ callerEar: mine.ear, calleeEar: theirs.ear })
      await session.end()
    })
  }
})

/** Sends without end what is no message. */
function flood(socket) {
  const noise = Buffer.alloc(65536, 0x80)
  const more = () => {
    while (!socket.destroyed && socket.write(noise)) {}
  }
  socket.on('drain', more)
  more()
}
