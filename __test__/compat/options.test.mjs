// What the options of the façades come to.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../phones.mjs'
import { next } from '../pbx.mjs'
import { exotel } from './exotel-harness.mjs'
import { platform } from './purecloud-platform.mjs'
import { restOf } from './rest.mjs'

describe('the options of the PureCloud façade', { timeout: 60_000 }, () => {
  test('orgId and the token go with the registration', async (t) => {
    const { pbx, open } = await platform(t)
    const requests = []
    pbx.on('message', ({ direction, text }) => direction === 'in' && text.startsWith('REGISTER') && requests.push(text))
    await open({ accessToken: async () => 'alice-token' })
    // The PBX may tell later than the phone.
    await eventually(() => requests.some((text) => /^Authorization: Bearer/m.test(text)))
    for (const text of requests) assert.match(text, /^X-Organization-Id: 0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55\r$/m)
  })

  test('with autoConnectSessions: false nothing is answered until accept()', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open({ autoConnectSessions: false })
    const started = next(sdk, 'sessionStarted')
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    const call = await bob.call('alice')
    const [session] = await started
    assert.equal(call.state, 'pending')
    const accepted = new Promise((resolve) => session.accept(resolve))
    await call.answered
    assert.equal(await accepted, undefined)
  })

  test("with iceTransportPolicy: 'relay' and no relay there is no call", async (t) => {
    const { open } = await platform(t)
    const sdk = await open({ iceTransportPolicy: 'relay' })
    const error = { code: 'ERR_MEDIA', message: 'no TURN server gave a relay, and nothing else may be used' }
    await assert.rejects(sdk.startSoftphoneSession({ phoneNumber: 'busy' }), error)
  })

  test('rejectPendingSession refuses with 486, or as it is told', async (t) => {
    const { open, bob } = await platform(t)
    const sdk = await open()
    for (const [options, code] of [[undefined, 486], [{ code: 603 }, 603]]) {
      const [[{ id }], call] = await Promise.all([next(sdk, 'pendingSession'), bob.call('alice')])
      const cancelled = next(sdk, 'cancelPendingSession')
      await sdk.rejectPendingSession(id, options)
      assert.equal((await cancelled)[0], id)
      await assert.rejects(call.answered, ({ sip }) => sip.code === code)
    }
  })

  test('a new token is used from then on, and its user asked for anew', async (t) => {
    const { pbx, open, bob } = await platform(t)
    const conversation = { participants: [{ id: 'p-1', user: { id: 'user-1' } }, { id: 'p-2', user: { id: 'user-2' } }] }
    const api = await restOf(t, {
      'GET /api/v2/users/me': ({ headers }) => ({ id: headers.authorization === 'Bearer second' ? 'user-2' : 'user-1' }),
      'GET /api/v2/conversations/calls/one': conversation,
      'PATCH /api/v2/conversations/calls/one/participants/p-1': {},
      'PATCH /api/v2/conversations/calls/one/participants/p-2': {},
    })
    const sdk = await open({ baseUrl: api.url })
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    const call = await bob.call('alice', { conversationId: 'one' })
    await call.answered
    await sdk.endSession({ conversationId: 'one' })
    await pbx.addUser({ name: 'alice', token: 'second' })
    await sdk.setAccessToken('second')
    await sdk.endSession({ conversationId: 'one' })
    const paths = api.requests.map(({ method, path, headers }) => `${method} ${path.split('/').at(-1)} ${headers.authorization}`)
    assert.deepEqual(paths, [
      ...['GET me Bearer alice-token', 'GET one Bearer alice-token', 'PATCH p-1 Bearer alice-token'],
      ...['GET me Bearer second', 'GET one Bearer second', 'PATCH p-2 Bearer second'],
    ])
  })
})

describe('the options of the Exotel façade', { timeout: 60_000 }, () => {
  test('are those of the document', async () => {
    const { phoneOptions } = await import('../../dist/compat/exotel/account.js')
    const account = { userName: 'alice', sipdomain: 'example.com', port: '443' }
    assert.deepEqual(phoneOptions(account), { uri: 'sip:alice@example.com', servers: 'wss://example.com:443/ws', username: 'alice' })
    const whole = { authUser: 'auth', domain: 'sip.example.com:8443', displayname: 'Alice', secret: 'secret', security: 'ws', endpoint: '/wss', sipUri: 'sip:a@b.example' }
    assert.deepEqual(phoneOptions({ ...account, ...whole }), {
      ...{ uri: 'sip:a@b.example', servers: 'ws://sip.example.com:8443/wss', username: 'auth', password: 'secret', displayName: 'Alice' },
    })
  })

  test('displayname is what the other party sees', async (t) => {
    const { clientOf, openBob } = await exotel(t)
    const { client } = clientOf({ displayname: undefined, displayName: 'Alice Liddell' })
    await Promise.all([next(client.phone, 'registered'), client.DoRegister()])
    const bob = await openBob()
    const [[{ displayName }]] = await Promise.all([next(bob, 'pendingSession'), client.phone.call('bob')])
    assert.equal(displayName, 'Alice Liddell')
  })
})

describe('the options of the Lumen façade', () => {
  test('are those of the document', async () => {
    const { phoneOptions } = await import('../../dist/compat/whistle/config.js')
    const common = { uri: 'sip:web@example.com', register: true, maxSessions: 1, logLevel: 'warn' }
    const account = { user: 'web', domain: 'example.com' }
    assert.deepEqual(phoneOptions(account), { ...common, servers: 'wss://example.com:443' })
    assert.deepEqual(phoneOptions({ ...account, proxy: 'gw.example.com', insecure: true, register: false, debug: true, authorization_jwt: 'Bearer JWT' }), {
      ...{ ...common, servers: 'ws://gw.example.com:80', register: false, logLevel: 'trace' },
      ...{ accessToken: 'JWT', authorization: 'always', allowInsecure: true },
    })
  })
})
