import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BandwidthRtc, Rooms } from 'offhook/compat/bandwidth'
import { answer } from '../../examples/bandwidth/answer.mjs'
import { pageFiles } from '../../examples/bandwidth/files.mjs'
import { startMeetingServer } from '../../examples/bandwidth/server.mjs'
import { launchChromium } from '../interop/chromium.mjs'
import { peers } from '../interop/peers.mjs'
import { pbxOf, voice } from '../pbx.mjs'
import { hearsAll } from '../sound.mjs'

const tones = { ann: 600, bob: 1000, browser: 1400, telephone: 2000 }

/** Runs in the page: its microphone is a tone, and its ear tells how loud each frequency is that the page plays. */
function instruments(frequency) {
  const context = new AudioContext({ sampleRate: 48000 })
  navigator.mediaDevices.getUserMedia = async () => {
    await context.resume()
    const destination = context.createMediaStreamDestination()
    const oscillator = new OscillatorNode(context, { frequency })
    oscillator.connect(new GainNode(context, { gain: 0.3 })).connect(destination)
    oscillator.start()
    return destination.stream
  }
  let ear
  globalThis.levelsOf = async (frequencies) => {
    const { srcObject } = document.getElementById('sound')
    if (!srcObject) return frequencies.map(() => -200)
    if (!ear) {
      ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 })
      context.createMediaStreamSource(srcObject).connect(ear)
    }
    const bins = new Float32Array(ear.frequencyBinCount)
    ear.getFloatFrequencyData(bins)
    return frequencies.map((hertz) => Math.max(...bins.slice(...[-2, 3].map((off) => Math.round(hertz / (48000 / 8192)) + off))))
  }
}

