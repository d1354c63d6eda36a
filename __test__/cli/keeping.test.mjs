// What is kept of a call that was led in a terminal.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { accountEnv, offhook } from './cli.mjs'

const toned = ['--input', 'tone:440', '--output', 'none']

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

describe('a report of a call', { timeout: 120_000, concurrency: 2 }, () => {
  test('is written at its end with --report, without its secrets', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'call.html')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--duration', '2', '--digits', '9372', '--report', file], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0, running.stdout)
    assert.equal((await running.event('reported')).file, file)
    const page = readFileSync(file, 'utf8')
    assert.match(page, /<!doctype html>/i)
    assert.match(page, /INVITE/)
    assert.doesNotMatch(page, /alice-password|9372/)
  })

  test('is written also after Ctrl-C, and of a call that nobody took', async (t) => {
    const { pbx } = await pbxOf(t)
    const folder = folderOf(t)
    const [one, other] = ['one.html', 'other.html'].map((name) => join(folder, name))
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--report', one], { env: accountEnv(pbx, 'alice') })
    await running.event('answered')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
    assert.match(readFileSync(one, 'utf8'), /BYE/)
    const refused = offhook(t, ['call', 'busy', '--json', ...toned, '--report', other], { env: accountEnv(pbx, 'alice') })
    assert.equal(await refused.ended, 5)
    assert.match(readFileSync(other, 'utf8'), /486/)
  })

  test('that can not be written is told, and ends no call', async (t) => {
    const { pbx } = await pbxOf(t)
    const file = join(folderOf(t), 'no', 'such', 'folder', 'call.html')
    const running = offhook(t, ['call', 'echo', '--json', ...toned, '--duration', '1', '--report', file], { env: accountEnv(pbx, 'alice') })
    assert.equal(await running.ended, 0)
    assert.equal((await running.event('error')).code, 'ERR_REPORT_FAILED')
    assert.ok((await running.event('error')).message.includes(file))
  })

  test('of each of several calls has a file of its own', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const folder = folderOf(t)
    const bob = await open('bob')
    const running = offhook(t, ['listen', '--auto-answer', '--json', ...toned, '--report', join(folder, 'call.html')], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    for (const name of ['call.html', 'call-2.html']) {
      const session = await bob.call('alice')
      await session.answered
      const ended = next(bob, 'sessionEnded')
      await session.end()
      await ended
      await running.event('reported', ({ file }) => file === join(folder, name))
      assert.ok(existsSync(join(folder, name)))
    }
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })
})
