// What a process that was killed leaves behind, and what the next one of its instance does with it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { killed, says } from './killed.mjs'
import { eventually } from './phones.mjs'
import { next, pbxOf } from './pbx.mjs'

const instanceId = '5d0a7f4e-9c0d-4f0e-8a3f-1f6f2f0b7a11'

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-orphans-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A PBX with Bob, and Alice as her next process will be; `kill` lets the first one come as far as a script does. */
async function scene(t, bobs = {}) {
  const { pbx, open, make } = await pbxOf(t)
  const bob = await open('bob', { autoAnswer: 'always', ...bobs })
  const journal = join(folderOf(t), 'calls')
  const options = { instanceId, journal }
  const kill = (script) => killed({ ...pbx.account('alice'), ...options }, script)
  return { pbx, bob, journal, kill, make: (more) => make('alice', { ...options, ...more }), open: (more) => open('alice', { ...options, ...more }) }
}

const states = {
  active: { script: `const session = await phone.call('bob'); await session.answered`, held: false },
  held: { script: `const session = await phone.call('bob'); await session.answered; await session.hold()`, held: true },
}

describe('phone.orphans', () => {
  for (const [state, { script, held }] of Object.entries(states)) {
    test(`ends a call that was ${state} when its process was killed`, async (t) => {
      const { bob, journal, kill, open } = await scene(t)
      const started = next(bob, 'sessionStarted', 30_000)
      await kill(`${script}\n${says(journal, '"dialog"', '"startTime":1', `"held":${held}`)}`)
      const [session] = await started
      const alice = await open()
      const [orphan, ...more] = alice.orphans
      assert.deepEqual(more, [])
      assert.deepEqual(
        { address: orphan.address, direction: orphan.direction, state: orphan.state, held: orphan.held },
        { address: 'bob', direction: 'outgoing', state: 'active', held },
      )
      assert.ok(orphan.startTime instanceof Date)
      assert.equal(session.state, 'active')
      const [ended] = await Promise.all([next(bob, 'sessionEnded'), orphan.end()])
      assert.equal(`${ended[1]}`, 'success')
      assert.deepEqual(alice.orphans, [])
      await assert.rejects(orphan.end(), { code: 'ERR_SESSION_STATE' })
      await eventually(() => !existsSync(journal))
    })
  }

  test('cancels a call that rang there', async (t) => {
    const { bob, journal, kill, open } = await scene(t, { autoAnswer: 'off' })
    const cancelled = next(bob, 'cancelPendingSession', 30_000)
    await kill(`const session = await phone.call('bob'); await session.once('progress')\n${says(journal, 'CSeq: 2 CANCEL')}`)
    const alice = await open()
    const [orphan] = alice.orphans
    assert.equal(orphan.state, 'ringing')
    await assert.rejects(orphan.takeOver(), { code: 'ERR_SESSION_STATE' })
    await orphan.end()
    const [, { side }] = await cancelled
    assert.equal(side, 'remote')
    assert.deepEqual(alice.orphans, [])
  })

  test('takes a call over: the other party has the new one in the place of the old', async (t) => {
    const { bob, journal, kill, open } = await scene(t)
    const started = next(bob, 'sessionStarted', 30_000)
    await kill(`const session = await phone.call('bob', { conversationId: 'talk' }); await session.answered\n${says(journal, '"dialog"')}`)
    const [old] = await started
    const alice = await open()
    const again = next(bob, 'sessionStarted')
    const ended = once(old, 'terminated', { signal: AbortSignal.timeout(5000) })
    const session = await alice.orphans[0].takeOver({ mediaStream: { tone: 500 } })
    await session.answered
    await eventually(() => alice.orphans.length === 0)
    const [heir] = await again
    await ended
    assert.equal(session.conversationId, 'talk')
    assert.equal(heir.state, 'active')
    assert.deepEqual(bob.sessions, [heir])
    await session.end()
  })

  for (const [when, act] of [
    ['while it signs in', (alice) => void alice.initialize().catch(() => {})],
    ['after it has', (alice) => alice.initialize()],
    ['while it hangs up', async (alice) => (await alice.initialize(), void alice.orphans[0]?.end().catch(() => {}))],
  ]) {
    test(`is there again, or over, after a phone that was destroyed ${when}`, async (t) => {
      const { bob, journal, kill, make, open } = await scene(t)
      const started = next(bob, 'sessionStarted', 30_000)
      await kill(`const session = await phone.call('bob'); await session.answered\n${says(journal, '"dialog"')}`)
      const [session] = await started
      const ended = once(session, 'terminated', { signal: AbortSignal.timeout(20_000) })
      const second = make()
      await act(second)
      await second.destroy()
      const third = await open()
      for (const orphan of third.orphans) await orphan.end()
      await ended
    })
  }

  test('has nothing of calls that ended, nor of a phone that was destroyed', async (t) => {
    const { journal, open } = await scene(t)
    const first = await open()
    const session = await first.call('bob')
    await session.answered
    await eventually(() => existsSync(journal))
    assert.equal(statSync(journal).mode & 0o777, process.platform === 'win32' ? statSync(journal).mode & 0o777 : 0o600)
    const text = readFileSync(journal, 'utf8')
    assert.doesNotMatch(text, /alice-password|Authorization|ice-pwd|response=/)
    await first.destroy()
    assert.ok(!existsSync(journal))
    const second = await open()
    assert.deepEqual(second.orphans, [])
  })
})

