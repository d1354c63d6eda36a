// What somebody at a keyboard does; `script`, of every Debian, is the terminal.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { next, pbxOf } from '../pbx.mjs'
import { eventually } from '../phones.mjs'
import { accountEnv, offhookInTerminal } from './cli.mjs'

const silence = ['--input', 'none', '--output', 'none']
const terminal = { timeout: 120_000, concurrency: 2, skip: process.platform === 'linux' ? false : 'needs script of util-linux' }

/** alice in a terminal calls bob, who answers. */
async function rig(t, { env = {}, ...options } = {}) {
  const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
  const bob = await open('bob', { autoAnswer: 'always' })
  const started = next(bob, 'sessionStarted', 20_000)
  const alice = offhookInTerminal(t, ['call', 'bob', ...silence], { env: { ...accountEnv(pbx, 'alice'), ...env }, ...options })
  const [session] = await started
  await alice.says(/talking to bob/)
  return { pbx, open, bob, session, alice }
}

/** Prints how the terminal takes keys, before and after. */
const modes = 'stty -a | grep -o -E -e "-?(icanon|echo|isig)\\b"'
const terminalState = { before: `${modes}; echo one`, after: `code=$?; echo two; ${modes}; exit $code` }

function assertAsBefore({ stdout }) {
  const [before] = stdout.split('one\r\n')
  const [, after] = stdout.split('two\r\n')
  assert.match(before, /^icanon/m)
  assert.deepEqual(after.trim().split(/\s+/).sort(), before.trim().split(/\s+/).sort())
}

