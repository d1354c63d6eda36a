// Calls that are placed from a terminal, or from a program that reads lines of JSON.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { next, pbxOf } from '../pbx.mjs'
import { beginningOf, endOf, widthOf } from '../../dist/cli/width.js'
import { jsonLine, printable, traceText } from '../../dist/cli/printable.js'
import { accountEnv, offhook } from './cli.mjs'

const silence = ['--input', 'none', '--output', 'none']

/** A call by `alice`, silent unless the arguments say otherwise, told in JSON. */
function call(t, pbx, target, ...args) {
  return offhook(t, ['call', target, '--json', ...silence, ...args], { env: accountEnv(pbx, 'alice') })
}

describe('offhook call', { timeout: 120_000, concurrency: 2 }, () => {
  test('tells what becomes of a call, in lines of JSON, and ends with 0', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['call', 'echo', '--json', '--input', 'tone:440', '--output', 'none', '--duration', '2.5'], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0)
    const names = running.events.map(({ event }) => event)
    const order = ['connected', 'registered', 'calling', 'answered', 'stats', 'ended'].map((name) => names.indexOf(name))
    assert.ok(!order.includes(-1), running.stdout)
    assert.deepEqual(order, [...order].sort((one, other) => one - other))
    const stats = running.events.filter(({ event }) => event === 'stats')
    assert.ok(stats.some(({ localDb, remoteDb, mos }) => localDb > -30 && remoteDb > -30 && mos > 1), JSON.stringify(stats))
    const ended = running.events.find(({ event }) => event === 'ended')
    assert.equal(ended.condition, 'success')
    assert.equal(ended.side, 'local')
    assert.equal(ended.summary.codec, 'opus')
    for (const { time } of running.events) assert.ok(!Number.isNaN(Date.parse(time)))
    assert.equal(running.stderr, '')
  })

  test('tells it in words to whoever has no terminal', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['call', 'echo', ...silence, '--duration', '1.5'], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0)
    assert.match(running.stdout, /^connected to ws:.*\nregistered for \d+ s\ncalling sip:echo@pbx\.test\n[^]*talking to echo, opus\n[^]*ended after 0:0\d\nopus, MOS \d/)
    assert.doesNotMatch(running.stdout, /\x1b/)
  })

  for (const [target, code, extension] of [
    ['busy', 5],
    ['declining', 7, 603],
    ['forbidden', 7, 403],
    ['gone', 8, 410],
    ['nobody', 8],
    ['away', 6, 480],
  ]) {
    test(`ends with ${code} if ${target} does not take the call`, async (t) => {
      const { pbx } = await pbxOf(t, { extensions: extension ? { [target]: { type: 'refuse', code: extension } } : {} })
      const running = call(t, pbx, target)
      assert.equal(await running.ended, code, running.stdout)
      assert.equal(running.events.filter(({ event }) => event === 'ended').length, 1)
    })
  }

  test('ends with 6 if nobody answers in time', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = call(t, pbx, 'noanswer', '--timeout', '1')
    assert.equal(await running.ended, 6)
    await running.event('progress', ({ code }) => code === 180)
    assert.equal((await running.event('ended')).condition, 'timeout')
  })

  test('ends with 0 if the other side hangs up', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob', { autoAnswer: 'always' })
    const started = next(bob, 'sessionStarted', 20_000)
    const running = call(t, pbx, 'bob')
    const [session] = await started
    await running.event('answered')
    await session.end()
    assert.equal(await running.ended, 0)
    assert.equal((await running.event('ended')).side, 'remote')
  })

  test('ends with 3 if no server is there, and says so once', async (t) => {
    const env = { OFFHOOK_USER: 'sip:alice@example.com', OFFHOOK_SERVER: 'ws://127.0.0.1:9/ws', OFFHOOK_PASSWORD: 'x' }
    const running = offhook(t, ['call', 'bob', ...silence], { env })
    assert.equal(await running.ended, 3)
    assert.match(running.stderr, /refused the connection: is the server running/)
    assert.equal(running.stderr.trim().split('\n').length, 1, running.stderr)
    assert.equal(running.stdout, '')
  })

  test('ends with 3 if the server takes the connection and ends it again', async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sip' })
    await once(server, 'listening')
    t.after(() => server.close())
    server.on('connection', (socket) => socket.close())
    const env = { OFFHOOK_USER: 'sip:alice@example.com', OFFHOOK_SERVER: `ws://127.0.0.1:${server.address().port}`, OFFHOOK_PASSWORD: 'x' }
    const running = offhook(t, ['call', 'bob', '--json', ...silence, '--timeout', '2'], { env })
    assert.equal(await running.ended, 3, running.stdout)
    assert.match((await running.event('error')).message, /The server has not taken us in 2 s/)
  })

  for (const [status, code] of [[503, 3], [302, 3], [403, 4], [404, 4]]) {
    test(`ends with ${code} if the registrar says ${status}`, async (t) => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sip' })
      await once(server, 'listening')
      t.after(() => server.close())
      server.on('connection', (socket) => {
        t.after(() => socket.terminate())
        socket.on('message', (data) => {
          const header = (name) => new RegExp(`^${name}:.*$`, 'im').exec(String(data))[0]
          socket.send([`SIP/2.0 ${status} No`, header('Via'), header('From'), `${header('To')};tag=1`, header('Call-ID'), header('CSeq'), 'Content-Length: 0', '', ''].join('\r\n'))
        })
      })
      const env = { OFFHOOK_USER: 'sip:alice@example.com', OFFHOOK_SERVER: `ws://127.0.0.1:${server.address().port}`, OFFHOOK_PASSWORD: 'x' }
      const running = offhook(t, ['call', 'bob', '--json', ...silence, '--timeout', '4'], { env })
      assert.equal(await running.ended, code, running.stdout)
    })
  }

  test('ends with 4 if the password is wrong', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['call', 'bob', '--json', ...silence], { env: { ...accountEnv(pbx, 'alice'), OFFHOOK_PASSWORD: 'wrong' } })
    assert.equal(await running.ended, 4)
    assert.equal((await running.event('error')).code, 'ERR_AUTHENTICATION_FAILED')
  })

  test('ends with 2 if the target is none', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['call', 'http://example.com', ...silence], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 2)
    assert.match(running.stderr, /http:\/\/example\.com|target/)
    assert.doesNotMatch(running.stderr, /\n +at /)
  })

  test('sends the digits that were asked for, and shows none of them', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob', { autoAnswer: 'always' })
    let heard = ''
    bob.on('sessionStarted', (session) => session.on('dtmf', ({ tone }) => (heard += tone)))
    const running = call(t, pbx, 'bob', '--digits', '9372516#', '--trace')
    await running.event('digitsSent')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.equal(heard, '9372516#')
    assert.doesNotMatch(running.stdout, /9372516/)
  })

  test('takes a token instead of a password', async (t) => {
    const { pbx } = await pbxOf(t, { users: [{ name: 'alice', token: 'opaque-token-1' }] })
    const { uri, servers } = pbx.account('alice')
    const running = offhook(t, ['call', 'echo', '--json', '--trace', '--duration', '1', ...silence], { env: { OFFHOOK_USER: uri, OFFHOOK_SERVER: servers, OFFHOOK_TOKEN: 'opaque-token-1' } })
    assert.equal(await running.ended, 0, running.stdout)
    assert.doesNotMatch(running.stdout + running.stderr, /opaque-token-1/)
  })

  for (const format of [['--json'], []]) {
    test(`shows no password, whatever is traced${format.length > 0 ? ', in JSON' : ''}`, async (t) => {
      const { pbx } = await pbxOf(t)
      const { uri, servers } = pbx.account('alice')
      const args = ['call', 'echo', ...format, '--trace', '--password', 'alice-password', '--duration', '1', ...silence]
      const running = offhook(t, args, { env: { OFFHOOK_USER: uri, OFFHOOK_SERVER: servers } })
      assert.equal(await running.ended, 0, running.stdout)
      const whole = running.stdout + running.stderr
      assert.match(whole, /INVITE sip:echo@pbx\.test/)
      assert.match(whole, /--password can be read by others on this machine/)
      assert.doesNotMatch(whole, /alice-password/)
    })
  }

  test('lets the name of the other side turn no direction of what stands beside it', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob', { displayName: 'Bob\u202e' })
    const running = offhook(t, ['listen', '--auto-answer', '--once', ...silence], { env: accountEnv(pbx, 'alice') })
    await running.says(/waiting for calls/)
    const session = await bob.call('alice')
    await session.answered
    await session.end()
    assert.equal(await running.ended, 0)
    assert.match(running.stdout, /Bob\ufffd \(sip:bob@pbx\.test\) calls/)
    assert.doesNotMatch(running.stdout, /\u202e/)
  })

  test('prints nothing of others that a terminal would obey', () => {
    for (const text of ['\x1b[2J', '\u009b2J', '\r', '\n', '\x07', '\u2066', '\u2028', '\u200e', '\u200f', '\u061c']) {
      assert.doesNotMatch(printable(`a${text}b`), /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
      const line = jsonLine({ text: `a${text}b` })
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
      assert.deepEqual(JSON.parse(line), { text: `a${text}b` })
      assert.doesNotMatch(traceText('info', `a${text}b`, { one: `a${text}b`, [`a${text}b`]: 1 }).replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f]/)
    }
  })

  test('counts the cells of a terminal, not the letters', () => {
    assert.deepEqual(['abc', '漢字', 'e\u0301', '😀'].map(widthOf), [3, 4, 1, 2])
    assert.equal(beginningOf('漢字漢字', 5), '漢字…')
    assert.equal(beginningOf('漢字漢字', 8), '漢字漢字')
    assert.equal(beginningOf('😀😀😀', 4), '😀…')
    assert.equal(endOf('ab漢字', 5), 'b漢字')
    assert.ok(widthOf(beginningOf('a'.repeat(1000), 40)) <= 40)
  })

  test('tells another caller that it is busy', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const running = call(t, pbx, 'echo')
    await running.event('answered')
    const bob = await open('bob')
    const session = await bob.call('alice')
    await assert.rejects(session.answered, { code: 'ERR_CALL_BUSY' })
    await running.event('refused')
    running.kill('SIGINT')
    await running.ended
  })

  test('follows nobody to where the other side wants it without a key', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob', { autoAnswer: 'always' })
    const started = next(bob, 'sessionStarted', 20_000)
    const running = call(t, pbx, 'bob')
    const [session] = await started
    await running.event('answered')
    await assert.rejects(session.transfer('tone'), { code: 'ERR_TRANSFER_FAILED' })
    await running.event('transferRequested')
    assert.ok(session.active)
    running.kill('SIGINT')
    await running.ended
  })
})

