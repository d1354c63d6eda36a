import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { drain, hears, quiet } from '../sound.mjs'
import { next, voice } from '../phones.mjs'
import { jssip } from './jssip.mjs'
import { peers } from './peers.mjs'

describe('JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
  const { uri, both, answered, talking } = jssip()

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

  test('hears our announcement before we answer', async (t) => {
    const [browser, phone] = await both(t)
    const ringing = next(phone, 'pendingSession')
    await browser.call(uri('alice'), 1000)
    const [{ id }] = await ringing
    const { ear, audio } = voice(600)
    const started = next(phone, 'sessionStarted')
    phone.acceptPendingSession(id, { ...audio, autoConnectSession: false })
    const [session] = await started
    await session.sendEarlyMedia()
    await browser.hears(600)
    assert.equal(session.state, 'pending')
    await session.accept()
    await browser.event('confirmed')
    await Promise.all([hears(ear, 1000), browser.hears(600)])
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

  for (const order of ['we, it', 'it, we']) {
    const both = async (t) => {
      const call = await talking(t)
      const told = next(call.session, 'hold')
      if (order === 'we, it') await call.session.hold()
      await call.browser.hold()
      if (order === 'it, we') await call.session.hold()
      await told
      assert.deepEqual([call.session.held, call.session.remoteHeld], [true, true])
      assert.deepEqual(await call.browser.onHold(), { local: true, remote: true })
      return call
    }

    test(`both hold, ${order}, and it resumes first`, async (t) => {
      const { browser, session, hear } = await both(t)
      const resumed = next(session, 'resume')
      await browser.unhold()
      assert.deepEqual((await resumed)[0], { side: 'remote' })
      assert.deepEqual([session.held, session.remoteHeld], [true, false])
      await session.resume()
      assert.deepEqual([session.held, session.remoteHeld], [false, false])
      await hear()
      await session.end()
    })

    // It answers sendrecv although it holds, and only keeps silent: what it says is what counts.
    test(`both hold, ${order}, and we resume first`, async (t) => {
      const { browser, session, hear } = await both(t)
      await session.resume()
      assert.deepEqual([session.held, session.remoteHeld], [false, false])
      assert.deepEqual(await browser.onHold(), { local: true, remote: false })
      await browser.unhold()
      await hear()
      await session.end()
    })
  }

  test('goes on after our connection was lost while it held us', async (t) => {
    const { browser, phone, session, hear } = await talking(t)
    const held = next(session, 'hold')
    await browser.hold()
    await held
    const [offered, connected] = [browser.event('reinvite', 10_000), next(phone, 'connected')]
    phone.reconnect()
    await connected
    await offered
    await browser.unhold()
    await hear()
    assert.deepEqual([session.held, session.remoteHeld], [false, false])
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
  const { talking } = jssip({ mdns: true })

  test('is heard by the addresses for which its names stand', async (t) => {
    const { session } = await talking(t)
    const known = async () => {
      const report = await session.getStats()
      const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport')
      return report.get(report.get(selectedCandidatePairId).remoteCandidateId).candidateType
    }
    // Chromium may have reached us before its name was resolved.
    for (const end = Date.now() + 10_000; (await known()) !== 'host' && Date.now() < end; ) await pause(50)
    assert.equal(await known(), 'host')
    await session.end()
  })
})
