// Conferences of a phone's calls: who hears whom, told by tones.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AudioSink, AudioSource, Conference } from 'offhook'
import { next, pbxOf } from './pbx.mjs'
import { eventually, voice } from './phones.mjs'
import { drain, hears, quiet, strengths } from './sound.mjs'

const tones = { alice: 600, bob: 1000, carol: 1500, dave: 2100, menu: 3100 }

/** Alice, who has a phone, and others who call her: each sends a tone of its own and listens. */
async function house(t, { users = ['bob', 'carol'], options = {}, extensions = {} } = {}) {
  const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol', 'dave'], extensions })
  const alice = await open('alice', options)
  const parties = {}
  const call = async (user) => {
    const phone = await open(user)
    const { ear, audio } = voice(tones[user])
    const ringing = next(alice, 'pendingSession')
    const theirs = await phone.call('alice', audio)
    const [{ id }] = await ringing
    const started = next(alice, 'sessionStarted')
    alice.acceptPendingSession(id, { mediaStream: 'none', audioElement: 'none' })
    const [session] = await started
    await theirs.answered
    parties[user] = { user, ear, session, theirs, phone }
    return parties[user]
  }
  for (const user of users) await call(user)
  const desk = voice(tones.alice)
  const here = { user: 'alice', ear: desk.ear }
  const seat = { input: desk.audio.mediaStream, output: desk.ear }
  return { pbx, alice, call, parties, here, seat, sessions: users.map((user) => parties[user].session) }
}

/** Whom a party hears now, at last exactly these. */
async function hearsOnly({ user, ear }, others, deadline = 10_000) {
  const wanted = others.map((other) => tones[other]).sort((a, b) => a - b)
  const end = performance.now() + deadline
  drain(ear)
  for (;;) {
    const levels = await strengths(ear, Object.values(tones))
    const heard = [...levels].filter(([, level]) => level > -45).map(([tone]) => tone)
    if (`${heard.sort((a, b) => a - b)}` === `${wanted}`) return
    assert.ok(performance.now() < end, `${user} hears ${heard}, not ${wanted}`)
  }
}

