import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { drain, hears, quiet } from '../sound.mjs'
import { startChromium } from './chromium.mjs'
import { startKamailio } from './kamailio.mjs'
import { peers } from './peers.mjs'
import { next, phonesOf, voice } from '../phones.mjs'

describe('JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
  let kamailio
  let chromium
  before(async () => {
    ;[kamailio, chromium] = await Promise.all([startKamailio(), startChromium()])
  })
  after(() => Promise.all([kamailio?.stop(), chromium?.stop()]))

  const uri = (user) => `sip:${user}@${kamailio.domain}`
  const account = (user) => ({ uri: uri(user), password: `${user}pw` })

  async function both(t, page, options) {
    const [browser, phone] = await Promise.all([
      chromium.phone({ ...account('bob'), server: kamailio.ws, ...page }),
      phonesOf(t).open({ ...account('alice'), servers: kamailio.ws, ...options }),
    ])
    t.after(() => browser.stop())
    return [browser, phone]
  }

  for (const codec of ['opus', 'PCMU']) {
    for (const certificate of ['RSA', 'ECDSA']) {
      test(`is called with ${codec} and an ${certificate} certificate; it hangs up`, async (t) => {
        const [browser, phone] = await both(t, { certificate }, { codecs: [codec] })
        const { ear, audio } = voice(600)
        const session = await phone.call(uri('bob'), audio)
        await browser.event('incoming')
        await browser.answer(1000)
        await session.answered
        await Promise.all([hears(ear, 1000), browser.hears(600)])
        assert.equal((await browser.received()).codec, `audio/${codec}`)
        assert.equal(session.codec?.toLowerCase(), codec.toLowerCase())
        const ended = next(session, 'terminated')
        await browser.hangUp()
        const [, reason] = await ended
        assert.deepEqual([`${reason}`, reason.side], ['success', 'remote'])
      })

      test(`calls with ${codec} and an ${certificate} certificate; we hang up`, async (t) => {
        const [browser, phone] = await both(t, { certificate, codecs: [codec] })
        const ringing = next(phone, 'pendingSession')
        await browser.call(uri('alice'), 1000)
        const [{ id, address }] = await ringing
        assert.equal(address, 'bob')
        const { ear, audio } = voice(600)
        const started = next(phone, 'sessionStarted')
        phone.acceptPendingSession(id, audio)
        const [session] = await started
        await browser.event('confirmed')
        await Promise.all([hears(ear, 1000), browser.hears(600)])
        assert.equal((await browser.received()).codec, `audio/${codec}`)
        await session.end()
        assert.equal((await browser.event('ended')).originator, 'remote')
      })
    }
  }

  /** A call from us that JsSIP answers. */
  async function answered(t, audio = { mediaStream: 'none' }) {
    const [browser, phone] = await both(t)
    const session = await phone.call(uri('bob'), audio)
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await browser.event('confirmed')
    return { browser, phone, session }
  }

  /** Carol, who answers everybody with 1800 Hz. */
  async function carolOf(t) {
    const carol = await phonesOf(t).open({ ...account('carol'), servers: kamailio.ws })
    const { ear, audio } = voice(1800)
    carol.on('pendingSession', ({ id, autoAnswer }) => autoAnswer || carol.acceptPendingSession(id, audio))
    return { carol, ear }
  }

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
    const [[browser, phone], { carol, ear }] = await Promise.all([both(t), carolOf(t)])
    const session = await phone.call(uri('carol'), { mediaStream: 'none' })
    await session.answered
    carol.sessions[0].on('transferRequested', () => carol.sessions[0].acceptTransfer(voice(1800).audio))
    const transferred = session.transfer(uri('bob'))
    assert.equal((await browser.event('incoming')).from, uri('carol'))
    await browser.answer(1000)
    await transferred
    await browser.hears(1800)
    assert.equal(session.state, 'ended')
    drain(ear)
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

  test('exchanges messages', async (t) => {
    const [browser, phone] = await both(t)
    const arrived = next(phone, 'message')
    assert.equal(await browser.sendMessage(uri('alice'), 'Grüße von JsSIP'), 200)
    assert.equal((await arrived)[0].body, 'Grüße von JsSIP')
    await phone.sendMessage(uri('bob'), 'Grüße zurück')
    assert.deepEqual(await browser.event('message'), { name: 'message', from: uri('alice'), body: 'Grüße zurück' })
  })

  test('says what it can do', async (t) => {
    const [, phone] = await both(t)
    const { allow } = await phone.sendOptions(uri('bob'))
    assert.ok(allow.includes('REFER'), `${allow}`)
  })

  test('exchanges INFO, and digits by INFO', async (t) => {
    const [browser, phone] = await both(t)
    const session = await phone.call(uri('bob'), { mediaStream: 'none' })
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await browser.event('confirmed')
    const arrived = next(session, 'info')
    await browser.sendInfo('application/json', '{"from":"JsSIP"}')
    assert.deepEqual(await arrived, [{ contentType: 'application/json', body: '{"from":"JsSIP"}' }])
    await browser.event('info')
    await session.sendInfo({ contentType: 'text/plain', body: 'from us' })
    const { originator, contentType, body } = await browser.event('info')
    assert.deepEqual([originator, contentType, body], ['remote', 'text/plain', 'from us'])
    const digits = []
    const all = new Promise((resolve) => session.on('dtmf', (digit) => digits.push(digit) === 2 && resolve()))
    await browser.sendDtmf('7*', 160, 70, 'INFO')
    await all
    assert.deepEqual(digits, [
      { tone: '7', duration: 160, method: 'info' },
      { tone: '*', duration: 160, method: 'info' },
    ])
    await session.sendDtmf('3', { via: 'info', duration: 120 })
    assert.deepEqual(await browser.event('dtmf'), { name: 'dtmf', tone: '3', duration: 120 })
    await session.end()
  })

  test('its digits arrive', async (t) => {
    const [browser, phone] = await both(t)
    const session = await phone.call(uri('bob'), { mediaStream: 'none' })
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await next(session, 'change:connected').catch(() => assert.ok(session.connected))
    const tones = []
    const all = new Promise((resolve) => session.on('dtmf', ({ tone }) => tones.push(tone) === 3 && resolve()))
    await browser.sendDtmf('5#0', 100, 70)
    await Promise.race([all, next(session, 'terminated', 5000)])
    assert.deepEqual(tones, ['5', '#', '0'])
    await session.end()
  })

  async function talking(t) {
    const [browser, phone] = await both(t)
    const { ear, audio } = voice(600)
    const session = await phone.call(uri('bob'), audio)
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await browser.event('confirmed')
    const hear = () => {
      drain(ear)
      return Promise.all([hears(ear, 1000), browser.hears(600)])
    }
    await hear()
    return { browser, phone, session, ear, hear }
  }

  for (const [how, options] of [['a re-INVITE', {}], ['an UPDATE', { useUpdate: true }]]) {
    test(`it holds and resumes by ${how}`, async (t) => {
      const { browser, session, hear } = await talking(t)
      for (const [change, event] of [['hold', 'hold'], ['unhold', 'resume']]) {
        const told = next(session, event)
        await browser[change](options)
        assert.deepEqual((await told)[0], { side: 'remote' })
        assert.equal(session.remoteHeld, change === 'hold')
      }
      await hear()
      await session.end()
    })
  }

  for (const via of ['invite', 'update']) test(`is held by ${via}, hears the music, and is talked to again`, async (t) => {
    const { browser, session, ear, hear } = await talking(t)
    await session.hold({ music: { tone: 1800 }, via })
    assert.equal(session.held, true)
    assert.deepEqual(await browser.onHold(), { local: false, remote: true })
    drain(ear)
    await Promise.all([quiet(ear), browser.hears(1800)])
    await session.resume({ via })
    assert.deepEqual(await browser.onHold(), { local: false, remote: false })
    await hear()
    await session.end()
  })

  test('both hold, and each resumes for itself', async (t) => {
    const { browser, session, hear } = await talking(t)
    await session.hold()
    const told = next(session, 'hold')
    await browser.hold()
    await told
    assert.deepEqual([session.held, session.remoteHeld], [true, true])
    await session.resume()
    assert.deepEqual([session.held, session.remoteHeld], [false, true])
    const resumed = next(session, 'resume')
    await browser.unhold()
    await resumed
    await hear()
    await session.end()
  })

  for (const [how, iceRestart] of [['the same way', false], ['another way', true]]) {
    test(`goes on after an offer of its own, the sound by ${how}`, async (t) => {
      const { browser, session, hear } = await talking(t)
      await browser.renegotiate(iceRestart)
      await hear()
      await session.end()
    })
  }

  test('goes on after our connection was lost', async (t) => {
    const { browser, phone, session, hear } = await talking(t)
    const offered = browser.event('reinvite')
    const connected = next(phone, 'connected')
    phone.reconnect()
    await connected
    await offered
    await hear()
    await session.end()
    assert.equal((await browser.event('ended')).originator, 'remote')
  })

  test('digits of ours leave its sound as it is', async (t) => {
    const { session, hear } = await talking(t)
    await session.sendDtmf('159#')
    await hear()
    await session.end()
  })

  test('its refusal is the end of the call', async (t) => {
    const [browser, phone] = await both(t)
    const session = await phone.call(uri('bob'))
    await browser.event('incoming')
    await browser.reject(486)
    await assert.rejects(session.answered, { code: 'ERR_CALL_BUSY' })
  })
})

describe('JsSIP in a Chromium that hides its addresses', { skip: peers('kamailio', 'chromium') }, () => {
  let kamailio
  let chromium
  before(async () => {
    ;[kamailio, chromium] = await Promise.all([startKamailio(), startChromium({ mdns: true })])
  })
  after(() => Promise.all([kamailio?.stop(), chromium?.stop()]))

  test('is heard although its candidates are names that nobody can resolve', async (t) => {
    const account = (user) => ({ uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw` })
    const [browser, phone] = await Promise.all([
      chromium.phone({ ...account('bob'), server: kamailio.ws }),
      phonesOf(t).open({ ...account('alice'), servers: kamailio.ws }),
    ])
    t.after(() => browser.stop())
    const { ear, audio } = voice(600)
    const session = await phone.call(`sip:bob@${kamailio.domain}`, audio)
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await Promise.all([hears(ear, 1000), browser.hears(600)])
    await session.end()
  })
})
