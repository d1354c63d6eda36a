// The embedded PBX as its users see it: extensions, early media, a conference, and faults of media.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink } from 'offhook'
import { Pbx } from 'offhook/testing'
import { next, pbxOf, voice } from './pbx.mjs'
import { drain, hears, strengths } from './sound.mjs'

const tones = [400, 550, 700, 850, 1000, 1150, 1300, 1450, 1600, 1750]

/** A phone in a conference: it sends its own tone and listens. */
async function join({ open }, user, frequency, extension = 'conference') {
  const phone = await open(user)
  const { ear, audio } = voice(frequency)
  const session = await phone.call(extension, audio)
  await session.answered
  return { session, ear, frequency, phone }
}

/** Resolves when a member hears exactly the tones of these others. */
async function hearsOnly({ ear, frequency }, others, deadline = 20_000) {
  const wanted = others.map((other) => other.frequency)
  const end = performance.now() + deadline
  drain(ear)
  for (;;) {
    const levels = await strengths(ear, tones)
    const heard = tones.filter((tone) => levels.get(tone) > -45)
    if (heard.join() === [...wanted].sort((a, b) => a - b).join()) return
    if (performance.now() > end) assert.deepEqual(heard, wanted, `who sends ${frequency} Hz heard ${JSON.stringify([...levels])}`)
  }
}

/** Resolves when a member has heard the tones of all these others, and never its own: not all at once, on a busy machine. */
async function hearsEach({ ear, frequency }, others, deadline = 45_000) {
  const missing = new Set(others.map((other) => other.frequency))
  const end = performance.now() + deadline
  drain(ear)
  while (missing.size > 0) {
    const levels = await strengths(ear, tones, deadline)
    for (const tone of missing) if (levels.get(tone) > -45) missing.delete(tone)
    assert.ok(levels.get(frequency) < -40, `who sends ${frequency} Hz hears itself: ${levels.get(frequency)} dB`)
    assert.ok(performance.now() < end, `who sends ${frequency} Hz never heard ${[...missing]}`)
  }
}

describe('the conference extension', () => {
  test('lets three phones hear the others and not themselves, one leave and a late one join', async (t) => {
    const house = await pbxOf(t, { users: ['a', 'b', 'c', 'd'] })
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((user, index) => join(house, user, tones[index])))
    await Promise.all([hearsOnly(a, [b, c]), hearsOnly(b, [a, c]), hearsOnly(c, [a, b])])

    await b.session.end()
    await Promise.all([hearsOnly(a, [c]), hearsOnly(c, [a])])

    const d = await join(house, 'd', tones[3])
    await Promise.all([hearsOnly(a, [c, d]), hearsOnly(c, [a, d]), hearsOnly(d, [a, c])])
  })

  test('mixes ten phones of different codecs', async (t) => {
    const users = tones.map((_, index) => `user${index}`)
    const house = await pbxOf(t, { users })
    const codecs = (index) => ({ codecs: index === 0 ? ['opus'] : index % 2 ? ['PCMU'] : ['G722'] })
    const open = (user) => house.open(user, codecs(users.indexOf(user)))
    const members = await Promise.all(users.map((user, index) => join({ open }, user, tones[index])))
    await Promise.all(members.map((one) => hearsEach(one, members.filter((other) => other !== one))))
  })

  test('keeps two conferences apart, and mutes who presses *', async (t) => {
    const extensions = { red: { type: 'conference' }, blue: { type: 'conference' } }
    const house = await pbxOf(t, { users: ['a', 'b', 'c'], extensions })
    const [a, b, c] = await Promise.all([
      join(house, 'a', tones[0], 'red'),
      join(house, 'b', tones[1], 'red'),
      join(house, 'c', tones[2], 'blue'),
    ])
    await Promise.all([hearsOnly(a, [b]), hearsOnly(b, [a]), hearsOnly(c, [])])
    await a.session.sendDtmf('*')
    await Promise.all([hearsOnly(a, [b]), hearsOnly(b, [])])
    await a.session.sendDtmf('*')
    await hearsOnly(b, [a])
  })
})

describe('an extension with early media', () => {
  test('rings, is heard before it answers, and answers in its time', async (t) => {
    const extensions = { welcome: { type: 'tone', frequency: 700, answerAfter: 4000, earlyMedia: true } }
    const { pbx, open } = await pbxOf(t, { extensions })
    const phone = await open('alice')
    const ear = new AudioSink({ rate: 16000 })
    const rings = next(pbx, 'ringing')
    const session = await phone.call('welcome', { audioElement: ear })
    let answered = false
    const answer = session.answered.then(() => (answered = true))
    const [{ from, to }] = await rings
    assert.deepEqual({ from, to }, { from: 'alice', to: 'welcome' })
    await hears(ear, 700)
    assert.equal(answered, false, 'it was heard before the answer')
    await answer
  })

  test('is heard by who is called first in a click-to-call', async (t) => {
    const extensions = { slow: { type: 'tone', frequency: 700, answerAfter: 4000, earlyMedia: true } }
    const { pbx, open } = await pbxOf(t, { extensions })
    const ear = new AudioSink({ rate: 16000 })
    await open('alice', { autoAnswer: 'always', audio: { input: 'none', output: ear } })
    let connected = false
    const call = pbx.originate({ to: 'alice', with: 'slow', autoAnswer: true }).then((call) => {
      connected = true
      return call
    })
    await hears(ear, 700)
    assert.equal(connected, false, 'it was heard before the answer')
    await pbx.hangUp(await call)
  })
})

