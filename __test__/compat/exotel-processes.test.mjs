import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { env, execPath } from 'node:process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SessionListener } from 'offhook/compat/exotel'
import { Channel } from '../../dist/compat/exotel/channel.js'
import { privatePath } from '../../dist/compat/exotel/private-socket.js'
import { next } from '../pbx.mjs'
import { causing, childOf, exotel, runtime, teller } from './exotel-harness.mjs'
import { sessionSample } from './exotel-sample.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the Exotel façade across processes', { timeout: 60_000 }, () => {
  test('children are told of the calls of the parent, with the document\'s callback', async (t) => {
    const { account, clientOf, openBob } = await exotel(t)
    const parent = clientOf()
    await parent.client.SessionListener()
    await causing(parent.told, ['register', 'registered'], () => parent.client.DoRegister())
    const { told } = await childOf(t, account)
    const bob = await openBob()
    let call
    const [, , phone, caller] = await causing(told, ['session', 'incoming'], async () => (call = await bob.call('alice')))
    assert.deepEqual([phone, caller], ['alice', 'bob'])
    await causing(told, ['session', 'connected'], () => parent.client.getCall().Answer())
    await causing(told, ['session', 'callEnded'], () => call.end())
    assert.deepEqual(told.names('call'), [])
    assert.deepEqual(parent.told.names('session'), [])
  })

  test('a child takes over when the parent is killed, and only one does', async (t) => {
    const { account, openBob } = await exotel(t)
    const parent = await childOf(t, account, { registers: true })
    const reluctant = await childOf(t, account)
    const [one, two] = [await childOf(t, account, { takesOver: true }), await childOf(t, account, { takesOver: true })]
    const asked = reluctant.told.until('session', 're-register', 'alice')
    const registered = Promise.race([one, two].map(async (child) => (await child.told.until('register', 'registered'), child)))
    parent.process.kill('SIGKILL')
    await asked
    const follower = await registered
    const bob = await openBob()
    await causing(follower.told, ['call', 'connected'], () => bob.call('alice'))
    assert.deepEqual((follower === one ? two : one).told.names('register'), [])
  })

  test('a window of the same process takes over when the parent is closed', async (t) => {
    const { account, clientOf } = await exotel(t)
    const { process, told } = await childOf(t, account, { registers: true })
    const { client, told: mine } = clientOf()
    const storage = new Map([['activeSessionTab', 'child1']])
    const window = {
      sessionStorage: { getItem: (key) => storage.get(key), setItem: (key, value) => storage.set(key, value), removeItem: (key) => storage.delete(key) },
    }
    const callback = sessionSample(window, { setMessage() {}, setOpen() {}, sendAutoRegistration: () => client.DoRegister() })
    client.initWebrtc(account, (state) => mine.tell('register', state), () => {}, callback)
    await SessionListener()
    await causing(mine, ['register', 'registered'], () => process.send('close'))
    assert.equal(storage.get('activeSessionTab'), 'parent0')
    assert.equal(told.names('register').at(-1), 'unregistered')
  })

  test('the socket can be opened by this user only', async (t) => {
    const { clientOf, account } = await exotel(t)
    const { client } = clientOf()
    await client.SessionListener()
    const folder = join(runtime, 'offhook')
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    // Not of others: one that was killed just before may have left its socket as bind() makes it.
    assert.equal(statSync(privatePath(`exotel alice@${account.sipdomain}`)).mode & 0o777, 0o600)
  })

  test('what is left of processes that were killed is in nobody\'s way', async (t) => {
    const { clientOf, account } = await exotel(t)
    const socket = privatePath(`exotel alice@${account.sipdomain}`)
    writeFileSync(socket, '')
    writeFileSync(`${socket}.lock`, '')
    utimesSync(`${socket}.lock`, 0, 0)
    const { client, told } = clientOf()
    await client.SessionListener()
    const { process } = await childOf(t, account, { registers: true })
    await causing(told, ['session', 're-register', 'alice'], () => process.kill('SIGKILL'))
  })

  test('is followed although its connection is lost when it dies', async (t) => {
    const { account, clientOf, pbx } = await exotel(t)
    const { client, told } = clientOf()
    await client.SessionListener()
    const parent = await childOf(t, account, { registers: true })
    await causing(parent.told, ['register', 'unregistered'], () => pbx.disconnect('alice'))
    await causing(told, ['session', 're-register', 'alice'], () => parent.process.kill('SIGKILL'))
  })

  test('nonsense on the socket harms nobody', async (t) => {
    const { account, clientOf } = await exotel(t)
    const { client, told } = clientOf()
    await client.SessionListener()
    const path = privatePath(`exotel alice@${account.sipdomain}`)
    const lines = ['null', '5', '"x"', '[]', '{"type":"event"}', '{"type":"event","event":{"state":"x"}}', '{"type":"parent"}', '{', 'x'.repeat(3 << 20)]
    for (const line of lines) {
      const socket = connect(path)
      socket.on('error', () => {})
      socket.end(`${line}\n`)
      socket.resume()
      await new Promise((resolve) => socket.on('close', resolve))
    }
    const { process } = await childOf(t, account, { registers: true })
    await causing(told, ['session', 're-register'], () => process.kill('SIGKILL'))
    assert.deepEqual(told.names('session'), ['re-register'])
  })

  test('who has not said who it is hears nothing, and who does not read is given up', async (t) => {
    const name = `test ${randomUUID()}`
    const [one, two] = [new Channel(name), new Channel(name)]
    t.after(() => [one, two].forEach((channel) => channel.close()))
    await Promise.all([one.joined, two.joined])
    const stranger = connect(privatePath(name))
    const heard = []
    stranger.on('data', (text) => heard.push(String(text)))
    const sleeper = connect(privatePath(name))
    sleeper.write(`${JSON.stringify({ type: 'parent', is: false, since: 0, again: true })}\n`)
    await once(sleeper, 'data')
    sleeper.pause()
    const text = 'x'.repeat(1 << 16)
    for (let sent = 0; sent < 64; sent += 1) {
      const arrived = next(two, 'event')
      one.send({ text, sent })
      assert.equal((await arrived)[0].sent, sent)
    }
    assert.deepEqual(heard, [])
    stranger.destroy()
    sleeper.resume()
    await once(sleeper, 'close')
  })

  test('leaving while joining leaves nothing behind', async (t) => {
    const { account } = await exotel(t)
    const code = `
      import { ExotelWebClient } from 'offhook/compat/exotel'
      const client = new ExotelWebClient()
      client.initWebrtc(${JSON.stringify({ ...account, phone: { audio: 'none' } })}, () => {}, () => {})
      void client.SessionListener()
      await client.destroy()`
    const process = spawn(execPath, ['--input-type=module', '--eval', code], { cwd: root, stdio: 'inherit' })
    t.after(() => process.kill('SIGKILL'))
    assert.deepEqual(await once(process, 'exit', { signal: AbortSignal.timeout(20_000) }), [0, null])
  })

  test('a folder that others can open is not used, and what fails is told and thrown at nobody', async (t) => {
    const { clientOf, account, complaints } = await exotel(t)
    const [open, file] = [mkdtempSync(join(runtime, 'open-')), join(runtime, 'file')]
    mkdirSync(join(open, 'offhook'))
    chmodSync(join(open, 'offhook'), 0o777)
    writeFileSync(file, '')
    const { XDG_RUNTIME_DIR, TMPDIR } = env
    t.after(() => Object.assign(env, { XDG_RUNTIME_DIR, TMPDIR: TMPDIR ?? tmpdir() }))
    Object.assign(env, { XDG_RUNTIME_DIR: open, TMPDIR: runtime })
    const user = process.getuid()
    assert.equal(dirname(privatePath('x')), join(runtime, `offhook-${user}`))
    Object.assign(env, { XDG_RUNTIME_DIR: file, TMPDIR: file })
    const { client } = clientOf()
    await client.SessionListener()
    assert.match(complaints.at(-1), /^\[offhook\] SessionListener: .* must be a folder that only this user can open/)
    assert.equal(client.initWebrtc(account, () => {}, () => {}), true)
  })

  test('another user can neither listen nor stand in the way', async (t) => {
    if (process.getuid() !== 0) return t.diagnostic('only root can try what another user can do')
    const { clientOf, account } = await exotel(t)
    const { client } = clientOf()
    await client.SessionListener()
    const path = privatePath(`exotel alice@${account.sipdomain}`)
    const code = `require('node:net').connect(${JSON.stringify(path)}).on('connect', () => console.log('in')).on('error', ({ code }) => console.log(code))`
    const { stdout } = spawnSync(execPath, ['--eval', code], { uid: 65534, gid: 65534, encoding: 'utf8', cwd: '/' })
    assert.equal(stdout.trim(), 'EACCES')
  })

  test('on Windows the name of the pipe can\'t be foreseen, and is the same for all processes of a user', (t) => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform')
    const { LOCALAPPDATA } = env
    t.after(() => {
      Object.defineProperty(process, 'platform', platform)
      if (LOCALAPPDATA === undefined) delete env.LOCALAPPDATA
    })
    Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
    const names = ['one', 'two'].map((user) => {
      env.LOCALAPPDATA = join(runtime, user)
      const [first, again, other] = [privatePath('a'), privatePath('a'), privatePath('b')]
      assert.match(first, /^\\\\\.\\pipe\\offhook-[0-9a-f]{32}-[0-9a-f]{24}$/)
      assert.equal(first, again)
      assert.notEqual(first, other)
      return first
    })
    assert.notEqual(...names)
  })
})
