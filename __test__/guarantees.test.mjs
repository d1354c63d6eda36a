import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { hears, next, pbxOf, voice } from './pbx.mjs'
import { connect } from './phones.mjs'

/** Notes how a phone's pending and started sessions went, by id. */
function outcomes(phone) {
  const seen = new Map()
  const note = (id, what) => seen.set(id, [...(seen.get(id) ?? []), what])
  phone.on('pendingSession', ({ id }) => note(id, 'pending'))
  phone.on('cancelPendingSession', (id, { side, reason }) => note(id, `cancelled by ${side}: ${reason}`))
  phone.on('handledPendingSession', (id) => note(id, 'handled'))
  phone.on('sessionStarted', (session) => {
    note(session.id, 'started')
    session.on('terminated', () => note(session.id, 'terminated'))
  })
  phone.on('sessionEnded', ({ id }) => note(id, 'ended'))
  return seen
}

/** Lets alice's phones ring; what becomes of the call is the test's matter. */
function rings(pbx) {
  pbx.originate({ to: 'alice', with: 'echo' }).catch(() => {})
}

describe('1. pendingSession listeners have run before anything acts on it', () => {
  test('a listener that rejects wins over auto-answer', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    const seen = outcomes(alice)
    alice.on('pendingSession', (pending) => {
      assert.equal(pending.autoAnswer, true)
      alice.rejectPendingSession(pending.id)
    })
    const cancelled = next(alice, 'cancelPendingSession')
    rings(pbx)
    const [id] = await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: busy'])
  })

  test('a listener that blocks the thread for half a second is waited for', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: 'always' })
    let free
    alice.on('pendingSession', () => {
      block(500)
      free = Date.now()
    })
    const started = next(alice, 'sessionStarted')
    rings(pbx)
    const [session] = await started
    await session.answered
    assert.ok(session.startTime >= free, `answered ${free - session.startTime} ms too early`)
  })

  test('an autoAnswer function that does not decide in two seconds lets the call ring', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoAnswer: () => new Promise(() => {}) })
    const pendingSession = next(alice, 'pendingSession', 4000)
    rings(pbx)
    const [pending] = await pendingSession
    assert.equal(pending.autoAnswer, false)
  })
})

describe('2. a pending id has exactly one outcome', () => {
  async function caller({ open }) {
    const bob = await open('bob')
    return bob.call('alice')
  }

  async function ringing(t, options) {
    const context = await pbxOf(t)
    const alice = await context.open('alice', options)
    const seen = outcomes(alice)
    const pendingSession = next(alice, 'pendingSession')
    const call = caller(context)
    const [{ id }] = await pendingSession
    return { ...context, alice, seen, id, call: await call }
  }

  test('accepted: it starts', async (t) => {
    const { alice, seen, id } = await ringing(t)
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id)
    alice.acceptPendingSession(id)
    const [session] = await started
    await session.answered
    alice.acceptPendingSession(id)
    await session.end()
    assert.deepEqual(seen.get(id), ['pending', 'started', 'terminated', 'ended'])
  })

  test('rejected here', async (t) => {
    const { alice, seen, id } = await ringing(t)
    await alice.rejectPendingSession(id, { code: 603 })
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: decline'])
  })

  test('given up by the caller', async (t) => {
    const { alice, seen, id, call } = await ringing(t)
    const cancelled = next(alice, 'cancelPendingSession')
    await call.end()
    await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by remote: cancel'])
  })

  test('not answered in time', async (t) => {
    const { alice, seen, id } = await ringing(t, { noAnswerTimeout: 1000 })
    await next(alice, 'cancelPendingSession')
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by local: timeout'])
  })

  test('destroyed', async (t) => {
    const { alice, seen, id } = await ringing(t)
    await alice.destroy()
    assert.equal(seen.get(id).length, 2)
    assert.match(seen.get(id)[1], /^cancelled by local/)
  })

  test('connection lost without survivability', async (t) => {
    const { alice, pbx, seen, id } = await ringing(t, { sessionSurvivability: false })
    const cancelled = next(alice, 'cancelPendingSession')
    await pbx.disconnect('alice')
    await cancelled
    assert.deepEqual(seen.get(id), ['pending', 'cancelled by network: connectivity-error'])
  })
})

describe('3. sessionStarted comes before the 200 OK', () => {
  test('with autoConnectSessions: false nothing is sent until session.accept()', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const alice = await open('alice', { autoConnectSessions: false })
    const sent = []
    pbx.on('message', ({ direction, text }) => direction === 'in' && sent.push(text.split('\r\n', 1)[0]))
    const pendingSession = next(alice, 'pendingSession')
    rings(pbx)
    const [{ id }] = await pendingSession
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id)
    const [session] = await started
    assert.equal(session.state, 'pending')
    assert.ok(!sent.some((line) => line.startsWith('SIP/2.0 200')), sent.join('\n'))
    const answered = next(pbx, 'answered')
    await session.accept()
    await answered
    assert.equal(session.state, 'active')
    await session.end()
  })
})

