import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExotelWebClient } from 'offhook/compat/exotel'
import { next } from '../pbx.mjs'
import { silent } from '../phones.mjs'
import { platform } from './purecloud-platform.mjs'
import { never, restOf } from './rest.mjs'

const calls = 'POST /api/v2/conversations/calls'
const connect = 'POST /v1/Accounts/account/Calls/connect'

/** What REST servers answer that is no answer, and what the error says. */
const faults = {
  'refuses the token': [{ status: 401, body: { message: 'Invalid login credentials.' } }, /was answered with 401 Unauthorized/],
  'fails': [{ status: 500, body: 'oops' }, /was answered with 500/],
  'answers with a page': ['<!doctype html>', /is no JSON object|names no call/],
  'answers with null': ['null', /is no JSON object|names no call/],
  'answers with nothing': ['', /named no conversation|names no call/],
  'answers with garbage': ['\u0000\ufffd{"id":', /is no JSON object|names no call/],
  'sends it elsewhere': [(_request, response) => (response.writeHead(307, { location: '/elsewhere' }).end(), never), /was answered with 307/],
  'never stops talking': [(_request, response) => (flood(response), never), /is longer than 1048576 bytes/],
  'hangs up': [(request, response) => (response.socket.destroy(), never), /failed: /],
}

function flood(response) {
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(1 << 16)));
  }
  response.on('drain', more).on('error', () => {})
  more()
}

/** An SDK whose API answers `answer`, and what it asks for a call. */
async function purecloud(t, answer) {
  const { open } = await platform(t)
  const api = await restOf(t, { [calls]: answer })
  const sdk = await open({ baseUrl: api.url })
  return { api, ask: () => sdk.startSoftphoneSession({ phoneNumber: '1' }), end: () => sdk.destroy() }
}

async function exotel(t, answer) {
  const api = await restOf(t, { [connect]: answer })
  const client = new ExotelWebClient()
  const account = { userName: 'alice', sipdomain: 'pbx.test', domain: '127.0.0.1', port: 1, security: 'ws', phone: { logger: silent } }
  assert.equal(client.initWebrtc(account, () => {}, () => {}), true)
  t.after(() => client.destroy())
  const key = { apiKey: 'key', apiToken: 'token', accountSid: 'account', baseUrl: api.url }
  return { api, ask: () => client.MakeCall(key, { To: '1', CallerId: '2' }), end: () => client.destroy() }
}

for (const [system, open] of Object.entries({ purecloud, exotel })) {
  describe(`the REST API of ${system}`, { timeout: 60_000 }, () => {
    for (const [what, [answer, message]] of Object.entries(faults)) {
      test(`${what}, which is an error`, async (t) => {
        const { api, ask } = await open(t, answer)
        await assert.rejects(ask(), (error) => error.code === 'ERR_HTTP' && message.test(error.message) && !/token/.test(error.message))
        assert.equal(api.requests.length, 1)
      })
    }

    test('is not there, which is an error', async (t) => {
      const { api, ask } = await open(t, '')
      api.close()
      await assert.rejects(ask(), { code: 'ERR_HTTP', message: /failed: .*ECONNREFUSED/ })
    })

    test('hangs, which does not keep who destroys it waiting', async (t) => {
      let asked
      const arrived = new Promise((resolve) => (asked = resolve))
      const { ask, end } = await open(t, () => (asked(), never))
      const rejected = assert.rejects(ask(), { code: 'ERR_HTTP', message: /failed: .* was destroyed/ })
      await arrived
      await end()
      await rejected
    })
  })
}

