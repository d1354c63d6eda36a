import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { bothBeep, next, pbxOf, registers } from '../pbx.mjs'
import { connect, eventually, phonesOf } from '../phones.mjs'
import { selfSigned } from './certificates.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { startMicrosocks, startSquid, startTinyproxy } from './proxies.mjs'

const login = ['alice', 'p%c3-w:rd']
/** Its configuration takes no odder ones. */
const plain = ['alice', 'plainsecret']

const identity = peers('squid') === false ? selfSigned() : undefined

for (const [name, scheme, peer, start, tls] of [
  ['tinyproxy with Basic', 'http', 'tinyproxy', () => startTinyproxy(plain)],
  ['Squid with Digest', 'http', 'squid', () => startSquid(login)],
  ['Squid with Digest over TLS', 'https', 'squid', () => startSquid(login, identity), { ca: identity?.cert }],
  ['microsocks with a password', 'socks5', 'microsocks', () => startMicrosocks(login)],
]) {
  describe(name, { skip: peers(peer) }, () => {
    let proxy
    before(async () => (proxy = await start()))
    after(() => proxy?.close())

    test('carries a call, and refuses another password, which is told by a code', async (t) => {
      const { pbx, open, make } = await pbxOf(t)
      const alice = await open('alice', { httpProxy: proxy.url(scheme), logLevel: 'trace', ...(tls && { tls }) })
      const bob = await open('bob')
      const call = await connect(alice, bob, 'bob')
      await bothBeep(call)
      await call.outgoing.end()
      for (const [, secret] of [login, plain]) assert.ok(!alice.log.some((line) => line.includes(secret)))
      const wrong = make('alice', { httpProxy: proxy.url(scheme, ['alice', 'hunter2']), ...(tls && { tls }) })
      await assert.rejects(wrong.initialize(), ({ code, cause }) => code === 'ERR_PROXY_AUTHENTICATION' && /did not accept the credentials/.test(cause.message))
      const none = make('alice', { httpProxy: `${scheme}://localhost:${proxy.port}`, ...(tls && { tls }) })
      await assert.rejects(none.initialize(), ({ code, cause }) => code === 'ERR_PROXY_AUTHENTICATION' && /credentials/.test(cause.message))
      await pbx.close()
      const nobody = make('alice', { httpProxy: proxy.url(scheme), ...(tls && { tls }) })
      await assert.rejects(nobody.initialize(), ({ code, cause }) => {
        assert.equal(code, 'ERR_CONNECTION_FAILED', cause.message)
        assert.match(cause.message, /^the proxy .* (could not reach|answered HTTP 50)/)
        return true
      })
    })

    test('dies and returns, and the phone with it', async (t) => {
      const { pbx, open } = await pbxOf(t)
      const alice = await open('alice', { httpProxy: proxy.url(scheme), ...(tls && { tls }) })
      const bob = await open('bob')
      const call = await connect(alice, bob, 'bob')
      const gone = next(alice, 'disconnected')
      await proxy.stop('SIGKILL')
      await gone
      const again = registers(pbx, 'alice')
      await proxy.again()
      await again
      await eventually(() => !call.outgoing.interrupted)
      await bothBeep(call)
      await call.outgoing.end()
    })
  })
}

describe('Kamailio behind Squid', { skip: peers('kamailio', 'squid') }, () => {
  let kamailio, proxy
  before(async () => ([kamailio, proxy] = await Promise.all([startKamailio(), startSquid(login)])))
  after(() => Promise.all([kamailio?.stop(), proxy?.close()]))

  /** RFC 7469 §2.4, computed by Node. */
  function pinOf({ wss }) {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port: Number(new URL(wss).port), host: '127.0.0.1', rejectUnauthorized: false })
      socket.once('error', reject)
      socket.once('secureConnect', () => {
        const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' })
        socket.destroy()
        resolve(createHash('sha256').update(key).digest('base64'))
      })
    })
  }

  test('is reached over TLS in the tunnel, by its authority and its pin', async (t) => {
    const { make } = phonesOf(t)
    const pin = await pinOf(kamailio)
    const other = 'd6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM='
    const phone = (tls) =>
      make({ uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio.wss, httpProxy: proxy.url('http'), tls })
    for (const right of [{ ca: kamailio.ca }, { ca: kamailio.ca, pin: [other, pin] }, { rejectUnauthorized: false, pin }]) {
      const alice = phone(right)
      await alice.initialize()
      assert.equal(alice.registered, true)
      await alice.destroy()
    }
    for (const [wrong, text] of [
      [{}, /no authority that this machine trusts/],
      [{ pin }, /no authority that this machine trusts/],
      [{ ca: kamailio.ca, pin: other }, /its key is none of tls\.pin/],
      [{ rejectUnauthorized: false, pin: other }, /its key is none of tls\.pin/],
    ]) {
      await assert.rejects(phone(wrong).initialize(), ({ code, cause }) => code === 'ERR_CONNECTION_FAILED' && text.test(cause.message))
    }
  })
})
