// What the pages of docs/migrate show runs as it stands, but for the servers, which are the embedded PBX and stubs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folderOf, runIn } from '../installed.mjs'
import { hears, next, pbxOf, registers, voice } from '../pbx.mjs'
import { ctiOf } from './cti-stub.mjs'

const domain = 'mypurecloud.com'
const ws = fileURLToPath(new URL('../../node_modules/ws/index.js', import.meta.url))

/** The code of a page: of a `diff` what it looks like afterwards. */
function blocksOf(system) {
  const page = readFileSync(new URL(`../../docs/migrate/${system}.md`, import.meta.url), 'utf8')
  return [...page.matchAll(/^```(js|diff)\n([^]*?)^```$/gm)].map(([, language, code]) => (language === 'js' ? code : after(code)))
}

function after(diff) {
  const lines = diff.split('\n').filter((line) => !line.startsWith('-'))
  return lines.map((line) => line.slice(1)).join('\n')
}

/** Replaces what names a server; each must be there. */
function at(code, replacements) {
  return Object.entries(replacements).reduce((whole, [from, to]) => {
    assert.ok(whole.includes(from), `${from} is in the page`)
    return whole.replace(from, to)
  }, code)
}

// What says who the user is, as a token of the platform does.
function tokenOf(user) {
  return `e30.${Buffer.from(JSON.stringify({ sub: user })).toString('base64url')}.e30`
}

describe('the page of', { timeout: 60_000 }, () => {
  test('purecloud', async (t) => {
    const token = tokenOf('alice')
    const { pbx, open } = await pbxOf(t, { domain, users: ['bob', { name: 'alice', token }] })
    const [start, outbound, sound, ...more] = blocksOf('purecloud')
    assert.deepEqual(more, [])
    const bob = await open('bob')
    const { ear, audio } = voice(600)
    const here = `servers: '${pbx.url}', allowInsecure: true, audio: 'none'`
    const started = at(start, { orgId: `orgId, ${here}` })
    const taken = started.replace(/^ *sdk\.on\('pendingSession'.*\n/m, '')
    const begin = `const accessToken = '${token}', orgId = '0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55'\n`
    const ended = 'await sdk.once("sessionEnded")\nawait sdk.destroy()\n'
    const whole = runIn(folderOf(t), begin + started + ended)
    await registers(pbx, 'alice')
    const call = await bob.call('alice', audio)
    await call.answered
    await call.end()
    await whole

    const recipe = runIn(folderOf(t), `${begin}const microphone = { tone: 1000 }\n${at(outbound, { 'orgId,': `orgId, ${here},` })}${ended}`)
    await registers(pbx, 'alice')
    const answered = next(bob, 'pendingSession')
    const placed = pbx.originate({ to: 'alice', with: 'bob', autoAnswer: true })
    const [{ id }] = await answered
    bob.acceptPendingSession(id, audio)
    await placed
    await hears(ear, 1000)
    await bob.sessions[0].end()
    await recipe

    const heard = 'const microphone = { tone: 1000 }, play = (chunk) => heard(chunk)\nlet heard\nconst hears = new Promise((resolve) => (heard = resolve))\n'
    const [before, behind] = ['const [{ id }] = await sdk.once("pendingSession")\n', 'const ended = sdk.once("sessionEnded")\nawait hears\nawait ended\nawait sdk.destroy()\n']
    const silent = runIn(folderOf(t), begin + taken + heard + before + sound + behind)
    await registers(pbx, 'alice')
    const other = await bob.call('alice', audio)
    await other.answered
    await hears(ear, 1000)
    await other.end()
    await silent
  })

  test('exotel', async (t) => {
    const { pbx } = await pbxOf(t)
    const [start, ...more] = blocksOf('exotel')
    assert.deepEqual(more, [])
    const { port } = new URL(pbx.url)
    const account = { userName: 'alice', sipdomain: pbx.domain, domain: `127.0.0.1:${port}`, port, secret: 'alice-password', security: 'ws', phone: { audio: 'none' } }
    const begin = `const sipAccountInfo = ${JSON.stringify(account)}
      let registered
      const registration = new Promise((resolve) => (registered = resolve))
      const RegisterEventCallBack = (state) => state === 'registered' && registered()
      const CallListenerCallback = () => {}, SessionCallback = () => {}\n`
    await runIn(folderOf(t), `${begin}${start}\nawait registration\nawait exWebClient.destroy()\n`)
  })

  test('whistle', async (t) => {
    const { pbx } = await pbxOf(t, { users: [{ name: 'web', token: 'JWT' }], extensions: { '+1234567890': { type: 'echo' } } })
    const [start, ...more] = blocksOf('whistle')
    assert.deepEqual(more, [])
    const begin = `const user = 'web', domain = '${pbx.domain}', proxy = '127.0.0.1', jwt = 'JWT'\nlet connected\nconst call = new Promise((resolve) => (connected = resolve))\n`
    const here = `port: ${new URL(pbx.url).port}, insecure: true, phone: { audio: 'none' }`
    const code = at(start, { 'port: 443': here, 'call_connected() {}': 'call_connected() { connected() }' })
    await runIn(folderOf(t), `${begin}${code}\nawait call\nengine.stop()\n`)
  })

  test('xivo', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const line = { name: 'alice', password: 'alice-password', sipProxyName: pbx.domain, xivoIp: '127.0.0.1' }
    const cti = await ctiOf(t, { getConfig: () => ['LineConfig', line], getIceConfig: () => ['IceConfig', {}] })
    const [start, ...more] = blocksOf('xivo')
    assert.deepEqual(more, [])
    const begin = `const { default: WebSocket } = await import('${ws}')
      const server = '127.0.0.1', token = 'token', username = 'alice', phoneNumber = '1000'
      let shown
      const call = new Promise((resolve) => (shown = resolve))
      const show = (type, data, sipCallId) => type === 'Setup' && shown([data, sipCallId])\n`
    const code = at(start, {
      '`wss://${server}/xuc/api/2.0/cti?token=${token}`': `'${cti.url}'`,
      'phoneNumber)': 'phoneNumber, { WebSocket })\nxc_webrtc.setPhoneOptions({ audio: "none" })',
      'true, 443': `false, ${new URL(pbx.url).port}`,
    })
    const end = 'console.log(JSON.stringify(await call))\nxc_webrtc.answer()\nawait xc_webrtc.phone.once("sessionEnded")\nawait xc_webrtc.stop()\nCti.close()\n'
    const bob = await open('bob')
    const whole = runIn(folderOf(t), `${begin}${code}\n${end}`)
    await registers(pbx, 'alice')
    const call = await bob.call('alice')
    await call.answered
    await call.end()
    assert.deepEqual(JSON.parse((await whole).stdout), [{ caller: 'bob' }, call.callId])
  })
})