describe('originate', () => {
  test('rings on every phone of a user, and one has the call', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [desk, home] = await Promise.all([open('alice'), open('alice')])
    const pending = [next(desk, 'pendingSession'), next(home, 'pendingSession')]
    const handled = next(desk, 'handledPendingSession')
    const call = pbx.originate({ to: 'alice', with: 'echo', headers: { 'X-Campaign': 'spring' } })
    const [, [{ id, headers }]] = await Promise.all(pending)
    assert.deepEqual(headers['x-campaign'], ['spring'])
    home.acceptPendingSession(id)
    await call
    await handled
  })
})

describe('the media relay', () => {
  const talk = async (t, fault) => {
    const { pbx, open } = await pbxOf(t, { mediaRelay: true, seed: 7 })
    const phone = await open('alice')
    const { ear, audio } = voice(700)
    const session = await phone.call('echo', audio)
    await session.answered
    await hears(ear, 700)
    if (fault) await pbx.addMediaFault(fault)
    return { pbx, phone, session, ear }
  }
  const statsUntil = async (session, holds, deadline = 15_000) => {
    const signal = AbortSignal.timeout(deadline)
    let last
    for (;;) {
      const [stats] = await session.once('stats', { signal }).catch(() => [undefined])
      if (!stats) assert.fail(`the figures stayed ${JSON.stringify(last)}`)
      last = stats
      if (holds(stats)) return stats
    }
  }

  test('is refused where media go past the PBX', async (t) => {
    const { pbx } = await pbxOf(t)
    await assert.rejects(pbx.addMediaFault({ loss: 0.1 }), { code: 'ERR_INVALID_ARGUMENT', message: /mediaRelay/ })
    await assert.rejects(pbx.addMediaFault({ loss: 10 }), { code: 'ERR_INVALID_OPTION', message: /loss/ })
  })

  test('loses a tenth of the packets: the figures show it and the tone is still heard', async (t) => {
    const { session, ear } = await talk(t, { user: 'alice', direction: 'out', loss: 0.1 })
    const { packetsLost } = await statsUntil(session, (stats) => stats.packetsLost >= 10)
    const { packetsReceived } = await statsUntil(session, () => true)
    const share = packetsLost / (packetsReceived + packetsLost)
    assert.ok(share > 0.01 && share < 0.25, `${packetsLost} of ${packetsReceived}`)
    drain(ear)
    await hears(ear, 700)
  })

  test('delays: the round trip shows it', async (t) => {
    const { session } = await talk(t, { user: 'alice', delay: 100 })
    const { rttMs } = await statsUntil(session, ({ rttMs }) => rttMs >= 190)
    assert.ok(rttMs < 1000, `${rttMs} ms`)
  })

  test('silences one direction while the call lives, and stops when it is told to', async (t) => {
    const { pbx, session, ear } = await talk(t, { user: 'alice', direction: 'out', silence: true })
    const warned = next(session, 'warning', 15_000)
    const [{ code }] = await warned
    assert.equal(code, 'no-media')
    await pbx.clearFaults()
    drain(ear)
    await hears(ear, 700)
  })

  test('survives disorder, doubles and damage', async (t) => {
    const { session, ear } = await talk(t, { reorder: 0.1, duplicate: 0.1, corrupt: 0.05, jitter: 30 })
    await statsUntil(session, (stats) => stats.packetsReceived > 150)
    drain(ear)
    await hears(ear, 700)
  })

  test('moves the media of a user to other ports, and the call goes on', async (t) => {
    const { pbx, ear } = await talk(t)
    await pbx.rebindMedia('alice')
    await new Promise((resolve) => setImmediate(resolve))
    drain(ear)
    await hears(ear, 700, 15_000)
  })

  test('carries a call between two phones', async (t) => {
    const { open } = await pbxOf(t, { mediaRelay: true })
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const [low, high] = [voice(600), voice(1000)]
    const pending = next(bob, 'pendingSession')
    const session = await alice.call('bob', low.audio)
    bob.acceptPendingSession((await pending)[0].id, high.audio)
    await session.answered
    await Promise.all([hears(low.ear, 1000), hears(high.ear, 600)])
  })
})

describe('faults of signalling', () => {
  test('are checked before they reach the PBX', async (t) => {
    const { pbx } = await pbxOf(t)
    await assert.rejects(pbx.addFault({ action: 'explode' }), { code: 'ERR_INVALID_OPTION' })
    await assert.rejects(Pbx.start({ extensions: { x: { type: 'disco' } } }), { code: 'ERR_INVALID_OPTION' })
  })

  for (const action of ['duplicate', 'reorder', { delay: 200 }]) {
    test(`${JSON.stringify(action)} does no harm to a call`, async (t) => {
      const { pbx, open } = await pbxOf(t)
      const phone = await open('alice')
      await pbx.addFault({ action, user: 'alice' })
      const session = await phone.call('echo')
      await session.answered
      await session.end()
    })
  }

  test('a lost answer is repeated', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoAnswer: 'always' })])
    await pbx.addFault({ action: 'lose', user: 'bob', direction: 'in', method: 'INVITE', status: 200, count: 1 })
    const session = await alice.call('bob')
    await session.answered
    assert.equal(bob.sessions.length, 1)
  })

  test('an SDP that can not be read ends the call, one with another certificate is a security error', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const phone = await open('alice')
    for (const [action, condition] of [
      ['wrongSdp', 'incompatible-parameters'],
      ['wrongFingerprint', 'security-error'],
    ]) {
      await pbx.addFault({ action, direction: 'out', method: 'INVITE', status: 200 })
      const session = await phone.call('echo')
      session.answered.catch(() => {})
      const [, reason] = await next(phone, 'sessionEnded', 10_000)
      assert.equal(reason.condition, condition)
      assert.equal(session.state, 'ended')
      await pbx.clearFaults()
    }
  })
})
