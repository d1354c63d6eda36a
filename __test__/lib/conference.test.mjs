import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ids, makePhone, recorded, started, success } from './fake.mjs'
import { Conference } from 'offhook'

/** A phone with two sessions and a conference of them. */
async function room() {
  const { phone, engine } = makePhone()
  for (const id of [ids.one, ids.two]) engine.say(started({ id }))
  const made = phone.conference(phone.sessions, { input: { tone: 440 }, output: 'none' })
  const news = (one) => engine.say({ type: 'conference', id: 1, news: one })
  news({ type: 'started' })
  for (const { id } of phone.sessions) news({ type: 'joined', session: id })
  engine.reply('confer', { value: { conference: 1 } })
  const conference = await made
  return { phone, engine, news, conference, events: recorded(conference), sessions: phone.sessions }
}

describe('a conference', () => {
  test('warns of news that nobody here knows', async () => {
    const { news, events } = await room()
    const warnings = []
    const told = (warning) => warnings.push(warning.message)
    process.on('warning', told)
    news({ type: 'renamed' })
    await new Promise((done) => setImmediate(done))
    process.off('warning', told)
    assert.match(warnings.join(), /tells of 'renamed', which this version does not know/)
    assert.deepEqual(events.filter(([name]) => name === 'renamed'), [])
  })

  test('is asked for with the ids of its sessions and what sits here', async () => {
    const { engine, conference, sessions } = await room()
    const { type, sessions: asked, input, output } = engine.commands.at(-1)
    assert.deepEqual(
      { type, asked, input, output },
      { type: 'confer', asked: [ids.one, ids.two], input: { type: 'tone', frequency: 440 }, output: { type: 'none' } },
    )
    assert.ok(conference instanceof Conference)
    const { id, members, held, muted, ended } = conference
    assert.deepEqual({ id, members, held, muted, ended }, { id: '1', members: sessions, held: false, muted: false, ended: false })
  })

  test('knows its members, and they know it', async () => {
    const { conference, news, events, engine, sessions } = await room()
    assert.equal(sessions[0].conference, conference)
    engine.say({ type: 'terminated', id: ids.one, reason: success })
    assert.equal(sessions[0].conference, conference)
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    news({ type: 'left', session: ids.one })
    assert.deepEqual(events, [['leave', sessions[0]]])
    assert.deepEqual(conference.members, [sessions[1]])
    assert.equal(sessions[0].conference, undefined)
    assert.equal('conference' in structuredClone(sessions[1]), false, 'a snapshot of a session is that of its call')
  })

  test('knows whom it lets not be heard, until that ends or they leave', async () => {
    const { conference, news, sessions } = await room()
    const [one, two] = sessions
    news({ type: 'muted', session: null, muted: true })
    assert.deepEqual(conference.silenced, [])
    for (const { id } of sessions) news({ type: 'muted', session: id, muted: true })
    news({ type: 'muted', session: one.id, muted: true })
    assert.deepEqual(conference.silenced, [two, one])
    news({ type: 'muted', session: one.id, muted: false })
    assert.deepEqual(conference.silenced, [two])
    news({ type: 'left', session: two.id })
    assert.deepEqual(conference.silenced, [])
  })

  test('tells hold and mute with the state that they lead to', async () => {
    const { conference, news, events, sessions } = await room()
    const seen = []
    for (const event of ['hold', 'resume', 'mute', 'unmute']) {
      conference.on(event, () => seen.push([conference.held, conference.muted]))
    }
    events.length = 0
    news({ type: 'held', held: true })
    news({ type: 'held', held: false })
    news({ type: 'muted', session: null, muted: true })
    news({ type: 'muted', session: ids.two, muted: true })
    news({ type: 'muted', session: null, muted: false })
    assert.deepEqual(events, [['hold'], ['resume'], ['mute', undefined], ['mute', sessions[1]], ['unmute', undefined]])
    assert.deepEqual(seen, [
      [true, false],
      [false, false],
      [false, true],
      [false, true],
      [false, false],
    ])
  })

  test('has levels measured only while somebody listens', async () => {
    const { conference, engine } = await room()
    const asked = () => engine.commands.flatMap(({ request }) => (request?.type === 'setLevels' ? [request.wanted] : []))
    const told = []
    const listener = (event) => told.push(event)
    assert.deepEqual(asked(), [])
    conference.on('level', listener)
    conference.on('level', listener)
    assert.deepEqual(asked(), [true])
    engine.say({ type: 'levels', conference: 1, local: null, members: [{ id: ids.one, level: 0.5 }] })
    assert.deepEqual(told[0], { local: 0, members: [{ id: ids.one, level: 0.5 }] })
    conference.off('level', listener)
    assert.deepEqual(asked(), [true])
    conference.off('level', listener)
    assert.deepEqual(asked(), [true, false])
  })

  test('that is over asks for nothing more', async () => {
    const { conference, news, events, engine } = await room()
    news({ type: 'ended' })
    const before = engine.commands.length
    await conference.end()
    await conference.dissolve()
    conference.on('level', () => {})
    assert.equal(engine.commands.length, before)
    assert.deepEqual(events[0], ['ended'])
    assert.equal(conference.ended, true)
  })
})
