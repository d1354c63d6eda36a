// The option httpProxy, from what an application gives to what a proxy sees.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { inspect, promisify } from 'node:util'
import { Softphone } from 'offhook'
import { bothBeep, next, pbxOf, registers } from './pbx.mjs'
import { connect, eventually, silent } from './phones.mjs'
import { proxyOf } from './proxy-server.mjs'

const login = ['al@ice', 'hünter2 %/:#']
const variables = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY', 'NODE_USE_ENV_PROXY']

/** Sets variables of the environment for as long as `act` takes; all others of proxies are unset. */
function within(set, act) {
  const names = variables.flatMap((name) => [name, name.toLowerCase()])
  const before = names.map((name) => [name, process.env[name]])
  for (const name of names) delete process.env[name]
  Object.assign(process.env, set)
  try {
    return act()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** A server's address by a name that only a proxy knows. */
const named = (pbx, name = 'pbx.test') => pbx.url.replace('127.0.0.1', name)

function refusal(options) {
  try {
    new Softphone({ uri: 'sip:alice@example.com', ...options })
  } catch (error) {
    assert.equal(error.code, 'ERR_INVALID_OPTION')
    return error.message
  }
  return assert.fail('the options were taken')
}

describe('httpProxy', () => {
  for (const scheme of ['http', 'socks5']) {
    test(`carries a call through ${scheme}:, with odd credentials, which stand in no log`, async (t) => {
      const proxy = await proxyOf(t, { login })
      const { pbx, open } = await pbxOf(t)
      const alice = await open('alice', { httpProxy: proxy.url(scheme), servers: named(pbx), logLevel: 'trace' })
      const bob = await open('bob')
      const call = await connect(alice, bob, 'bob')
      await bothBeep(call)
      await call.outgoing.end()
      const { host, credentials } = proxy.asked.at(-1)
      assert.deepEqual([host, credentials], ['pbx.test', login.join(':')])
      const secrets = [login[1], encodeURIComponent(login[1]), Buffer.from(login.join(':')).toString('base64')]
      for (const secret of secrets) assert.ok(!alice.log.some((line) => line.includes(secret)), 'a secret is in the log')
    })
  }

  test('comes back through a proxy that has died and returned, and calls go on', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { httpProxy: proxy.url(), servers: named(pbx) })
    const bob = await open('bob')
    const call = await connect(alice, bob, 'bob')
    const gone = next(alice, 'disconnected')
    await proxy.close()
    await gone
    const [failed] = await next(alice, 'disconnected', 10_000)
    assert.match(failed.reason, /^the proxy http:\/\/127\.0\.0\.1:\d+ refused the connection/)
    const again = registers(pbx, 'alice')
    await proxy.listen()
    await again
    await eventually(() => !call.outgoing.interrupted)
    await bothBeep(call)
    await call.outgoing.end()
  })

  test('that is wrong or dead fails initialize() with a code, and its text names the proxy', async (t) => {
    const proxy = await proxyOf(t, { login })
    const { pbx, make } = await pbxOf(t)
    const wrong = make('alice', { httpProxy: `http://al:hunter2@127.0.0.1:${proxy.port}`, servers: named(pbx) })
    await assert.rejects(wrong.initialize(), ({ code, type, cause }) => {
      assert.deepEqual([code, type], ['ERR_PROXY_AUTHENTICATION', 'initialization'])
      assert.match(cause.message, /the proxy http:\/\/127\.0\.0\.1:\d+ did not accept the credentials/)
      assert.doesNotMatch(cause.message, /hunter2/)
      return true
    })
    assert.ok(!wrong.log.some((line) => line.includes('hunter2')))
    await proxy.close()
    const dead = make('alice', { httpProxy: proxy.url(), servers: named(pbx) })
    await assert.rejects(dead.initialize(), { code: 'ERR_PROXY_FAILED' })
  })

  test('that hangs fails initialize() in time, and its text says at which step', async (t) => {
    const silence = createServer((socket) => socket.on('error', () => {}))
    silence.listen(0, '127.0.0.1')
    await once(silence, 'listening')
    t.after(() => silence.close())
    const { make } = await pbxOf(t)
    const phone = make('alice', { httpProxy: `socks5://127.0.0.1:${silence.address().port}` })
    await assert.rejects(phone.initialize(), ({ code, cause }) => {
      assert.equal(code, 'ERR_PROXY_FAILED')
      assert.match(cause.message, /^the proxy socks5:.* did not answer within \d+ ms: opening a tunnel through it did not finish$/)
      return true
    })
  })

  test('that is no proxy is an error that names it and shows no password', () => {
    assert.match(refusal({ httpProxy: 'proxy:3128' }), /^Option 'httpProxy' must be a proxy's URL such as .*, but is a URL of another scheme$/)
    for (const value of [7, true, null, {}, { function: true }, { environment: {} }, ['http://a'], new URL('http://a')]) {
      assert.match(refusal({ httpProxy: value }), /^Option 'httpProxy' must be a proxy's URL such as .*, 'environment', false or a function, but is/)
    }
    assert.doesNotMatch(refusal({ httpProxy: 'http://al:hunter2%@proxy' }), /hunter2/)
  })
})

describe('httpProxy as a function', () => {
  test('is asked before each attempt, and may answer late, as a PAC script does, or with null', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx, open } = await pbxOf(t)
    const asked = []
    const httpProxy = async (url) => {
      asked.push(url)
      await new Promise((passed) => setTimeout(passed, 20))
      return asked.length === 1 ? `PROXY 127.0.0.1:1; SOCKS5 127.0.0.1:${proxy.port}; DIRECT` : null
    }
    const alice = await open('alice', { httpProxy, servers: `${pbx.url}?token=hunter2` })
    assert.equal(proxy.asked.length, 1)
    const back = next(alice, 'connected', 10_000)
    await pbx.disconnect('alice')
    await back
    assert.equal(proxy.asked.length, 1, 'the second time it went directly')
    assert.equal(asked.length, 2)
    for (const url of asked) assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+\/ws$/)
  })

  test('that throws, or gives what is no proxy, fails initialize() with its name and code, and shows nothing else of it', async (t) => {
    const { make } = await pbxOf(t)
    for (const [httpProxy, text] of [
      [() => { throw new Error('no http://al:hunter2@proxy') }, /The httpProxy function failed: Error$/],
      [() => Promise.reject(Object.assign(new TypeError('?token=hunter2'), { code: 'ERR_INVALID_URL' })), /failed: TypeError \(ERR_INVALID_URL\)$/],
      [() => { throw 'hunter2' }, /failed: a string$/],
      [() => { throw Object.create(null) }, /failed: an object$/],
      [() => { throw Object.defineProperty(new Error(), 'code', { get: () => { throw new Error('hunter2') } }) }, /failed: an error$/],
      [() => 7, /it gave a number, but must give a proxy's URL/],
      [() => 'gopher://x', /gave a URL of another scheme/],
    ]) {
      const logged = []
      const log = (...parts) => void logged.push(inspect(parts, { depth: 9 }))
      const logger = { debug: log, log, info: log, warn: log, error: log }
      const phone = make('alice', { httpProxy, logger, logLevel: 'trace' })
      await assert.rejects(phone.initialize(), ({ code, cause }) => {
        assert.equal(code, 'ERR_PROXY_FAILED')
        assert.match(cause.message, text)
        assert.doesNotMatch(inspect(cause) + logged, /hunter2/)
        return true
      })
    }
  })

  test('that answers when its phone is gone harms nobody', async (t) => {
    const { make } = await pbxOf(t)
    let answer
    const phone = make('alice', { httpProxy: () => new Promise((resolve) => (answer = resolve)) })
    const failed = assert.rejects(phone.initialize(), { code: 'ERR_DESTROYED' })
    await eventually(() => answer)
    await phone.destroy()
    await failed
    answer('http://127.0.0.1:1')
  })
})

