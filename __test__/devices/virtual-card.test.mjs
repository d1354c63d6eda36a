import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { listDevices } from 'offhook'
import { hears, next, pbxOf, voice } from '../pbx.mjs'
import { drain, hearsAll, longestSilence, quiet } from '../sound.mjs'
import { VirtualCard, virtualCardMissing } from './virtual-card.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const missing = process.platform === 'linux' ? virtualCardMissing() : 'a virtual sound card is made on Linux only'

/** The next warning, or end of one, about a device: a busy machine is warned of as well. */
async function ofDevice(session, event) {
  for (;;) {
    const [warning] = await next(session, event, 20_000)
    if (warning.code === 'no-device') return [warning]
  }
}

describe('a sound card', { skip: missing }, () => {
  let card
  const chosen = { input: 'alsa:headset', output: 'alsa:headset' }

  // libasound, in this process, looks at the environment when it is first used.
  before(async () => {
    card = await VirtualCard.start()
    Object.assign(process.env, card.env)
    card.speak(600)
    card.speak(1700, 'headset-feed')
  })

  after(() => card.stop())

  /** A call from alice, who has the card, to bob, who sends and hears tones. */
  async function call(t, { audio } = {}) {
    const { open } = await pbxOf(t)
    const alice = await open('alice', { audio: audio ?? { input: 'default', output: 'default' } })
    // The microphone's steady tones are what a suppressor takes for noise.
    await alice.setAudioProcessing({ noiseSuppression: false })
    const bob = await open('bob')
    const { ear, audio: tone } = voice(1000)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, tone))
    const warnings = []
    // A busy machine is warned of as well.
    alice.on('sessionStarted', (session) => session.on('warning', (warning) => warning.code === 'no-device' && warnings.push(warning)))
    const session = await alice.call('bob')
    await session.answered
    return { alice, session, ear, warnings }
  }

  test('is listed, with ids that are the same in another process', async () => {
    const devices = await listDevices()
    for (const kind of ['audioinput', 'audiooutput']) {
      const ofKind = devices.filter((device) => device.kind === kind)
      assert.equal(ofKind.filter((device) => device.default).length, 1, JSON.stringify(devices))
      assert.equal(new Set(ofKind.map(({ id }) => id)).size, ofKind.length)
      for (const { id, label } of ofKind) assert.ok(id && label)
    }
    const script = "require('offhook').listDevices().then((devices) => console.log(JSON.stringify(devices)))"
    const output = execFileSync(process.execPath, ['--eval', script], { cwd: root, encoding: 'utf8' })
    assert.deepEqual(JSON.parse(output), devices)
  })

  test('is what a call uses by default: its microphone is heard, its speaker plays', async (t) => {
    const { session, ear, warnings } = await call(t)
    const loudspeaker = card.listen()
    await Promise.all([hears(ear, 600, 20_000), hears(loudspeaker, 1000, 20_000)])
    assert.deepEqual(warnings, [])
    await session.end()
  })

  test('is found by the ids of the list', async (t) => {
    const devices = await listDevices()
    const idOf = (kind) => devices.find((device) => device.kind === kind && device.id.includes('pulse')).id
    const audio = { input: { device: idOf('audioinput') }, output: { device: idOf('audiooutput') } }
    const { ear, warnings } = await call(t, { audio })
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    assert.deepEqual(warnings, [])
  })

  test('that is not there is refused by name; the call goes on as it was, and another device can be taken', async (t) => {
    const { alice, session, ear } = await call(t, { audio: 'none' })
    const refused = { code: 'ERR_NO_DEVICE', message: /there is no such device: no-such-device; listDevices\(\)/ }
    for (const method of ['setInput', 'setOutput']) {
      await assert.rejects(session[method]({ device: 'no-such-device' }), refused)
      await assert.rejects(session[method]('no-such-device'), refused)
    }
    for (const name of ['input', 'output', 'ring']) await assert.rejects(alice.setAudioDevice({ [name]: 'no-such-device' }), refused)
    assert.equal(session.state, 'active')
    await session.setInput('default')
    await assert.rejects(session.setInput('no-such-device'), refused)
    await hears(ear, 600, 20_000)
    await alice.setAudioDevice({ output: 'default' })
    await hears(card.listen(), 1000, 20_000)
  })

  test('that a call begins without is a warning, which is cleared when another is chosen', async (t) => {
    const { session, ear, warnings } = await call(t, { audio: { input: { device: 'no-such-device' }, output: 'none' } })
    if (warnings.length === 0) await ofDevice(session, 'warning')
    assert.equal(warnings[0].code, 'no-device')
    assert.match(warnings[0].message, /no-such-device/)
    const cleared = ofDevice(session, 'warningCleared')
    await session.setInput('default')
    assert.equal((await cleared)[0].code, 'no-device')
    await hears(ear, 600, 20_000)
  })

  test('changes in a call without a gap, to and fro', async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { session, ear, warnings } = await call(t)
    const loudspeaker = card.listen()
    const headset = card.listen('headset')
    await Promise.all([hears(ear, 600, 20_000), hears(loudspeaker, 1000, 20_000)])
    const gaps = []
    // A busy machine makes gaps, but not each time; the best of three is our own.
    for (let round = 0; round < 3 && !(Math.min(...gaps) < 50); round++) {
      let gap = 0
      for (const [device, frequency, place] of [
        ['alsa:headset', 1700, headset],
        ['default', 600, loudspeaker],
      ]) {
        drain(ear)
        const silence = longestSilence(ear, 2)
        await Promise.all([session.setInput(device), session.setOutput(device)])
        gap = Math.max(gap, await silence)
        drain(place)
        await Promise.all([hears(ear, frequency, 20_000), hears(place, 1000, 20_000)])
      }
      gaps.push(gap)
    }
    assert.ok(Math.min(...gaps) < 100, `${gaps} ms without sound`)
    assert.deepEqual(warnings, [])
  })

  test("is followed when the system's default is another one, which is told", async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { alice, session, ear } = await call(t)
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    const told = next(alice, 'devicesChanged', 20_000)
    card.setDefault('source', 'headset-microphone')
    card.setDefault('sink', 'headset')
    t.after(() => {
      card.setDefault('source', 'microphone')
      card.setDefault('sink', 'speaker')
    })
    await told
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('headset'), 1000, 20_000)])
    for (const { label } of (await listDevices()).filter((device) => device.default)) assert.match(label, /^Default - .*headset/i)
    await session.end()
  })

  test('is shared by two phones, which both hear its microphone and are heard from its speaker', async (t) => {
    const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol', 'dave'] })
    const devices = { audio: { input: 'default', output: 'default' } }
    const ears = []
    for (const [near, far, frequency] of [
      ['alice', 'bob', 1000],
      ['carol', 'dave', 2300],
    ]) {
      const caller = await open(near, devices)
      const callee = await open(far)
      const { ear, audio } = voice(frequency)
      callee.on('pendingSession', ({ id }) => callee.acceptPendingSession(id, audio))
      await (await caller.call(far)).answered
      ears.push(ear)
    }
    await Promise.all(ears.map((ear) => hears(ear, 600, 20_000)))
    await hearsAll(card.listen(), [1000, 2300], [440])
  })

  test('is told of by getStats(), with what was left out', async (t) => {
    const { session, ear } = await call(t)
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    const report = await session.getStats()
    const playout = report.get('media-playout')
    assert.equal(report.get('inbound-rtp').playoutId, playout.id)
    for (const { synthesizedSamplesDuration, synthesizedSamplesEvents, droppedSamplesDuration, droppedSamplesEvents, xruns } of [
      playout,
      report.get('media-source'),
    ]) {
      for (const count of [synthesizedSamplesEvents, droppedSamplesEvents, xruns]) assert.ok(Number.isInteger(count))
      for (const seconds of [synthesizedSamplesDuration, droppedSamplesDuration]) assert.ok(seconds >= 0 && seconds < 1, `${seconds} s`)
    }
    assert.ok(playout.totalSamplesCount > 4800)
    assert.equal(playout.totalSamplesDuration, playout.totalSamplesCount / 48_000)
    assert.ok(report.get('media-source').totalSamplesCaptured > 4800)
    await session.setOutput('none')
    assert.equal((await session.getStats()).get('media-playout'), undefined)
  })

  test('that is unplugged between two calls is replaced in the second one', async (t) => {
    card.plugHeadset()
    const { session, ear } = await call(t, { audio: chosen })
    await hears(ear, 1700, 20_000)
    await session.end()
    card.unplugHeadset()
    const again = await call(t, { audio: chosen })
    await Promise.all([hears(again.ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    for (const { chosen, inUse } of again.warnings) assert.deepEqual([chosen, inUse], ['alsa:headset', 'Default Audio Device'])
    const cleared = ofDevice(again.session, 'warningCleared')
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    await Promise.all([cleared, hears(again.ear, 1700, 20_000)])
  })

  test('rings in place of one that was never there', async (t) => {
    const { open } = await pbxOf(t)
    const ring = { audio: { input: 'none', output: 'none', ring: 'alsa:no-such-bell' }, tones: 'gb' }
    const [alice, bob] = [await open('alice'), await open('bob', ring)]
    const loudspeaker = card.listen()
    const call = await alice.call('bob')
    await hearsAll(loudspeaker, [1000])
    await call.end()
    const logged = bob.log.find((line) => line.includes('A call waits'))
    assert.match(logged, /Default Audio Device is used until alsa:no-such-bell is back/)
  })


  // PulseAudio moves the streams of a device that is gone to the default by itself, and says nothing.
  test('that vanishes in a call is replaced by the default until it is back', async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { session, ear, warnings } = await call(t, { audio: chosen })
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('headset'), 1000, 20_000)])
    assert.deepEqual(warnings, [])
    card.unplugHeadset()
    while (warnings.length < 2) await ofDevice(session, 'warning')
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    assert.deepEqual(warnings.map(({ message }) => message.split(' ')[0]).sort(), ['Input', 'Output'], JSON.stringify(warnings))
    for (const { code, chosen, inUse } of warnings) {
      assert.deepEqual({ code, chosen, inUse }, { code: 'no-device', chosen: 'alsa:headset', inUse: 'Default Audio Device' })
    }
    const cleared = ofDevice(session, 'warningCleared')
    card.plugHeadset()
    assert.equal((await cleared)[0].code, 'no-device')
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('headset'), 1000, 20_000)])
    assert.equal(warnings.length, 2, JSON.stringify(warnings))
  })

  test('that vanishes in a call is waited for with fallback none', async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { session, ear, warnings } = await call(t, { audio: { ...chosen, output: 'none', fallback: 'none' } })
    await hears(ear, 1700, 20_000)
    const warned = ofDevice(session, 'warning')
    card.unplugHeadset()
    await warned
    assert.ok(warnings.every(({ chosen }) => chosen === undefined), JSON.stringify(warnings))
    await quiet(ear, 20_000)
    const cleared = ofDevice(session, 'warningCleared')
    card.plugHeadset()
    await Promise.all([cleared, hears(ear, 1700, 20_000)])
  })

  test('that is chosen in a call and vanishes, and another one chosen meanwhile', async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { session, warnings } = await call(t, { audio: { input: 'none', output: 'default' } })
    await session.setOutput('alsa:headset')
    await hears(card.listen('headset'), 1000, 20_000)
    const warned = ofDevice(session, 'warning')
    card.unplugHeadset()
    assert.equal((await warned)[0].chosen, 'alsa:headset')
    await assert.rejects(session.setOutput('alsa:headset'), { code: 'ERR_NO_DEVICE' })
    const cleared = ofDevice(session, 'warningCleared')
    await session.setOutput('default')
    await Promise.all([cleared, hears(card.listen(), 1000, 20_000)])
    assert.ok(warnings.every(({ code }) => code === 'no-device'), JSON.stringify(warnings))
  })

  test('that vanishes in a conference is replaced as in a call', async (t) => {
    card.plugHeadset()
    t.after(() => card.unplugHeadset())
    const { alice, session, ear } = await call(t, { audio: 'none' })
    const conference = await alice.conference([session], chosen)
    const warnings = []
    conference.on('warning', (warning) => warning.code === 'no-device' && warnings.push(warning))
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('headset'), 1000, 20_000)])
    card.unplugHeadset()
    while (warnings.length < 2) await ofDevice(conference, 'warning')
    for (const { chosen, inUse } of warnings) assert.deepEqual([chosen, inUse], ['alsa:headset', 'Default Audio Device'])
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    const cleared = ofDevice(conference, 'warningCleared')
    card.plugHeadset()
    assert.deepEqual(await cleared, [{ code: 'no-device' }])
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('headset'), 1000, 20_000)])
    await conference.end()
  })
})