describe('a journal that can not be used', () => {
  /** What `initialize()` says of it. */
  async function complaint(t, prepare) {
    const { make, open, journal } = await scene(t)
    await prepare(journal, open)
    const error = await make().initialize().then(() => assert.fail('it was used'), (error) => error)
    assert.equal(error.code, 'ERR_JOURNAL')
    assert.ok(error.message.includes(journal), error.message)
    return error.message
  }

  test('is torn', async (t) => {
    assert.match(await complaint(t, (journal) => writeFileSync(journal, '{"offhookJournal":1,')), /torn/)
  })

  test('is something else, and is left as it is', async (t) => {
    let path
    assert.match(await complaint(t, (journal) => writeFileSync((path = journal), '{"name":"mine"}')), /no journal of offhook/)
    assert.equal(readFileSync(path, 'utf8'), '{"name":"mine"}')
  })

  test("is another version's", async (t) => {
    const text = '{"offhookJournal":7,"owner":{},"calls":[]}'
    assert.match(await complaint(t, (journal) => writeFileSync(journal, text)), /another version/)
  })

  test('is of another phone', async (t) => {
    const text = JSON.stringify({ offhookJournal: 1, owner: { instanceId: 'x', address: 'sip:carol@pbx.test' }, calls: [] })
    assert.match(await complaint(t, (journal) => writeFileSync(journal, text)), /another phone \(sip:carol@pbx\.test/)
  })

  test('is used by another phone', async (t) => {
    assert.match(await complaint(t, (_, open) => open()), /another phone is using it: give each its own/)
  })

  test('is a directory', async (t) => {
    assert.match(await complaint(t, (journal) => mkdirSync(journal)), /no file|can't be read/)
  })

  test('is in a directory that can not be written', async (t) => {
    const message = await complaint(t, (journal) => {
      const folder = join(journal, '..')
      if (process.getuid?.() !== 0) return chmodSync(folder, 0o500)
      // Root may write to every folder of a disk, but not among what the kernel shows.
      rmSync(folder, { recursive: true })
      symlinkSync('/sys', folder)
    })
    assert.match(message, /can't be opened/)
  })

  test('is told when it can no longer be written, and the call goes on', async (t) => {
    const { open, journal } = await scene(t)
    const alice = await open()
    // As a disk that is full: what is written beside it can't take its place.
    mkdirSync(journal)
    const failed = next(alice, 'error')
    const session = await alice.call('bob')
    const [error] = await failed
    assert.equal(error.code, 'ERR_JOURNAL')
    assert.match(error.message, /^The journal can't be written: /)
    await session.answered
    await session.end()
  })

  test('needs an instance that has a name, and a path', async (t) => {
    const { make } = await scene(t)
    assert.throws(() => make({ instanceId: undefined }), /^SoftphoneError: Option 'instanceId' must be a UUID that is the same in each process if journal is used/)
    assert.throws(() => make({ journal: '' }), /Option 'journal' must be the path of a file/)
    assert.throws(() => make({ journal: 7 }), /Option 'journal' must be the path of a file, but is a number/)
  })
})
