// session.report(): a page that shows a call.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { next, pbxOf } from './pbx.mjs'
import { connect, phonesOf } from './phones.mjs'
import { RawServer, contactOf, invite, message, offer } from './raw-server.mjs'

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-report-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('session.report()', () => {
  test('shows a call while it goes on and after its end', { timeout: 60_000 }, async (t) => {
    const path = join(folderOf(t), 'call.html')
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing } = await connect(alice, bob, 'bob')
    await next(outgoing, 'stats', 10_000)
    await outgoing.sendDtmf('1234')
    await outgoing.mute()
    await outgoing.report(path)
    const during = readFileSync(path, 'utf8')
    assert.ok(/^<!doctype html>/.test(during), 'while it goes on')
    for (const text of ['INVITE + SDP', '200 OK (INVITE) + SDP', '>ACK<', 'a=candidate:', 'Media took the way from', '>muted<', outgoing.callId]) {
      assert.ok(during.includes(text), text)
    }
    assert.ok(/<path class="line l0" d="M[\d. ]+/.test(during), 'while it goes on')
    assert.ok(/class="chosen"/.test(during), 'while it goes on')
    assert.ok(!during.includes('>BYE'))
    // The PBX asks for a password: what answers it, and the keys of media, are hidden.
    assert.ok(/Authorization: Digest …/.test(during), 'while it goes on')
    assert.ok(/a=ice-pwd:…/.test(during), 'while it goes on')
    assert.ok(!/response=|a=ice-pwd:[^…]/.test(during))
    await outgoing.end()
    await outgoing.report(path)
    const after = readFileSync(path, 'utf8')
    for (const text of ['>BYE', 'Ended', 'Talked for']) assert.ok(after.includes(text), text)
    assert.ok(after.length < 400_000, `${after.length} octets`)
  })

  test('shows a call that nobody answered', async (t) => {
    const path = join(folderOf(t), 'call.html')
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const call = await alice.call('busy')
    await call.answered.catch(() => {})
    await call.report(path)
    const page = readFileSync(path, 'utf8')
    for (const text of ['486 Busy Here (INVITE)', 'busy (remote)', 'Nothing was measured']) assert.ok(page.includes(text), text)
  })

  test('is an error if it can not be written, and the call goes on', async (t) => {
    const folder = folderOf(t)
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const call = await alice.call('echo')
    await call.answered
    for (const path of [join(folder, 'none', 'call.html'), folder]) {
      const refused = await call.report(path).catch((error) => error)
      assert.ok(refused instanceof SoftphoneError, path)
      assert.equal(refused.code, 'ERR_REPORT_FAILED')
      assert.ok(refused.message.includes(path), refused.message)
    }
    for (const path of [undefined, '', 5, 'a\0b', { path: 'x' }]) {
      await assert.rejects(call.report(path), { code: 'ERR_INVALID_ARGUMENT' }, String(path))
    }
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(call.state, 'active')
  })

  test('takes the place of a file that is there, also many at once', async (t) => {
    const folder = folderOf(t)
    const path = join(folder, 'call.html')
    writeFileSync(path, 'old')
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const call = await alice.call('echo')
    await call.answered
    await Promise.all(Array.from({ length: 10 }, () => call.report(path)))
    assert.match(readFileSync(path, 'utf8'), /<\/html>\n$/)
    assert.deepEqual(readdirSync(folder), ['call.html'])
  })

  test('of a call that ended long ago says so', { timeout: 60_000 }, async (t) => {
    const path = join(folderOf(t), 'call.html')
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const calls = []
    for (let number = 0; number < 17; number++) {
      const call = await alice.call('busy')
      await call.answered.catch(() => {})
      calls.push(call)
    }
    await calls.at(-1).report(path)
    await assert.rejects(calls[0].report(path), { code: 'ERR_SESSION_ENDED' })
  })

  test('shows nothing of a peer as markup, and none of its secrets', { timeout: 60_000 }, async (t) => {
    const path = join(folderOf(t), 'call.html')
    const server = await RawServer.start()
    t.after(() => server.close())
    const phone = phonesOf(t).make({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: server.url })
    const [[register]] = await Promise.all([once(server, 'message'), phone.initialize()])
    const hostile = `</title></pre><script>globalThis.hacked = 1</script><img src=x onerror=hacked=1>`
    const sdp = offer.replace(/^s=-/m, `s=${hostile}`).replace(/a=ice-pwd:.*/, 'a=ice-pwd:S3CRETS3CRETS3CRETS3CRET') + 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3CRET\r\n'
    const headers = [`Subject: ${hostile}`, 'X-Auth-Token: S3CRET', `User-Agent: ${hostile}`]
    const pending = next(phone, 'pendingSession')
    server.send(invite(contactOf(register), 'hostile', { headers, sdp }).replace('From: <', `From: "${hostile.replaceAll('"', '')}" <`))
    const [{ id, displayName }] = await pending
    assert.ok(displayName.includes('<script>'))
    const answers = []
    server.on('message', (text) => answers.push(text))
    const session = await phone.answer(id)
    while (!answers.some((text) => text.startsWith('SIP/2.0 200'))) await once(server, 'message', { signal: AbortSignal.timeout(20_000) })
    const ended = next(phone, 'sessionEnded', 20_000)
    const [ok] = answers.filter((text) => text.startsWith('SIP/2.0 200'))
    const [, to] = /^To: (.*)$/im.exec(ok)
    server.send(
      message(`BYE ${contactOf(register)} SIP/2.0`, [
        'Via: SIP/2.0/WS raw.invalid;branch=z9hG4bKbye',
        'From: <sip:mallory@raw.invalid>;tag=hostile',
        `To: ${to}`,
        'Call-ID: hostile',
        'CSeq: 2 BYE',
        `Reason: SIP;cause=200;text="${hostile.replaceAll('"', '')}"`,
      ]),
    )
    await ended
    await session.report(path)
    const page = readFileSync(path, 'utf8')
    assert.ok(!/<script|<img|S3CRET/.test(page))
    assert.ok(/&lt;script&gt;/.test(page), 'hidden or escaped')
    assert.ok(/a=ice-pwd:…/.test(page), 'hidden or escaped')
    assert.ok(/a=crypto:…/.test(page), 'hidden or escaped')
  })
})