describe('a conference', () => {
  test('lets each hear the others and not itself, a late one join and one leave', async (t) => {
    const { alice, call, parties, here, seat, sessions } = await house(t)
    const conference = await alice.conference(sessions, seat)
    assert.ok(conference instanceof Conference)
    assert.deepEqual([...conference.members], sessions)
    assert.equal(sessions[0].conference, conference)
    const { bob, carol } = parties
    await Promise.all([
      hearsOnly(here, ['bob', 'carol']),
      hearsOnly(bob, ['alice', 'carol']),
      hearsOnly(carol, ['alice', 'bob']),
    ])

    const dave = await call('dave')
    const joins = next(conference, 'join')
    await conference.add(dave.session)
    assert.deepEqual(await joins, [dave.session])
    await Promise.all([hearsOnly(dave, ['alice', 'bob', 'carol']), hearsOnly(bob, ['alice', 'carol', 'dave'])])

    const leaves = next(conference, 'leave')
    await bob.theirs.end()
    assert.deepEqual(await leaves, [bob.session])
    assert.equal(bob.session.conference, undefined)
    await Promise.all([hearsOnly(here, ['carol', 'dave']), hearsOnly(carol, ['alice', 'dave'])])

    await dave.session.setInput({ tone: tones.menu })
    await conference.remove(dave.session)
    assert.deepEqual([...conference.members], [carol.session])
    await Promise.all([hearsOnly(dave, ['menu']), hearsOnly(carol, ['alice']), hearsOnly(here, ['carol'])])
  })

  test('does not let a muted member be heard, nor whoever sits here', async (t) => {
    const { alice, parties, here, seat, sessions } = await house(t)
    const conference = await alice.conference(sessions, seat)
    const { bob, carol } = parties
    const told = []
    for (const event of ['mute', 'unmute']) conference.on(event, (member) => told.push([event, member]))
    await conference.mute(bob.session)
    await Promise.all([hearsOnly(here, ['carol']), hearsOnly(carol, ['alice']), hearsOnly(bob, ['alice', 'carol'])])
    await conference.mute()
    assert.equal(conference.muted, true)
    await Promise.all([hearsOnly(here, ['carol']), hearsOnly(carol, []), hearsOnly(bob, ['carol'])])
    await conference.unmute(bob.session)
    await conference.unmute()
    await Promise.all([hearsOnly(carol, ['alice', 'bob']), hearsOnly(here, ['bob', 'carol'])])
    assert.deepEqual(told, [
      ['mute', bob.session],
      ['mute', undefined],
      ['unmute', bob.session],
      ['unmute', undefined],
    ])
    // A session's own mute is that of the microphone here, towards that party.
    await bob.session.mute()
    await Promise.all([hearsOnly(bob, ['carol']), hearsOnly(carol, ['alice', 'bob'])])
    await bob.session.unmute()
    await hearsOnly(bob, ['alice', 'carol'])
  })

  test('is put on hold as a whole: music for everybody, and nobody hears anybody', async (t) => {
    const { alice, parties, here, seat, sessions } = await house(t)
    const conference = await alice.conference(sessions, seat)
    const { bob, carol } = parties
    await hearsOnly(bob, ['alice', 'carol'])
    await conference.hold({ music: { tone: tones.menu } })
    assert.equal(conference.held, true)
    assert.deepEqual(sessions.map(({ held }) => held), [true, true])
    await eventually(() => bob.theirs.remoteHeld)
    await Promise.all([hearsOnly(bob, ['menu']), hearsOnly(carol, ['menu']), hearsOnly(here, [])])
    drain(here.ear)
    await quiet(here.ear)
    await conference.resume()
    assert.equal(conference.held, false)
    assert.deepEqual(sessions.map(({ held }) => held), [false, false])
    await Promise.all([
      hearsOnly(here, ['bob', 'carol']),
      hearsOnly(bob, ['alice', 'carol']),
      hearsOnly(carol, ['alice', 'bob']),
    ])
  })

  test("keeps the music of a member that holds us from the others", async (t) => {
    const { alice, parties, here, seat, sessions } = await house(t)
    await alice.conference(sessions, seat)
    const { bob, carol } = parties
    const held = next(bob.session, 'hold')
    await bob.theirs.hold({ music: { tone: tones.menu } })
    assert.deepEqual(await held, [{ side: 'remote' }])
    await Promise.all([hearsOnly(here, ['carol']), hearsOnly(carol, ['alice'])])
    await bob.theirs.resume()
    await Promise.all([hearsOnly(here, ['bob', 'carol']), hearsOnly(carol, ['alice', 'bob'])])
  })

  test('begins empty, takes in a number that is dialled once it answers, and hangs up on all', async (t) => {
    const extensions = { 5551234: { type: 'tone', frequency: tones.menu, answerAfter: 300, earlyMedia: true } }
    const { alice, parties, here, seat, sessions } = await house(t, { users: ['bob'], extensions })
    const conference = await alice.conference([], seat)
    assert.deepEqual([...conference.members], [])
    const dialled = await alice.call('5551234', { mediaStream: 'none', audioElement: 'none' })
    const added = conference.add(dialled)
    await conference.add(sessions[0])
    await added
    assert.equal(dialled.active, true)
    assert.deepEqual([...conference.members], [sessions[0], dialled])
    await Promise.all([hearsOnly(parties.bob, ['alice', 'menu']), hearsOnly(here, ['bob', 'menu'])])

    const ended = []
    alice.on('sessionEnded', (session) => ended.push(session))
    const over = next(conference, 'ended')
    await conference.end()
    await over
    assert.deepEqual(ended, [sessions[0], dialled])
    assert.equal(conference.ended, true)
    await conference.end()
    await assert.rejects(conference.hold(), { code: 'ERR_CONFERENCE_ENDED' })
  })

  test('is broken up into calls on hold', async (t) => {
    const { alice, parties, seat, sessions } = await house(t, { options: { holdMusic: { tone: tones.menu } } })
    const conference = await alice.conference(sessions, seat)
    await conference.dissolve()
    assert.equal(conference.ended, true)
    assert.deepEqual(sessions.map(({ held, conference }) => [held, conference]), [
      [true, undefined],
      [true, undefined],
    ])
    const { bob, carol } = parties
    await Promise.all([hearsOnly(bob, ['menu']), hearsOnly(carol, ['menu'])])
    await bob.session.setInput({ tone: tones.alice })
    await bob.session.resume()
    await Promise.all([hearsOnly(bob, ['alice']), hearsOnly(carol, ['menu'])])
  })

  test('has PCM of the application as its seat, which can be changed', async (t) => {
    const { alice, parties, sessions } = await house(t)
    const [input, output] = [new AudioSource({ rate: 16000, queue: 2000 }), new AudioSink({ rate: 16000 })]
    const conference = await alice.conference(sessions, { input, output })
    const speech = new Int16Array(16000 * 1.5)
    speech.forEach((_, n) => (speech[n] = 4000 * Math.sin((2 * Math.PI * tones.alice * n) / 16000)))
    const feed = setInterval(() => input.writableLength === 0 && input.write(speech), 100)
    t.after(() => clearInterval(feed))
    await Promise.all([
      hearsOnly(parties.bob, ['alice', 'carol']),
      hearsOnly({ user: 'alice', ear: output }, ['bob', 'carol']),
    ])
    clearInterval(feed)
    await conference.setInput({ tone: tones.menu })
    await conference.setOutput('none')
    await hearsOnly(parties.bob, ['menu', 'carol'])
    // It is free for somebody else.
    const late = voice(tones.alice)
    await conference.setOutput(late.ear)
    await hearsOnly({ user: 'alice', ear: late.ear }, ['bob', 'carol'])
    await conference.end()
  })

  test('tells how loud everybody is, ten times a second while somebody listens', async (t) => {
    const { alice, parties, seat, sessions } = await house(t)
    const conference = await alice.conference(sessions, seat)
    const { bob, carol } = parties
    await hearsOnly(bob, ['alice', 'carol'])
    await conference.mute(carol.session)
    await hearsOnly(bob, ['alice'])
    const told = []
    const listener = (event) => told.push(event)
    conference.on('level', listener)
    while (told.length < 5) await next(conference, 'level')
    conference.off('level', listener)
    const { local, members } = told.at(-1)
    assert.ok(local > 0.05 && local < 0.2, `${local}`)
    assert.deepEqual(members.map(({ id }) => id), sessions.map(({ id }) => id))
    assert.ok(members[0].level > 0.05 && members[0].level < 0.2, `${members[0].level}`)
    assert.equal(members[1].level, 0)
    structuredClone(told)
  })

  test('is one party where one is heard at a time', async (t) => {
    const { alice, call, parties, sessions } = await house(t, { options: { holdOthers: true } })
    const conference = await alice.conference(sessions, { input: 'none', output: 'none' })
    assert.deepEqual(sessions.map(({ held }) => held), [false, false])
    const held = next(conference, 'hold')
    const dave = await call('dave')
    await held
    await hearsOnly(parties.bob, [])
    await conference.resume()
    assert.equal(conference.held, false)
    await Promise.all([hearsOnly(parties.bob, ['carol']), hearsOnly(parties.carol, ['bob'])])
    assert.equal(dave.session.held || (await next(dave.session, 'change:held'))[1], true)
  })

  test('takes in who replaces a member', async (t) => {
    const { alice, parties, here, seat, sessions, pbx } = await house(t)
    const conference = await alice.conference(sessions, seat)
    const { bob, carol } = parties
    const dave = await openDave(t, pbx)
    const consultation = await bob.phone.call('dave', { mediaStream: 'none', audioElement: 'none' })
    await consultation.answered
    const joins = next(conference, 'join')
    await Promise.all([consultation.attendedTransfer(bob.theirs), joins])
    assert.equal(conference.members.includes(bob.session), false)
    assert.equal(conference.members.length, 2)
    await Promise.all([
      hearsOnly(here, ['carol', 'dave']),
      hearsOnly(carol, ['alice', 'dave']),
      hearsOnly({ user: 'dave', ear: dave.ear }, ['alice', 'carol']),
    ])
  })

  test('refuses what is no session, one that is in another, and one that is gone', async (t) => {
    const { alice, sessions } = await house(t, { users: ['bob'] })
    for (const wrong of [undefined, 'bob', [{}], [undefined]]) {
      await assert.rejects(alice.conference(wrong), { code: 'ERR_INVALID_ARGUMENT' })
    }
    await assert.rejects(alice.conference([], { input: 7 }), { code: 'ERR_INVALID_OPTION' })
    const conference = await alice.conference(sessions, { input: 'none', output: 'none' })
    await assert.rejects(alice.conference(sessions), { code: 'ERR_SESSION_STATE' })
    await assert.rejects(conference.add(), { code: 'ERR_INVALID_ARGUMENT' })
    await conference.remove(sessions[0])
    await sessions[0].end()
    await assert.rejects(conference.add(sessions[0]), { code: 'ERR_SESSION_ENDED' })
    const ended = next(conference, 'ended')
    await alice.destroy()
    await ended
  })

  test('warns where a device of its own can not be opened', async (t) => {
    const { alice } = await house(t, { users: [] })
    const closed = new AudioSource({ rate: 16000 })
    const conference = await alice.conference([], { input: 'none', output: 'none' })
    const warning = next(conference, 'warning')
    closed.destroy()
    await conference.setInput(closed)
    assert.equal((await warning)[0].code, 'no-device')
    const cleared = next(conference, 'warningCleared')
    await conference.setInput({ tone: 440 })
    assert.deepEqual(await cleared, [{ code: 'no-device' }])
    await conference.end()
  })
})

/** Dave, who answers everybody, and follows who sends him elsewhere. */
async function openDave(t, pbx) {
  const { Softphone } = await import('offhook')
  const dave = new Softphone({ ...pbx.account('dave'), audio: 'none', logLevel: 'error' })
  t.after(() => dave.destroy())
  await dave.initialize()
  const { ear, audio } = voice(tones.dave)
  dave.on('pendingSession', ({ id }) => dave.acceptPendingSession(id, { mediaStream: 'none', audioElement: 'none' }))
  dave.on('sessionStarted', (session) => session.on('transferRequested', () => session.acceptTransfer(audio)))
  return { dave, ear }
}