describe('at a terminal', terminal, () => {
  test('digits are sent, and not shown', async (t) => {
    const { session, alice } = await rig(t)
    let heard = ''
    session.on('dtmf', ({ tone }) => (heard += tone))
    alice.type('4')
    await alice.says(/digit sent/)
    const from = alice.stdout.length
    alice.type('2#*')
    await eventually(() => heard === '42#*')
    await alice.says(/(?:digit sent[^]*){3}/, from)
    alice.type('q')
    assert.equal(await alice.ended, 0)
    const lines = alice.stdout.split('\n').filter((line) => line.includes('digit'))
    assert.ok(lines.length >= 4)
    for (const line of lines) assert.match(line, /digit sent\r$|^calling /)
  })

  test('m mutes and h holds, and again no longer', async (t) => {
    const { session, alice } = await rig(t)
    for (const [key, says] of [['m', /muted/], ['m', /no longer muted/], ['h', /bob is on hold/], ['h', /bob is no longer on hold/]]) {
      const from = alice.stdout.length
      const told = key === 'h' ? next(session, says.source.includes('no longer') ? 'resume' : 'hold') : undefined
      alice.type(key)
      await alice.says(says, from)
      await told
    }
    alice.type('q')
    assert.equal(await alice.ended, 0)
  })

  test('t asks for whom, and transfers', async (t) => {
    const { open, session, alice } = await rig(t)
    const carol = await open('carol', { autoAnswer: 'always' })
    const rung = next(carol, 'sessionStarted', 20_000)
    session.on('transferRequested', () => session.acceptTransfer())
    alice.type('t')
    await alice.says(/Transfer to/)
    alice.type('carll\x7f\x7fol\r')
    await alice.says(/transferring to carol/)
    const [atCarol] = await rung
    assert.equal(atCarol.address, 'bob')
    assert.equal(await alice.ended, 0)
  })

  test('t and Escape change nothing, and a transfer that fails leaves the call', async (t) => {
    const { session, alice } = await rig(t)
    alice.type('t')
    await alice.says(/Transfer to/)
    alice.type('\x1b')
    const from = alice.stdout.length
    await new Promise((passed) => setTimeout(passed, 700))
    session.on('transferRequested', () => session.rejectTransfer())
    alice.type('t')
    await alice.says(/Transfer to/, from)
    alice.type('carol\r')
    await alice.says(/refused|declined|transfer/i, from)
    await alice.says(/\x1b\[31m/, from)
    assert.ok(session.active)
    alice.type('q')
    assert.equal(await alice.ended, 0)
  })

  test('the other side may send you elsewhere if you press y', async (t) => {
    const { pbx, open, session, alice } = await rig(t)
    const carol = await open('carol', { autoAnswer: 'always' })
    const rung = next(carol, 'sessionStarted', 20_000)
    const transferred = session.transfer('carol')
    await alice.says(/bob wants you to talk to sip:carol@.* instead: y calls there/)
    alice.type('y')
    await transferred
    const [atCarol] = await rung
    assert.equal(atCarol.address, 'alice')
    await alice.says(/talking to carol/)
    assert.ok(pbx)
    alice.type('q')
    assert.equal(await alice.ended, 0)
  })

  test('levels and figures are drawn in one line', async (t) => {
    const { alice } = await rig(t)
    await alice.says(/\r\x1b\[K\x1b\[\?7l0:0\d.*you ▕.*▏.*bob ▕.*▏.*MOS \d/)
    alice.type('?')
    await alice.says(/m: mute.*q: hang up/)
    alice.type('q')
    assert.equal(await alice.ended, 0)
  })

  test('NO_COLOR is respected', async (t) => {
    const { alice } = await rig(t, { env: { NO_COLOR: '1' } })
    await alice.says(/▏/)
    alice.type('q')
    assert.equal(await alice.ended, 0)
    assert.doesNotMatch(alice.stdout, /\x1b\[\d+m/)
  })

  test('a dumb terminal gets plain lines', async (t) => {
    const { alice, session } = await rig(t, { env: { TERM: 'dumb' } })
    await session.end()
    assert.equal(await alice.ended, 0)
    assert.doesNotMatch(alice.stdout, /\x1b/)
  })

  for (const [how, act, code] of [
    ['q', ({ alice }) => alice.type('q'), 0],
    ['Ctrl-C', ({ alice }) => alice.type('\x03'), 130],
    ['the other side', ({ session }) => session.end(), 0],
  ]) {
    test(`the terminal is as before after ${how}`, async (t) => {
      const one = await rig(t, terminalState)
      await act(one)
      assert.equal(await one.alice.ended, code)
      assertAsBefore(one.alice)
    })
  }

  test('the terminal is as before after an error that nobody caught, and the call has ended', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-cli-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const [fault, now] = ['fault.cjs', 'now'].map((name) => join(folder, name))
    writeFileSync(fault, `setInterval(() => { if (require('fs').existsSync('${now}')) throw new Error('made by a test') }, 50).unref()`)
    const { session, alice } = await rig(t, { env: { NODE_OPTIONS: `--require ${fault}` }, ...terminalState })
    const ended = next(session, 'terminated', 10_000)
    writeFileSync(now, '')
    await ended
    assert.equal(await alice.ended, 1)
    assertAsBefore(alice)
  })

  test('a password is asked for, and not shown', async (t) => {
    const { pbx } = await pbxOf(t)
    const { uri, servers } = pbx.account('alice')
    const alice = offhookInTerminal(t, ['call', 'echo', ...silence], { env: { OFFHOOK_USER: uri, OFFHOOK_SERVER: servers } })
    await alice.says(/Password of alice@pbx\.test/)
    alice.type('alice-password\r')
    await alice.says(/talking to echo/)
    alice.type('q')
    assert.equal(await alice.ended, 0)
    assert.doesNotMatch(alice.stdout, /alice-password/)
  })

  test('a call that rings is answered by a, or refused by d', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const alice = offhookInTerminal(t, ['listen', ...silence], { env: accountEnv(pbx, 'alice') })
    await alice.says(/waiting for calls/)
    const refused = await bob.call('alice')
    await alice.says(/bob.* calls: a answers, d refuses/)
    alice.type('d')
    await assert.rejects(refused.answered, { code: 'ERR_CALL_BUSY' })
    await alice.says(/refused/)
    const from = alice.stdout.length
    const answered = await bob.call('alice')
    await alice.says(/calls: a answers/, from)
    alice.type('a')
    await answered.answered
    await alice.says(/talking to bob/, from)
    alice.type('q')
    await alice.says(/ended after/, from)
    alice.type('q')
    assert.equal(await alice.ended, 0)
  })

  test('a caller who gives up is told as missed', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const alice = offhookInTerminal(t, ['listen', ...silence, '--once'], { env: accountEnv(pbx, 'alice') })
    await alice.says(/waiting for calls/)
    const session = await bob.call('alice')
    await alice.says(/calls: a answers/)
    await session.end()
    await alice.says(/missed/)
    assert.equal(await alice.ended, 6)
  })
})
