// preflight() in networks that are broken, and with a TURN server that we did not write.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { preflight } from 'offhook'
import { proxyOf } from '../proxy-server.mjs'
import { selfSigned, selfSignedFrom } from './certificates.mjs'
import { startCoturn } from './coturn.mjs'
import { startNat } from './nat.mjs'
import { peers } from './peers.mjs'
import { freePorts } from './ports.mjs'
import { Child } from './processes.mjs'

const ice = ['stun', 'turn', 'relay', 'udp', 'nat']
const nobody = { uri: 'sip:alice@example.invalid', register: false }

/** What is found of one thing. */
const of = ({ checks }, name) => checks.find((check) => check.name === name)

/** The result of a preflight in a network of its own. */
async function found(net, side, options, checks) {
  const child = net.preflight(side, { ...nobody, ...options }, { checks })
  const [, text] = await child.prints(/^(\{.*\})$/m, AbortSignal.timeout(40_000))
  return JSON.parse(text)
}

describe('preflight() with coturn', { skip: peers('coturn'), timeout: 120_000 }, () => {
  test('measures the way through a relay, and gives its addresses back', async (t) => {
    const coturn = await startCoturn()
    t.after(() => coturn.stop())
    const { urls, username, credential } = coturn.server
    const result = await preflight({ ...nobody, iceServers: [coturn.server, { urls: urls.replace('turn:', 'stun:') }] }, { checks: ice })
    assert.equal(result.ok, true, JSON.stringify(result.checks, null, 1))
    assert.deepEqual(result.checks.map(({ name }) => name), ['turn', 'relay', 'stun', 'udp', 'nat'])
    for (const [name, code] of [['turn', 'turn-ok'], ['stun', 'stun-ok'], ['udp', 'udp-ok'], ['nat', 'nat-none']]) assert.equal(of(result, name).code, code)
    // How quick that is, a busy machine decides.
    assert.match(of(result, 'relay').code, /^relay-(ok|lossy|slow|restless)$/)
    const { loss, roundTrip, jitter } = of(result, 'relay').details
    assert.ok(loss >= 0 && loss < 100 && roundTrip > 0 && jitter >= 0)
    assert.ok(!JSON.stringify(result).includes(credential) && username.length > 0)
    await coturn.logs(/session .* closed|allocation.*(timeout|deleted)|lifetime=0/i)
  })

  test('looks at TURN over TCP and TLS, through proxies too, and says which way works instead', async (t) => {
    const identity = selfSigned()
    const coturn = await startCoturn({ identity })
    t.after(() => coturn.stop())
    const look = (iceServers, more) => preflight({ ...nobody, iceServers, ...more }, { checks: ice })
    const tls = { ca: identity.cert }
    const proxy = await proxyOf(t)
    for (const [server, more] of [[coturn.byTcp, {}], [coturn.byTls, { tls }], [coturn.byTls, { tls, httpProxy: proxy.url('http') }], [coturn.byTls, { tls, httpProxy: () => proxy.url('socks5') }]]) {
      const result = await look([server], more)
      assert.deepEqual([of(result, 'turn').code, of(result, 'udp').code], ['turn-ok', 'not-given'], JSON.stringify(result.checks, null, 1))
      assert.match(of(result, 'relay').code, /^relay-(ok|lossy|slow|restless)$/)
    }
    assert.ok(proxy.asked.some(({ port }) => port === coturn.tlsPort))
    const [closedPort] = await freePorts(1)
    const closed = { ...coturn.byTcp, urls: `turn:127.0.0.1:${closedPort}?transport=tcp` }
    const web = createServer().listen(0, '127.0.0.1')
    t.after(() => web.close())
    await once(web, 'listening')
    const notTurn = { ...coturn.byTcp, urls: `turn:127.0.0.1:${web.address().port}?transport=tcp` }
    const unreachable = { httpProxy: `http://127.0.0.1:${closedPort}` }
    for (const [server, code, more] of [
      [coturn.byTls, 'turn-tls'],
      [{ ...coturn.byTcp, credential: 'wrong-s3cret' }, 'turn-credentials'],
      [closed, 'turn-refused'],
      [notTurn, 'turn-error'],
      [coturn.byTcp, 'turn-unreachable', unreachable],
      [{ ...coturn.byTls, urls: 'turns:nowhere.invalid' }, 'turn-not-found'],
    ]) {
      const result = await look([server], more)
      assert.deepEqual([of(result, 'turn').code, of(result, 'relay').code], [code, 'not-tried'], JSON.stringify(result.checks, null, 1))
      assert.ok(!JSON.stringify(result).includes('s3cret'))
    }
    const { checks } = await look([closed, coturn.server])
    const failed = checks.find(({ code }) => code === 'turn-refused')
    assert.match(failed.found, new RegExp(`; calls go by ${coturn.server.urls} instead$`))
    assert.equal(failed.details.instead, coturn.server.urls)
  })

  test('tells wrong credentials, odd ones too, and never shows them', async (t) => {
    const coturn = await startCoturn()
    t.after(() => coturn.stop())
    for (const credential of ['wrong-s3cret', 'pä:ss\u0000wörd s3cret%', 's3cret'.repeat(100)]) {
      const result = await preflight({ ...nobody, iceServers: [{ ...coturn.server, credential }] }, { checks: ice })
      assert.equal(of(result, 'turn').code, 'turn-credentials')
      assert.equal(of(result, 'relay').code, 'not-tried')
      assert.ok(!JSON.stringify(result).includes('s3cret'))
    }
  })
})

