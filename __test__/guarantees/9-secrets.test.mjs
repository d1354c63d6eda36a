import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Softphone } from 'offhook'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { connect } from '../phones.mjs'

/** A logger that keeps every line with its details. */
function recorder() {
  const lines = []
  const note = (...line) => lines.push(inspect(line, { depth: null }))
  return { lines, logger: { debug: note, log: note, info: note, warn: note, error: note } }
}

/** Everything that a phone shows: trace, logs, error events, and what else was caught. */
function shown(phone, { lines }, ...caught) {
  return [...phone.log, ...lines, ...caught.map((error) => inspect(error, { depth: null }))].join('\n')
}

async function closedPort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

describe('9. secrets never reach trace, logs or errors', () => {
  test('neither passwords nor what is made of them, ICE passwords, or digits', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const messages = []
    pbx.on('message', ({ text }) => messages.push(text))
    const [mine, theirs] = [recorder(), recorder()]
    const [alice, bob] = await Promise.all([
      open('alice', { logger: mine.logger, logLevel: 'trace' }),
      open('bob', { logger: theirs.logger, logLevel: 'trace' }),
    ])
    const call = await connect(alice, bob, 'bob')
    await hears(call.calleeEar, 600)
    const heard = []
    const all = new Promise((resolve) => {
      call.incoming.on('dtmf', ({ tone }) => heard.push(tone) === 12 && resolve())
    })
    await call.outgoing.sendDtmf('8642097531#*', { duration: 40, gap: 40 })
    await all
    await call.outgoing.end()
    const everything = [shown(alice, mine), shown(bob, theirs), ...messages].join('\n')
    assert.match(everything, /a=ice-pwd:/, 'SDP is traced')
    assert.match(everything, /Authorization: /i, 'requests are traced')
    for (const secret of [
      /alice-password/,
      /bob-password/,
      /8642097531/,
      /tone.?: .?[\d"']/,
      /response="[0-9a-f]{32}/,
      /a=ice-pwd:[\w+/]{22}/,
      /a=crypto:/,
    ]) {
      assert.doesNotMatch(everything, secret)
    }
  })

  test('a wrong password, in what it is told of', async (t) => {
    const { make } = await pbxOf(t)
    const log = recorder()
    const alice = make('alice', { password: 'hunter2-is-wrong', logger: log.logger, logLevel: 'trace' })
    const error = await alice.initialize().catch((reason) => reason)
    assert.equal(error.code, 'ERR_AUTHENTICATION_FAILED')
    await alice.setPassword('hunter2-too').catch(() => {})
    assert.doesNotMatch(shown(alice, log, error), /hunter2/)
  })

  test('passwords of a function, which is asked again, once, when they are refused', async (t) => {
    const { pbx, make } = await pbxOf(t)
    const passwords = ['alices-old-password', 'alices-new-password', 'alices-wrong-password']
    await pbx.addUser({ name: 'alice', password: passwords[0] })
    const log = recorder()
    let [valid, asked] = [0, 0]
    const password = async () => {
      asked++
      return passwords[valid]
    }
    const alice = make('alice', { password, logger: log.logger, logLevel: 'trace' })
    await alice.initialize()
    assert.equal(asked, 1)
    await pbx.addUser({ name: 'alice', password: passwords[1] })
    valid = 1
    await alice.register()
    assert.equal(asked, 2)
    await pbx.addUser({ name: 'alice', password: 'another' })
    valid = 2
    const refused = next(alice, 'registrationFailed')
    const error = await alice.register().catch((reason) => reason)
    assert.equal(error.code, 'ERR_AUTHENTICATION_FAILED')
    assert.deepEqual([asked, (await refused)[0].fatal], [3, true])
    const everything = shown(alice, log, error)
    assert.match(everything, /Authorization: /i, 'requests are traced')
    assert.doesNotMatch(everything, /alices-(old|new|wrong)/)
  })

  test('what a function for the password or the token throws', async (t) => {
    const { make } = await pbxOf(t)
    for (const option of ['password', 'accessToken']) {
      const log = recorder()
      const options = { allowInsecure: true, password: undefined, [option]: () => JSON.parse('hunter2'), logger: log.logger, logLevel: 'trace' }
      const alice = make('alice', options)
      const error = await alice.initialize().catch((reason) => reason)
      assert.match(error.cause.cause.message, /threw SyntaxError$/)
      assert.doesNotMatch(shown(alice, log, error), /hunter2/)
    }
  })

  test('bearer tokens', async (t) => {
    const tokens = ['carols-first-token', 'carols-second-token']
    const { make } = await pbxOf(t, { users: [{ name: 'carol', token: tokens[0] }] })
    const log = recorder()
    const carol = make('carol', { accessToken: async () => tokens[0], logger: log.logger, logLevel: 'trace', authorization: 'always' })
    await carol.initialize()
    const error = await carol.setAccessToken('a bad\ntoken').catch((reason) => reason)
    assert.ok(error instanceof Error)
    await carol.setAccessToken(tokens[1])
    const failed = await carol.register({ signal: AbortSignal.timeout(5000) }).catch((reason) => reason)
    const everything = shown(carol, log, error, failed)
    assert.match(everything, /Authorization: /i, 'requests are traced')
    for (const token of [...tokens, 'a bad']) assert.ok(!everything.includes(token), `${token} is shown`)
  })

  test('tokens in the query of a server, connected or not', async (t) => {
    const { pbx, make } = await pbxOf(t)
    const log = recorder()
    const alice = make('alice', { servers: `${pbx.url}?token=query-token`, logger: log.logger, logLevel: 'trace' })
    const connected = next(alice, 'connected')
    await alice.initialize()
    const [event] = await connected
    const other = recorder()
    const servers = `ws://127.0.0.1:${await closedPort()}/ws?token=query-token`
    const lost = make('alice', { servers, logger: other.logger, logLevel: 'trace' })
    const error = await lost.initialize().catch((reason) => reason)
    assert.equal(error.code, 'ERR_CONNECTION_FAILED')
    assert.doesNotMatch([shown(alice, log, event), shown(lost, other, error)].join('\n'), /query-token/)
  })

  test('TURN credentials', async (t) => {
    const { open } = await pbxOf(t)
    const turn = {
      urls: `turn:127.0.0.1:${await closedPort()}?transport=udp`,
      username: 'turn-user',
      credential: 'turn-credential',
    }
    const log = recorder()
    const options = { iceServers: [turn], iceGatheringTimeout: 200, logger: log.logger, logLevel: 'trace' }
    const alice = await open('alice', options)
    const session = await alice.call('echo', voice(600).audio)
    await session.answered
    const report = await session.getStats()
    await alice.setIceServers([{ ...turn, urls: 'turn:' }]).then(assert.fail, (error) => {
      assert.doesNotMatch(shown(alice, log, error, [...report]), /turn-credential/)
    })
    await session.end()
    assert.doesNotMatch(shown(alice, log), /turn-credential/)
  })

  test('TURN credentials that a function gives, also among what can not be used', async (t) => {
    const { open } = await pbxOf(t)
    const turn = { urls: `turn:127.0.0.1:${await closedPort()}`, username: 'turn-user', credential: 'turn-credential' }
    const wrong = [[{ ...turn, urls: 'turn:turn-credential x' }], { turn }, [{ ...turn, expires: 3600 }], [{ ...turn, more: 'turn-credential' }]]
    for (const given of [[turn], ...wrong]) {
      const log = recorder()
      const options = { iceServers: () => given, iceGatheringTimeout: 200, logger: log.logger, logLevel: 'trace' }
      const alice = await open('alice', options)
      const session = await alice.call('echo', voice(600).audio)
      await session.answered
      await session.end()
      await alice.destroy()
      const all = shown(alice, log)
      assert.match(all, given[0] === turn ? /iceServers: turn:127/ : /iceServers: what the function gave can't be used: /)
      assert.doesNotMatch(all, /turn-credential/)
    }
  })

  for (const [option, wrong] of [
    ['password', { password: 48151623 }],
    ['ha1', { ha1: 48151623 }],
    ['accessToken', { accessToken: 48151623 }],
    ['iceServers[0].credential', { iceServers: [{ urls: 'turn:a', username: 'a', credential: 48151623 }] }],
    ['tls.key', { tls: { key: 48151623 } }],
  ]) {
    test(`a ${option} that is a number`, () => {
      assert.throws(() => new Softphone({ uri: 'sip:alice@pbx.test', ...wrong }), (error) => {
        assert.ok(error.message.startsWith(`Option '${option}' must be `), error.message)
        assert.doesNotMatch(inspect(error, { depth: null }), /48151623/)
        return true
      })
    })
  }
})