describe('ending a session by the REST API', { timeout: 60_000 }, () => {
  const me = { 'GET /api/v2/users/me': { id: 'user-1' } }
  const conversation = 'GET /api/v2/conversations/calls/conversation-1'
  const cases = {
    'names no user': [{ 'GET /api/v2/users/me': {} }, /named no user/],
    'knows no participants': [{ ...me, [conversation]: { participants: 'none' } }, /takes no part/],
    'has participants that are none': [{ ...me, [conversation]: { participants: [null, 5, { user: null }, { user: { id: 'user-1' } }] } }, /takes no part/],
    'refuses to': [{ ...me, [conversation]: { participants: [{ id: 'p', userId: 'user-1' }] } }, /PATCH .* was answered with 404/],
  }
  for (const [what, [routes, message]] of Object.entries(cases)) {
    test(`where it ${what}, ends it by SIP and says so`, async (t) => {
      const { open, bob } = await platform(t)
      const api = await restOf(t, routes)
      const sdk = await open({ baseUrl: api.url })
      sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
      const call = await bob.call('alice', { conversationId: 'conversation-1' })
      const ended = next(call, 'terminated')
      await call.answered
      await assert.rejects(sdk.endSession({ conversationId: 'conversation-1' }), { code: 'ERR_HTTP', message })
      await ended
    })
  }

  // A caller chooses the id of its conversation, and a URL resolves such a segment.
  for (const id of ['..', '.']) {
    test(`a caller whose conversation is called ${id} climbs nowhere: the session is ended by SIP`, async (t) => {
      const { open, bob } = await platform(t)
      const api = await restOf(t, me)
      const sdk = await open({ baseUrl: api.url })
      sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
      const call = await bob.call('alice', { conversationId: id })
      const ended = next(call, 'terminated')
      await call.answered
      assert.equal(sdk.sessions[0].conversationId, id)
      await sdk.endSession({ conversationId: id })
      await ended
      assert.deepEqual(api.requests, [])
    })
  }

  test('a participant whose id would climb is not asked for', async (t) => {
    const { open, bob } = await platform(t)
    const api = await restOf(t, { ...me, [conversation]: { participants: [{ id: '..', userId: 'user-1' }] } })
    const sdk = await open({ baseUrl: api.url })
    sdk.on('pendingSession', ({ id }) => sdk.acceptPendingSession(id))
    const call = await bob.call('alice', { conversationId: 'conversation-1' })
    await call.answered
    await assert.rejects(sdk.endSession({ conversationId: 'conversation-1' }), { code: 'ERR_HTTP', message: /names nothing in a path/ })
    assert.deepEqual(api.requests.map(({ method }) => method), ['GET', 'GET'])
  })

  test('a token that no header may have is not shown', async (t) => {
    const { open } = await platform(t)
    const tokens = ['alice-token', 'secret\ntoken']
    const sdk = await open({ baseUrl: 'http://127.0.0.1:1', accessToken: () => tokens.shift() })
    await assert.rejects(sdk.startSoftphoneSession({ phoneNumber: '1' }), (error) => error.code === 'ERR_ACCESS_TOKEN' && !/secret/.test(error.stack))
  })
})

test('a path is of what names something in it', async () => {
  const { restPath } = await import('../../dist/compat/rest.js')
  assert.equal(restPath('a', '../b', 'c?d#e', '%2e%2e', '...'), '/a/..%2Fb/c%3Fd%23e/%252e%252e/...')
  for (const segment of ['', '.', '..', 'a\ud800']) assert.throws(() => restPath('a', segment), { code: 'ERR_HTTP', message: /names nothing in a path/ })
})

test('a REST server has 30 seconds', async (t) => {
  const { askRest } = await import('../../dist/compat/rest.js')
  let asked
  const arrived = new Promise((resolve) => (asked = resolve))
  const api = await restOf(t, { 'GET /': () => (asked(), never) })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const rejected = assert.rejects(askRest(`${api.url}/`, { method: 'GET', headers: {}, signal: new AbortController().signal }), {
    code: 'ERR_HTTP',
    message: 'GET / failed: nothing came in 30 s',
  })
  await arrived
  t.mock.timers.tick(30_000)
  await rejected
})