describe('httpProxy of the environment', () => {
  test('is taken if it is asked for, by the scheme, but for no host of NO_PROXY', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx, make } = await pbxOf(t)
    const phoneWith = (set, options) => within(set, () => make('alice', { servers: named(pbx), ...options }))
    const taken = phoneWith({ HTTP_PROXY: proxy.url(), HTTPS_PROXY: 'http://127.0.0.1:1' }, { httpProxy: 'environment' })
    await taken.initialize()
    assert.deepEqual(proxy.asked.map(({ host }) => host), ['pbx.test'])
    await taken.destroy()
    for (const [set, options] of [
      [{ HTTP_PROXY: proxy.url(), NO_PROXY: 'localhost,.test' }, { httpProxy: 'environment' }],
      [{ HTTP_PROXY: proxy.url(), http_proxy: '' }, { httpProxy: 'environment' }],
      [{ ALL_PROXY: proxy.url() }, {}],
      [{ ALL_PROXY: proxy.url(), NODE_USE_ENV_PROXY: '1' }, { httpProxy: false }],
    ]) {
      const direct = phoneWith(set, options)
      await assert.rejects(direct.initialize(), ({ cause }) => /pbx\.test was not found/.test(cause.message))
    }
    assert.equal(proxy.asked.length, 1)
    const here = phoneWith({ ALL_PROXY: 'http://127.0.0.1:1' }, { httpProxy: 'environment', servers: pbx.url })
    await here.initialize()
  })

  test('is the default where Node itself was told to take it', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx, make } = await pbxOf(t)
    const phone = within({ ALL_PROXY: proxy.url(), NODE_USE_ENV_PROXY: '1' }, () => make('alice', { servers: named(pbx) }))
    await phone.initialize()
    assert.equal(proxy.asked.length, 1)
  })

  test('that names no proxy is an error that names its variable and not its value', () => {
    const text = within({ https_proxy: 'ftp://al:hunter2@x' }, () => refusal({ httpProxy: 'environment' }))
    assert.match(text, /HTTPS_PROXY of the environment is a URL of another scheme$/)
    assert.doesNotMatch(text, /hunter2/)
  })

  test('may have a variable that names no proxy, if no server needs it', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx, make } = await pbxOf(t)
    const variables = { ALL_PROXY: 'socks4://al:hunter2@x', HTTPS_PROXY: 'ftp://x', HTTP_PROXY: proxy.url(), NODE_USE_ENV_PROXY: '1' }
    const phone = within(variables, () => make('alice', { servers: named(pbx) }))
    await phone.initialize()
    assert.equal(proxy.asked.length, 1)
    const text = within(variables, () => refusal({ servers: [named(pbx), 'wss://pbx.test/ws'] }))
    assert.match(text, /HTTPS_PROXY of the environment is a URL of another scheme$/)
  })

  test('is what offhook on the command line takes, and --proxy names another', async (t) => {
    const proxy = await proxyOf(t)
    const { pbx } = await pbxOf(t)
    const run = (args, env) =>
      promisify(execFile)(
        process.execPath,
        ['dist/cli/main.js', 'call', 'nobody', '--user', 'sip:alice@127.0.0.1', '--server', named(pbx), '--json', ...args],
        { env: { ...process.env, OFFHOOK_PASSWORD: 'alice-password', ...env }, timeout: 30_000 },
      ).catch((error) => error)
    await run([], { http_proxy: proxy.url() })
    assert.equal(proxy.asked.length, 1, 'of the environment')
    await run(['--proxy', proxy.url('socks5')], { http_proxy: 'http://127.0.0.1:1' })
    assert.equal(proxy.asked.length, 2, 'of --proxy')
    const { stderr, stdout } = await run(['--proxy', 'none'], { http_proxy: proxy.url() })
    assert.match(`${stdout}${stderr}`, /pbx\.test was not found/)
    const refused = await run(['--proxy', 'http://127.0.0.1:1'], {})
    assert.match(`${refused.stdout}${refused.stderr}`, /the proxy http:\/\/127\.0\.0\.1:1 refused the connection/)
    assert.equal(refused.code, 3, 'the server can not be reached')
    const wrong = await run(['--proxy', 'ftp://al:hunter2@x'], {})
    assert.match(`${wrong.stdout}${wrong.stderr}`, /--proxy must be a proxy's URL/)
    assert.match(`${wrong.stdout}${wrong.stderr}`, /can be read by others on this machine/)
    assert.doesNotMatch(`${wrong.stdout}${wrong.stderr}`, /hunter2/)
  })
})