describe('preflight() behind a NAT', { skip: peers('coturn', 'nat'), timeout: 180_000 }, () => {
  test('tells a NAT that keeps a port from one that does not', async (t) => {
    const open = await startNat(t)
    const servers = async (net) => [net.stun, { urls: (await net.another()).urls.replace('turn:', 'stun:') }]
    const kept = await found(open, 'left', { iceServers: await servers(open) }, ice)
    assert.equal(of(kept, 'nat').code, 'nat-open', JSON.stringify(kept.checks, null, 1))
    const strict = await startNat(t, { mapping: 'random' })
    const iceServers = await servers(strict)
    const moved = await found(strict, 'left', { iceServers }, ice)
    assert.equal(of(moved, 'nat').code, 'nat-symmetric', JSON.stringify(moved.checks, null, 1))
    const relayed = await found(strict, 'left', { iceServers: [...iceServers, strict.turn] }, ice)
    assert.equal(of(relayed, 'nat').code, 'nat-symmetric-relayed')
    assert.equal(of(relayed, 'turn').code, 'turn-ok')
  })

  test('tells a network that lets no UDP out from a server that is down', async (t) => {
    const net = await startNat(t)
    net.drop('left', 'udp')
    const result = await found(net, 'left', { ...net.account('alice'), register: true, iceServers: [net.stun, net.turn] }, [...ice, 'websocket', 'registration'])
    const codes = result.checks.map(({ code }) => code)
    assert.deepEqual(codes, ['websocket-ok', 'registration-ok', 'stun-timeout', 'turn-timeout', 'not-tried', 'udp-unanswered', 'nat-unknown'])
  })

  test('tells a firewall that drops the connection to the server', async (t) => {
    const net = await startNat(t)
    net.drop('left', 'tcp')
    const result = await found(net, 'left', net.account('alice'), ['dns', 'tcp', 'tls', 'websocket'])
    assert.deepEqual(result.checks.map(({ code }) => code), ['dns-address', 'tcp-timeout', 'not-tried', 'not-tried'])
  })
})

describe('preflight() tells of a certificate', { timeout: 60_000 }, () => {
  for (const [what, identity, code, status] of [
    ['that is not valid yet', () => selfSignedFrom('20500101000000Z'), 'tls-not-yet-valid', 'failed'],
    ['that ends soon', selfSigned, 'tls-expires-soon', 'warning'],
  ]) {
    test(what, async (t) => {
      const { cert, key } = identity()
      const server = createTlsServer({ cert, key }).listen(0, 'localhost')
      t.after(() => server.close())
      await once(server, 'listening')
      const result = await preflight({ ...nobody, servers: `wss://localhost:${server.address().port}/`, tls: { ca: cert } }, { checks: ['tls'] })
      const found = of(result, 'tls')
      assert.deepEqual([found.code, found.status], [code, status], JSON.stringify(result.checks, null, 1))
      if (status === 'warning') assert.ok(found.details.daysLeft < 3)
    })
  }
})

describe('preflight() on a machine with names of its own', { skip: peers('nat'), timeout: 60_000 }, () => {
  const script = fileURLToPath(new URL('names-preflight.mjs', import.meta.url))

  // In namespaces of its own: what the names are is a matter of files, and nobody is asked outside.
  test('tells DNS that answers nothing, and a server of whose addresses one leads nowhere', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-names-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost half.test\n127.0.0.9 half.test\n')
    const mounts = ['resolv.conf', 'hosts'].map((file) => `mount --bind ${folder}/${file} /etc/${file}`)
    const child = new Child('unshare', ['--mount', '--net', 'sh', '-e', '-c', [...mounts, 'ip link set lo up', 'exec "$0" "$1"'].join('\n'), process.execPath, script])
    t.after(() => child.stop())
    const [, text] = await child.prints(/^(\{.*\})$/m, AbortSignal.timeout(40_000))
    const { half, unanswered } = JSON.parse(text)
    assert.deepEqual([of(half, 'dns').code, of(half, 'tcp').code, of(half, 'websocket').code], ['dns-ok', 'tcp-some-addresses', 'websocket-ok'], text)
    assert.match(of(half, 'tcp').found, /127\.0\.0\.1\S* takes connections, 127\.0\.0\.9\S* does not/)
    assert.deepEqual(unanswered.checks.map(({ code }) => code), ['dns-unanswered', 'not-tried', 'not-tried'])
  })
})
