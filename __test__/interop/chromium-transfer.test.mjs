import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hears } from '../sound.mjs'
import { next, voice } from '../phones.mjs'
import { jssip } from './jssip.mjs'
import { peers } from './peers.mjs'

describe('transfers with JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
  const { uri, both, answered, carolOf } = jssip()

  test('is transferred', async (t) => {
    const [{ browser, session }, { carol, ear }] = await Promise.all([answered(t), carolOf(t)])
    const progress = []
    session.on('transferProgress', ({ code }) => progress.push(code))
    await session.transfer(uri('carol'))
    assert.equal(session.state, 'ended')
    assert.equal(progress.at(-1), 200)
    assert.equal((await browser.event('refer')).to, `<${uri('carol')}>`)
    assert.equal(carol.sessions.length, 1)
    await Promise.all([hears(ear, 1400), browser.hears(1800)])
  })

  test('transfers us', async (t) => {
    const [{ browser, session }, { ear }] = await Promise.all([answered(t), carolOf(t)])
    const asked = next(session, 'transferRequested')
    await browser.refer(uri('carol'))
    const [{ target, attended }] = await asked
    assert.deepEqual([target, attended], [uri('carol'), false])
    const mine = voice(600)
    const onward = await session.acceptTransfer(mine.audio)
    await onward.answered
    await browser.event('refer:trying')
    await browser.event('refer:accepted')
    await Promise.all([hears(ear, 600), hears(mine.ear, 1800)])
    await onward.end()
    await session.end()
  })

  test('is told that we will not be transferred', async (t) => {
    const { browser, session } = await answered(t)
    const asked = next(session, 'transferRequested')
    await browser.refer(uri('carol'))
    await asked
    await session.rejectTransfer()
    assert.equal((await browser.event('refer:failed')).code, 603)
    await session.end()
  })

  test('takes the place of a consultation', async (t) => {
    const [{ browser, phone, session }, { carol }] = await Promise.all([answered(t), carolOf(t)])
    const consultation = await phone.call(uri('carol'), { mediaStream: 'none' })
    await consultation.answered
    const replaced = next(carol, 'sessionEnded')
    await session.attendedTransfer(consultation)
    assert.deepEqual([session.state, consultation.state], ['ended', 'ended'])
    assert.equal(`${(await replaced)[1]}`, 'alternative-session')
    assert.equal(carol.sessions.length, 1)
    assert.equal(carol.sessions[0].address, 'bob')
    await browser.hears(1800)
    await carol.sessions[0].end()
  })

  test('sends us into its consultation', async (t) => {
    const [{ browser, session }, { carol }] = await Promise.all([answered(t), carolOf(t)])
    await browser.call(uri('carol'), 1000)
    await browser.event('confirmed')
    const asked = next(session, 'transferRequested')
    await browser.refer(uri('carol'), true)
    assert.equal((await asked)[0].attended, true)
    const replaced = next(carol, 'sessionEnded')
    const onward = await session.acceptTransfer({ mediaStream: 'none' })
    await onward.answered
    await browser.event('refer:accepted')
    assert.equal(`${(await replaced)[1]}`, 'alternative-session')
    assert.equal(carol.sessions[0]?.address, 'alice')
    await onward.end()
  })

  test('is the target of a transfer', async (t) => {
    const [[browser, phone], { carol }] = await Promise.all([both(t), carolOf(t)])
    const session = await phone.call(uri('carol'), { mediaStream: 'none' })
    await session.answered
    carol.sessions[0].on('transferRequested', () => carol.sessions[0].acceptTransfer(voice(1800).audio))
    const transferred = session.transfer(uri('bob'))
    assert.equal((await browser.event('incoming')).from, uri('carol'))
    await browser.answer(1000)
    await transferred
    await browser.hears(1800)
    assert.equal(session.state, 'ended')
  })

  test('is the target of a transfer after a consultation', async (t) => {
    const [{ browser, phone, session: consultation }, { carol }] = await Promise.all([answered(t), carolOf(t)])
    const session = await phone.call(uri('carol'), { mediaStream: 'none' })
    await session.answered
    carol.sessions[0].on('transferRequested', () => carol.sessions[0].acceptTransfer(voice(1400).audio))
    const transferred = session.attendedTransfer(consultation)
    assert.equal((await browser.event('replaces')).from, uri('carol'))
    await browser.answer(1000)
    await transferred
    assert.deepEqual([session.state, consultation.state], ['ended', 'ended'])
    await browser.hears(1400)
  })
})
