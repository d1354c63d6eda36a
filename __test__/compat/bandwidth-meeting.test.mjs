// The meeting sample with pictures: browsers with JsSIP, a page whose phone is in Node, and a telephone in one room.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { VideoSink, VideoSource } from 'offhook'
import { BandwidthRtc, Rooms } from 'offhook/compat/bandwidth'
import { connectVideoSink, connectVideoSource } from 'offhook/renderer/host'
import { pageFiles } from '../../examples/bandwidth/files.mjs'
import { startMeetingServer } from '../../examples/bandwidth/server.mjs'
import { sees, startCamera, startScreen, until } from '../interop/page-video.mjs'
import { startPages } from '../interop/pages.mjs'
import { peers } from '../interop/peers.mjs'
import { pbxOf, voice } from '../pbx.mjs'

/** Runs in a page of the sample: what each of its videos shows, by the name below it; undefined is no counter. */
function countersNow() {
  const videos = [...document.querySelectorAll('#videos figure')].map((figure) => [figure.textContent, figure.querySelector('video')])
  return Object.fromEntries(videos.map(([name, video]) => [name, video.videoWidth > 0 ? window.readCounter(video) ?? 'no counter' : 'nothing']))
}

describe('a meeting with pictures', { skip: peers('chromium'), timeout: 170_000 }, () => {
  let pages
  before(async () => (pages = await startPages()))
  after(() => pages.stop())

  test('two browsers, a page whose phone is in Node and a telephone see and hear what they should', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['rooms', 'guest', 'telephone'] })
    const phone = await open('rooms', { notifies: ['conference'], codecs: ['PCMU'] })
    const rooms = new Rooms(phone, { address: `sip:rooms@${pbx.domain}`, account: pbx.account('guest') })
    const server = await startMeetingServer({ phone, rooms, files: await pageFiles(), port: 0 })
    t.after(() => (server.close(), rooms.close()))
    const post = async (path, body) => (await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) })).json()

    const browse = async (name) => {
      const page = await pages.blank(t)
      await page.goto(`${server.url}/?room=lobby`)
      await page.waitForFunction(() => document.getElementById('mirror').videoWidth > 0)
      await page.fill('[name=name]', name)
      await page.click('#join button')
      return page
    }
    const shows = (page) => page.evaluate(countersNow)
    /** Waits until a page shows exactly these, each with pictures that change. */
    const showsAll = async (page, names) => {
      const wanted = JSON.stringify([...names].sort())
      await until(async () => JSON.stringify(Object.keys(await shows(page)).sort()) === wanted, `${wanted} are shown`)
      const first = await until(async () => {
        const now = await shows(page)
        return Object.values(now).every((count) => typeof count === 'number') && now
      }, 'each shows a counter')
      await until(async () => Object.entries(await shows(page)).every(([name, count]) => typeof count === 'number' && count !== first[name]), 'each moves')
    }

    const [ann, bob] = [await browse('Ann'), await browse('Bob')]
    await showsAll(ann, ['Bob'])
    await showsAll(bob, ['Ann'])

    await bob.click('#share')
    await until(async () => 'a screen' in (await shows(ann)), 'the screen is shown')
    await until(async () => (await shows(ann))['a screen'] !== 'nothing', 'it has pictures')
    await bob.click('#share')
    await showsAll(ann, ['Bob'])

    await bob.click('#hide')
    await until(async () => (await shows(ann)).Bob === 'no counter', 'the camera is dark')
    assert.equal(await bob.evaluate(() => window.readCounter(document.getElementById('mirror'))), undefined)
    // Another camera that is picked meanwhile is as hidden.
    const camera = await bob.evaluate(() => document.getElementById('mirror').srcObject.id)
    await bob.evaluate(() => document.getElementById('camera').dispatchEvent(new Event('change')))
    await until(() => bob.evaluate((before) => (document.getElementById('mirror').srcObject?.id ?? before) !== before, camera), 'the mirror has it')
    assert.equal(await bob.evaluate(() => document.getElementById('mirror').srcObject.getVideoTracks()[0].enabled), false)
    await bob.click('#hide')
    await showsAll(ann, ['Bob'])

    // The desk: a page with camera and canvas, whose phone is here.
    const desk = await pages.page(t)
    const { token } = await post('/joinCall', { name: 'Desk', room: 'lobby' })
    const rtc = new BandwidthRtc('silent')
    t.after(() => rtc.disconnect())
    rtc.setCameras({
      list: () => [{ deviceId: 'fake', label: 'The camera of the page' }],
      async open({ width }) {
        const source = new VideoSource()
        await desk.evaluate(startCamera, { video: { width } })
        connectVideoSource(await pages.port('/camera'), source)
        return source
      },
      close: (source) => source.close(),
    })
    await rtc.connect({ deviceToken: token }, { audio: 'none', codecs: ['PCMU'] })
    const { audio } = voice(600)
    const { mediaTypes } = await rtc.publish({ audio: audio.mediaStream, video: { width: 640 } })
    assert.deepEqual(mediaTypes, ['AUDIO', 'VIDEO'])
    const seen = []
    rtc.onStreamAvailable((stream) => seen.push(stream))
    await until(() => seen.length === 2, 'the desk is told of both')
    await desk.evaluate(startScreen)
    const sink = new VideoSink()
    t.after(() => sink.destroy())
    connectVideoSink(await pages.port('/screen'), sink)
    await rtc.watch(seen.find(({ alias }) => alias === 'Ann'), sink)
    await sees(desk, 20)

    // What is on hold stands still, and is not watched anew.
    await until(async () => (await shows(ann)).Desk >= 0, 'the desk is seen')
    await ann.evaluate(() => [...document.querySelectorAll('#videos figure')].find((figure) => figure.textContent === 'Desk').setAttribute('marked', ''))
    const [call] = rtc.phone.sessions
    await call.hold()
    await call.resume()

    const telephone = await open('telephone', { codecs: ['PCMU'] })
    const line = voice(2000)
    telephone.on('pendingSession', ({ id }) => telephone.acceptPendingSession(id, line.audio))
    const isListed = () => ann.evaluate(() => document.querySelectorAll('#others li').length === 3)
    // A machine that is too busy for another call refuses it, and takes it later.
    for (let tries = 0; tries < 8 && !(await isListed()); tries += 1) {
      await post('/startPSTNCall', { name: 'telephone', room: 'lobby', number: 'telephone' })
      await until(isListed, 'all three are listed', 5000).catch(() => {})
    }
    assert.ok(await isListed(), 'all three are listed')
    assert.equal(await ann.evaluate(() => document.querySelector('[marked]')?.textContent), 'Desk')
    await showsAll(ann, ['Bob', 'Desk'])
    await showsAll(bob, ['Ann', 'Desk'])
    if (process.env.OFFHOOK_SCREENSHOT) writeFileSync(process.env.OFFHOOK_SCREENSHOT, await ann.screenshot())

    await bob.close()
    await post('/endSession', { room: 'lobby' })
    await until(() => ann.evaluate(() => document.getElementById('state').textContent === 'It is over'), 'it is over')
    assert.deepEqual([ann.complaints, desk.complaints], [[], []])
  })
})