describe('Ctrl-C', { timeout: 120_000, concurrency: 2 }, () => {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    test(`or ${signal} hangs up, and ends with ${code} once the BYE is sent`, async (t) => {
      const { pbx } = await pbxOf(t)
      const byes = []
      pbx.on('message', ({ direction, text }) => direction === 'in' && text.startsWith('BYE') && byes.push(text))
      const running = call(t, pbx, 'echo')
      await running.event('answered')
      running.kill(signal)
      assert.equal(await running.ended, code)
      assert.equal(byes.length, 1)
      assert.equal((await running.event('ended')).side, 'local')
    })
  }

  test('takes back a call that rings', async (t) => {
    const { pbx } = await pbxOf(t)
    const cancels = []
    pbx.on('message', ({ direction, text }) => direction === 'in' && text.startsWith('CANCEL') && cancels.push(text))
    const running = call(t, pbx, 'noanswer')
    await running.event('progress')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.equal(cancels.length, 1)
  })

  test('again ends at once, though the server says nothing', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = call(t, pbx, 'echo')
    await running.event('answered')
    await pbx.addFault({ action: 'lose', user: 'alice' })
    running.kill('SIGINT')
    await running.event('ended')
    const started = performance.now()
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.ok(performance.now() - started < 1500)
  })

  test('while it connects ends it', async (t) => {
    const { pbx } = await pbxOf(t)
    await pbx.addFault({ action: 'lose', method: 'REGISTER' })
    const running = call(t, pbx, 'echo')
    await running.event('connected')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })
})