describe("Bandwidth's sample", { skip: peers('chromium'), timeout: 120_000 }, () => {
  test('two offhook phones, a browser with JsSIP and a dialled telephone meet in a room', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['rooms', 'guest', 'telephone'] })
    const phone = await open('rooms', { notifies: ['conference'], codecs: ['PCMU'] })
    const rooms = new Rooms(phone, { address: `sip:rooms@${pbx.domain}`, account: pbx.account('guest') })
    const server = await startMeetingServer({ phone, rooms, files: await pageFiles(), port: 0 })
    t.after(() => (server.close(), rooms.close()))
    const post = async (path, body) => {
      const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) })
      const answer = await response.json()
      assert.equal(response.status, 200, answer.error)
      return answer
    }

    const join = async (name) => {
      const { id, token } = await post('/joinCall', { name, room: 'lobby' })
      const rtc = new BandwidthRtc('silent')
      t.after(() => rtc.disconnect())
      const others = new Map()
      rtc.onStreamAvailable(({ endpointId, alias }) => others.set(endpointId, alias))
      rtc.onStreamUnavailable((endpointId) => others.delete(endpointId))
      const { ear, audio } = voice(tones[name])
      await rtc.connect({ deviceToken: token }, { audio: 'none', output: ear })
      await rtc.publish(audio.mediaStream)
      return { id, rtc, ear, others, sees: () => [...others.values()].sort().join(' ') }
    }

    const browser = await launchChromium()
    t.after(() => browser.close())
    const page = await browser.newPage()
    const complaints = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.addInitScript(instruments, tones.browser)
    await page.goto(server.url)
    const shows = () => page.evaluate(() => [...document.querySelectorAll('#others li')].map((li) => li.textContent).sort().join(' '))
    const says = () => page.evaluate(() => document.getElementById('state').textContent)
    await page.fill('[name=name]', 'browser')
    await page.click('#join button')
    await until(says, 'Ringing')

    const ann = await join('ann')
    const bob = await join('bob')
    await until(says, 'Talking')
    const telephone = await open('telephone')
    const line = voice(tones.telephone)
    telephone.on('pendingSession', ({ id }) => telephone.acceptPendingSession(id, line.audio))
    const dialled = await post('/startPSTNCall', { name: 'telephone', room: 'lobby', number: 'telephone' })

    await until(ann.sees, 'bob browser telephone')
    await until(bob.sees, 'ann browser telephone')
    await until(shows, 'ann bob telephone')
    // Nobody hears himself.
    for (const [name, ear] of Object.entries({ ann: ann.ear, bob: bob.ear, telephone: line.ear })) {
      const { [name]: own, ...others } = tones
      await hearsAll(ear, Object.values(others), [own])
    }
    await until(async () => {
      const levels = await page.evaluate((hertz) => globalThis.levelsOf(hertz), [tones.ann, tones.bob, tones.telephone])
      return levels.every((level) => level > -60)
    }, true)
    assert.deepEqual(await post('/idLookup', { id: ann.id }), { name: 'ann' })

    await post('/endPSTNCall', { id: dialled.id })
    await until(ann.sees, 'bob browser')
    await until(shows, 'ann bob')
    await until(() => telephone.sessions.length, 0)

    await post('/endSession', { room: 'lobby' })
    await until(ann.sees, '')
    await until(says, 'It is over')
    await until(() => phone.sessions.length, 0)
    assert.deepEqual(complaints, [])
  })

  test('the page takes the room from its address, lists the devices, and starts muted', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['rooms', 'guest'] })
    const phone = await open('rooms', { notifies: ['conference'], codecs: ['PCMU'] })
    const rooms = new Rooms(phone, { address: `sip:rooms@${pbx.domain}`, account: pbx.account('guest') })
    const server = await startMeetingServer({ phone, rooms, files: await pageFiles(), port: 0 })
    t.after(() => (server.close(), rooms.close()))
    const browser = await launchChromium()
    t.after(() => browser.close())
    const page = await browser.newPage()
    const complaints = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.addInitScript(instruments, tones.browser)
    await page.goto(`${server.url}/?room=test%20room&muted`)
    assert.equal(await page.inputValue('[name=room]'), 'test room')
    assert.equal(await page.isChecked('#muted'), true)
    const optionsOf = (id) => page.evaluate((id) => [...document.getElementById(id).options].map(({ text, value }) => [text, value]), id)
    await until(async () => (await optionsOf('microphone')).length > 1, true)
    const [[system], [, fake]] = await optionsOf('microphone')
    assert.equal(system, 'Microphone of the system')
    await page.evaluate(() => {
      const capture = navigator.mediaDevices.getUserMedia
      navigator.mediaDevices.getUserMedia = (constraints) => ((globalThis.asked = constraints), capture(constraints))
    })
    await page.selectOption('#microphone', fake)
    await page.click('#join button')
    await until(() => page.evaluate(() => document.getElementById('state').textContent), 'Ringing')
    assert.deepEqual(await page.evaluate(() => globalThis.asked.audio), { deviceId: { exact: fake } })
    const { token } = await (await fetch(`${server.url}/joinCall`, { method: 'POST', body: JSON.stringify({ name: 'ann', room: 'test room' }) })).json()
    const rtc = new BandwidthRtc('silent')
    t.after(() => rtc.disconnect())
    const { ear, audio } = voice(tones.ann)
    await rtc.connect({ deviceToken: token }, { audio: 'none', output: ear })
    await rtc.publish(audio.mediaStream)
    const levels = (hertz) => page.evaluate((hertz) => globalThis.levelsOf(hertz), hertz)
    await until(async () => (await levels([tones.ann]))[0] > -60, true)
    await hearsAll(ear, [], [tones.browser])
    assert.equal(await page.textContent('#mute'), 'Unmute')
    await page.click('#mute')
    await hearsAll(ear, [tones.browser], [])
    assert.equal(await page.textContent('#mute'), 'Mute')
    assert.deepEqual(complaints, [])
  })

  test('a request for no file at all is answered', async (t) => {
    const server = createServer((request, response) => answer(request, response, { routes: {}, files: {} }))
    t.after(() => server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const [response] = await once(get({ host: '127.0.0.1', port: server.address().port, path: '//', agent: false }), 'response')
    response.resume()
    assert.equal(response.statusCode, 404)
  })

  test('it runs by itself', async (t) => {
    const main = fileURLToPath(new URL('../../examples/bandwidth/main.mjs', import.meta.url))
    const example = spawn(process.execPath, [main], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => example.kill('SIGKILL'))
    const [line] = await once(example.stdout, 'data')
    const url = String(line).trim()
    const post = async (path, body) => (await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })).json()
    assert.match(await (await fetch(url)).text(), /Join your meeting/)
    const { token } = await post('/joinCall', { name: 'ann', room: 'lobby' })
    const rtc = new BandwidthRtc('silent')
    t.after(() => rtc.disconnect())
    const { ear, audio } = voice(600)
    await rtc.connect({ deviceToken: token }, { audio: 'none', output: ear })
    await rtc.publish(audio.mediaStream)
    await post('/startPSTNCall', { name: 'telephone', room: 'lobby', number: '+1234567890' })
    await hearsAll(ear, [440], [600])
    assert.match((await post('/idLookup', { id: 'nobody' })).error, /no participant/)
    const exit = once(example, 'exit')
    example.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  })
})

async function until(what, wanted, deadline = 20_000) {
  const end = Date.now() + deadline
  for (;;) {
    const is = await what()
    if (is === wanted) return
    assert.ok(Date.now() < end, `${wanted} was expected, not ${is}`)
    await new Promise((passed) => setTimeout(passed, 25))
  }
}