describe('4. a started session has exactly one terminated, then one sessionEnded', () => {
  for (const [how, end] of [
    ['both sides hang up at once', ({ call }) => Promise.all([call.outgoing.end(), call.incoming.end()])],
    ['the caller is destroyed', ({ alice }) => alice.destroy()],
    ['both are destroyed at once', ({ alice, bob }) => Promise.all([alice.destroy(), bob.destroy()])],
    ['it is ended twice', ({ call }) => Promise.all([call.outgoing.end(), call.outgoing.end()])],
  ]) {
    test(how, async (t) => {
      const { open } = await pbxOf(t)
      const [alice, bob] = await Promise.all([open('alice'), open('bob')])
      const seen = [outcomes(alice), outcomes(bob)]
      const call = await connect(alice, bob, 'bob')
      const ended = Promise.all([next(alice, 'sessionEnded'), next(bob, 'sessionEnded')])
      await end({ alice, bob, call })
      await ended
      assert.deepEqual(seen[0].get(call.outgoing.id), ['started', 'terminated', 'ended'])
      assert.deepEqual(seen[1].get(call.incoming.id), ['pending', 'started', 'terminated', 'ended'])
    })
  }

  test('a CANCEL that crosses the answer', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const seen = [outcomes(alice), outcomes(bob)]
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
    for (let round = 0; round < 10; round++) {
      const rings = next(bob, 'pendingSession')
      const session = await alice.call('bob')
      const [{ id }] = await rings
      const over = new AbortController()
      const settled = ['cancelPendingSession', 'sessionEnded'].map((event) => bob.once(event, { signal: over.signal }))
      await session.end()
      await Promise.race(settled)
      over.abort()
      await Promise.allSettled(settled)
      assert.deepEqual(seen[0].get(session.id), ['started', 'terminated', 'ended'])
      const last = seen[1].get(id).at(-1)
      assert.ok(last === 'ended' || last.startsWith('cancelled'), last)
    }
  })
})

describe('5. a promise settles after the events that its action caused', () => {
  test('initialize, call, end and unregister', async (t) => {
    const { make, open } = await pbxOf(t)
    await open('bob', { autoAnswer: 'always' })
    const alice = make('alice')
    const events = []
    for (const name of ['connected', 'registered', 'ready', 'sessionStarted', 'sessionEnded', 'unregistered', 'disconnected']) {
      alice.on(name, () => events.push(name))
    }
    await alice.initialize()
    assert.deepEqual(events.splice(0), ['connected', 'registered', 'ready'])
    const session = await alice.call('bob')
    assert.deepEqual(events.splice(0), ['sessionStarted'])
    await session.answered
    await alice.endSession({ conversationId: session.conversationId })
    assert.deepEqual(events.splice(0), ['sessionEnded'])
    await alice.unregister()
    assert.deepEqual(events.splice(0), ['unregistered'])
  })
})

describe('7. a lost WebSocket', () => {
  test('ends no call with sessionSurvivability, and the phone comes back', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await hears(call.callerEar, 1000)
    const events = [next(alice, 'disconnected'), next(alice, 'connected', 10_000), next(alice, 'registered', 10_000)]
    await pbx.disconnect('alice')
    const [[lost], [back]] = await Promise.all(events)
    assert.equal(lost.reconnecting, true)
    assert.equal(back.reconnect, true)
    assert.equal(call.outgoing.state, 'active')
    await Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
    const ended = next(bob, 'sessionEnded')
    await call.outgoing.end()
    await ended
  })

  test('ends every call with connectivity-error without it', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { sessionSurvivability: false }), open('bob')])
    await connect(alice, bob, 'bob')
    const ended = next(alice, 'sessionEnded')
    await pbx.disconnect('alice')
    const [, reason] = await ended
    assert.deepEqual([reason.condition, reason.side], ['connectivity-error', 'network'])
  })
})

describe('9. secrets never reach trace, logs or errors', () => {
  test('neither passwords nor what is made of them, ICE passwords, or digits', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const responses = []
    pbx.on('message', ({ text }) => responses.push(text))
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const call = await connect(alice, bob, 'bob')
    await hears(call.calleeEar, 600)
    await call.outgoing.sendDtmf('8642')
    await call.outgoing.end()
    const everything = [...alice.log, ...bob.log, ...responses].join('\n')
    assert.ok(everything.length > 1000, 'there is a log')
    for (const secret of [/alice-password/, /bob-password/, /8642/, /response="[0-9a-f]{32}/, /a=ice-pwd:[\w+/]{22}/]) {
      assert.doesNotMatch(everything, secret)
    }
  })
})

describe('10. no audio sample waits for the JavaScript thread', () => {
  test('blocking it for two seconds leaves no hole in what is heard', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-test-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const wav = join(folder, 'heard.wav')
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoAnswer: 'always' })])
    const { ear, audio } = voice(600)
    const session = await alice.call('bob', audio)
    await session.answered
    const [theirs] = bob.sessions
    await theirs.setOutput({ wav })
    await next(session, 'stats')
    block(2000)
    const [stats] = await next(session, 'stats')
    assert.equal(stats.packetsLost, 0)
    ear.destroy()
    await session.end()
    assert.ok(longestSilence(readFileSync(wav)) < 60, `silent for ${longestSilence(readFileSync(wav))} ms`)
  })
})

function block(milliseconds) {
  const end = Date.now() + milliseconds
  while (Date.now() < end);
}

/** The longest silence in milliseconds between the first and the last sound of a 16-bit mono WAV file. */
function longestSilence(wav) {
  const rate = wav.readUInt32LE(24)
  const data = wav.subarray(wav.indexOf('data') + 8)
  const samples = new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + (data.length & ~1)))
  let longest = 0
  let last
  samples.forEach((sample, index) => {
    if (Math.abs(sample) < 300) return
    if (last !== undefined) longest = Math.max(longest, index - last)
    last = index
  })
  return Math.round((longest / rate) * 1000)
}
