// The applications of the five systems' documents, which __test__/types compiles under `strict`, run against the embedded PBX.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { folderOf } from '../installed.mjs'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { eventually, silent } from '../phones.mjs'
import { meeting } from './bandwidth-harness.mjs'

/** An application, in a folder where the package is installed, and what it said in order. */
async function applicationOf(t, system) {
  const source = readFileSync(new URL(`../types/document-${system}.mts`, import.meta.url), 'utf8')
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
  const path = join(folderOf(t), `${system}.mjs`)
  writeFileSync(path, ts.transpileModule(source, { compilerOptions }).outputText)
  const { application } = await import(pathToFileURL(path))
  const words = []
  const heard = (...wanted) => eventually(() => words.some((said) => JSON.stringify(said) === JSON.stringify(wanted)))
  return { words, heard, start: (place) => application(place, (...said) => words.push(said)) }
}

describe('the application of the document of', { timeout: 60_000 }, () => {
  test('PureCloud', async (t) => {
    const token = `e30.${Buffer.from(JSON.stringify({ sub: 'alice' })).toString('base64url')}.e30`
    const { pbx, open } = await pbxOf(t, { domain: 'mypurecloud.com', users: [{ name: 'alice', token }, 'bob'] })
    const bob = await open('bob')
    const { start, heard, words } = await applicationOf(t, 'purecloud')
    const sdk = start({ token, here: { servers: pbx.url, allowInsecure: true, audio: 'none', logger: silent } })
    t.after(() => sdk.destroy())
    await sdk.intialize()

    const inbound = await bob.call('alice', { conversationId: 'inbound' })
    await inbound.answered
    await inbound.end()
    await heard('sessionEnded', 'inbound')
    const { ear, audio } = voice(600)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, audio))
    await pbx.originate({ to: 'alice', with: 'bob', autoAnswer: true, conversationId: 'outbound' })
    await hears(ear, 1000)
    const [session] = sdk.sessions
    await heard('streams', 1)
    assert.equal(session.streams.length, 1)
    await sdk.endSession({ conversationId: 'outbound' })
    await heard('sessionEnded', 'outbound')
    const pending = words.filter(([event]) => event === 'pendingSession').map(([, , ...rest]) => rest)
    assert.deepEqual(pending, [['inbound', false], ['outbound', true]])
    assert.deepEqual(words.filter(([event]) => event === 'terminated'), [['terminated', true], ['terminated', true]])
    assert.deepEqual(words.filter(([event]) => event === 'error'), [])
  })

  test('Exotel', async (t) => {
    const { pbx, open } = await pbxOf(t, { domain: 'exotel-document.test' })
    const bob = await open('bob')
    const { start, heard, words } = await applicationOf(t, 'exotel')
    const client = start({ domain: pbx.domain, port: new URL(pbx.url).port, security: 'ws', password: 'alice-password', phone: { audio: 'none', logger: silent } })
    t.after(() => client.destroy())
    await heard('registered', 'alice')
    const held = next(bob, 'sessionStarted').then(([session]) => next(session, 'hold'))
    const call = await bob.call('alice')
    await call.answered
    assert.equal((await held)[0].side, 'remote')
    await heard('connected', 'alice', true)
    await call.end()
    await heard('terminated', 'alice', true)
    assert.deepEqual(words.map(([state]) => state), ['sent_request', 'registered', 'incoming', 'connected', 'terminated'])
  })

  test('Lumen', async (t) => {
    const { pbx } = await pbxOf(t, { users: [{ name: 'alice', token: 'JWT' }], extensions: { '+1234567890': { type: 'echo' } } })
    const { start, heard, words } = await applicationOf(t, 'lumen')
    const here = { insecure: true, phone: { audio: 'none', logger: silent } }
    const engine = start({ domain: pbx.domain, port: Number(new URL(pbx.url).port), jwt: 'JWT', here })
    t.after(() => engine.phone && engine.stop())
    await heard('call_connected')
    assert.equal(engine.hangup(), true)
    await heard('call_ended')
    assert.deepEqual(words, [['call_connected'], ['call_disconnected'], ['call_ended']])
  })

  test('XiVO', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    for (const name of ['bob', 'carol']) await open(name, { autoAnswer: 'always' })
    const { start, heard } = await applicationOf(t, 'xivo')
    const line = { name: 'alice', password: 'alice-password', sipProxyName: pbx.domain }
    const xc = start({ line, port: Number(new URL(pbx.url).port) })
    t.after(() => xc.stop())
    await heard('registration', 'Registered', undefined, 'undefined')
    xc.dial('bob')
    await heard('outgoing', 'Connected', 'bob', 'string')
    xc.dial('carol')
    await heard('outgoing', 'Connected', 'carol', 'string')
    const going = () => xc.phone.sessions.filter((session) => !session.held).map(({ address }) => address)
    assert.deepEqual(going(), ['carol'])
    for (const other of ['bob', 'carol']) {
      assert.equal(xc.hold(xc.phone.sessions.find((session) => !session.held).callId), true)
      await eventually(() => going().join() === other)
    }
    assert.equal(xc.conference(), true)
    await eventually(() => going().length === 2)
  })

  test('Bandwidth', async (t) => {
    const { invite, join } = await meeting(t)
    const { token } = await invite('Ann')
    const { ear } = voice(600)
    const { start, heard, words } = await applicationOf(t, 'bandwidth')
    const rtc = await start({ token, output: ear })
    t.after(() => rtc.disconnect())
    assert.deepEqual(words.find(([event]) => event === 'published'), ['published', ['AUDIO'], ['video', 'audio.echoCancellation']])
    const bob = await join('Bob', 1000, 'Bob')
    await heard('available', 'Bob', false)
    await hears(ear, 1000)
    await bob.rtc.disconnect()
    await heard('unavailable', true)
  })
})
