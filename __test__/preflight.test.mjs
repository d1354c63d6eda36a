// preflight(), from what an application gives to what it is told. What is wrong with servers and proxies is tried in crates/runtime.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { preflight } from 'offhook'
import { pbxOf, registers } from './pbx.mjs'
import { proxyOf } from './proxy-server.mjs'
import { RawServer } from './raw-server.mjs'

const signalling = ['dns', 'proxy', 'tcp', 'tls', 'websocket', 'registration', 'clock']

/** The codes by the names of the checks. */
const codes = ({ checks }) => Object.fromEntries(checks.map(({ name, code }) => [name, code]))

describe('preflight()', { timeout: 60_000 }, () => {
  test('finds a server and an account that are well, and tells each as it is done', async (t) => {
    const { pbx } = await pbxOf(t)
    const told = []
    const result = await preflight(pbx.account('alice'), { checks: signalling, onCheck: (check) => told.push(check) })
    assert.equal(result.ok, true)
    assert.deepEqual(result.checks.map(({ name }) => name), signalling)
    assert.equal(codes(result).registration, 'registration-ok')
    assert.deepEqual(new Set(told.map(({ name }) => name)), new Set(signalling))
    for (const check of result.checks) {
      assert.deepEqual(Object.keys(check).sort(), ['advice', 'code', 'details', 'found', 'ms', 'name', 'status'])
      assert.ok(told.some((one) => one.name === check.name && one.code === check.code))
    }
    structuredClone(result)
  })

  test('leaves a phone that is registered with the same account as it is', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { instanceId: '6a3f9f0e-9c0a-4d0c-8a51-5f4c4b0f2c11' })
    let lost = 0
    alice.on('unregistered', () => lost++).on('disconnected', () => lost++)
    const bob = await open('bob')
    const rang = alice.once('pendingSession')
    assert.equal((await preflight({ ...pbx.account('alice'), instanceId: '6a3f9f0e-9c0a-4d0c-8a51-5f4c4b0f2c11' }, { checks: signalling })).ok, true)
    const call = await bob.call('alice')
    await rang
    await call.end()
    assert.equal(lost, 0)
  })

  test('tells a wrong password, and never the password', async (t) => {
    const { pbx } = await pbxOf(t)
    const result = await preflight({ ...pbx.account('alice'), password: 'hunter2 %' }, { checks: signalling })
    assert.equal(result.ok, false)
    assert.equal(codes(result).registration, 'registration-credentials')
    assert.ok(!JSON.stringify(result).includes('hunter2'))
  })

  test('takes a token from a function, and rejects with what is wrong with that', async (t) => {
    const server = await RawServer.start()
    t.after(() => server.close())
    const account = { uri: 'sip:alice@example.com', servers: server.url, allowInsecure: true }
    const result = await preflight({ ...account, accessToken: async () => 'the-token' }, { checks: signalling })
    assert.equal(codes(result).registration, 'registration-ok')
    await assert.rejects(preflight({ ...account, accessToken: () => '' }), { code: 'ERR_ACCESS_TOKEN' })
  })

  test('takes a password from a function, and rejects with what is wrong with that', async (t) => {
    const { pbx } = await pbxOf(t)
    const { password, ...account } = pbx.account('alice')
    const result = await preflight({ ...account, password: async () => password }, { checks: signalling })
    assert.equal(codes(result).registration, 'registration-ok')
    await assert.rejects(preflight({ ...account, password: () => '' }), { code: 'ERR_PASSWORD' })
    const asked = () => assert.fail('wrong options are told before anybody is asked')
    await assert.rejects(preflight({ ...account, uri: 'nonsense:', password: asked }), { code: 'ERR_INVALID_OPTION' })
  })

  test('goes through the proxy that a function names, with its credentials', async (t) => {
    const { pbx } = await pbxOf(t)
    const proxy = await proxyOf(t, { login: ['al@ice', 'hünter2 %/:#'] })
    const asked = []
    const servers = pbx.url.replace('127.0.0.1', 'pbx.test')
    const httpProxy = async (url) => {
      asked.push(url)
      return proxy.url()
    }
    const result = await preflight({ ...pbx.account('alice'), servers: `${servers}?token=s3cret`, httpProxy }, { checks: signalling })
    assert.equal(result.ok, true, JSON.stringify(result.checks, null, 1))
    assert.deepEqual([codes(result).proxy, codes(result).dns, codes(result).tcp], ['proxy-ok', 'dns-by-proxy', 'tcp-by-proxy'])
    assert.equal(asked.length, 1)
    assert.ok(!`${asked}${JSON.stringify(result)}`.match(/s3cret|hünter2|h%C3%BCnter2|al@ice/))
    assert.equal(proxy.asked.at(-1).credentials, 'al@ice:hünter2 %/:#')
  })

  test('tells a proxy function that fails', async (t) => {
    const { pbx } = await pbxOf(t)
    for (const httpProxy of [() => Promise.reject(new Error('no http://al:s3cret@pac')), () => 42, () => 'ftp://proxy', async () => 'SOCKS4 a:1']) {
      const result = await preflight({ ...pbx.account('alice'), httpProxy }, { checks: signalling })
      assert.doesNotMatch(JSON.stringify(result), /s3cret/)
      assert.equal(codes(result).proxy, 'proxy-function')
      assert.equal(codes(result).websocket, 'not-tried')
    }
  })

  test('tells an iceServers function that fails, and shows nothing of what it threw but its name and code', async () => {
    const account = { uri: 'sip:alice@example.invalid', register: false, audio: 'none' }
    const refused = Object.assign(new TypeError('Failed to parse URL from https//api?token=s3cret'), { code: 'ERR_INVALID_URL' })
    for (const [iceServers, text] of [
      [() => { throw refused }, /TypeError \(ERR_INVALID_URL\)/],
      [async () => JSON.parse('x{"credential":"s3cret"}'), /SyntaxError/],
      [() => { throw Object.create(null) }, /an object/],
    ]) {
      const result = await preflight({ ...account, iceServers }, { checks: ['turn'] })
      assert.equal(codes(result).turn, 'ice-function', JSON.stringify(result))
      assert.match(result.checks[0].found, text)
      assert.doesNotMatch(JSON.stringify(result), /s3cret/)
    }
  })

  test('is disturbed by no function that answers when it is over', async () => {
    const account = { uri: 'sip:alice@example.invalid', register: false, audio: 'none' }
    let answer
    const iceServers = () => new Promise((resolve) => (answer = resolve))
    const result = await preflight({ ...account, iceServers }, { checks: ['turn'] })
    assert.equal(codes(result).turn, 'ice-function', JSON.stringify(result))
    // What would be thrown then is no rejection that anybody handles: the test would fail.
    answer([{ urls: 'stun:127.0.0.1:9' }])
    await new Promise(setImmediate)
  })

  test('leaves sound alone that is not wanted', async () => {
    const { ok, checks } = await preflight({ uri: 'sip:alice@example.invalid', register: false, audio: 'none' }, { checks: ['microphone', 'speaker'] })
    assert.deepEqual([ok, ...checks.map(({ code }) => code)], [true, 'not-wanted', 'not-wanted'])
  })

  test('says what a call costs', async () => {
    const { checks: [cpu] } = await preflight({ uri: 'sip:alice@example.invalid', register: false }, { checks: ['cpu'] })
    assert.match(cpu.code, /^cpu-(ok|tight|full)$/)
    const { percent, free, processors, calls } = cpu.details
    assert.ok(percent > 0 && free > 0 && free <= 100 && processors >= 1 && calls >= 0, JSON.stringify(cpu))
  })

  test('is given up by its signal, and leaves nobody registered', async (t) => {
    const { pbx } = await pbxOf(t)
    await assert.rejects(preflight(pbx.account('alice'), { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
    const controller = new AbortController()
    const left = new Promise((resolve) => pbx.on('unregistered', ({ user }) => user === 'alice' && resolve()))
    const registered = registers(pbx, 'alice')
    const running = preflight(pbx.account('alice'), { signal: controller.signal, checks: signalling })
    await registered
    controller.abort(new Error('enough'))
    await assert.rejects(running, { code: 'ERR_ABORTED', message: /enough/ })
    await left
  })

  test('ends with what its listener throws', async (t) => {
    const { pbx } = await pbxOf(t)
    const onCheck = () => {
      throw new RangeError('of the application')
    }
    await assert.rejects(preflight(pbx.account('alice'), { onCheck, checks: signalling }), RangeError)
  })

  test('rejects for options that no phone could have, and for those of its own', async () => {
    const uri = 'sip:alice@example.com'
    await assert.rejects(preflight(), { message: 'Options required to create an instance of the SDK' })
    await assert.rejects(preflight({ uri, servers: 'http://a' }), { code: 'ERR_INVALID_OPTION', message: /servers/ })
    await assert.rejects(preflight({ uri }, { checks: ['dns', 'dnss'] }), { code: 'ERR_INVALID_OPTION', message: /checks\[1\].*must be one of 'dns'/ })
    await assert.rejects(preflight({ uri }, { checks: [] }), { code: 'ERR_INVALID_OPTION', message: /checks/ })
    await assert.rejects(preflight({ uri }, { onCheck: 1 }), { code: 'ERR_INVALID_OPTION', message: /onCheck/ })
    await assert.rejects(preflight({ uri }, { patience: 1 }), { code: 'ERR_INVALID_OPTION', message: /patience/ })
  })
})
