// The example of Electron: how its windows and processes begin, end, crash and come back, and what they may do.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { virtualCardMissing } from '../devices/virtual-card.mjs'
import { desktops, LONGEST, soon, until } from '../electron/desktop.mjs'
import { app, BrowserWindow, invoke, ipcMain, powerMonitor, session, shoot, stage } from '../electron/stage.mjs'
import { peers } from './peers.mjs'

/** A phone that has no connection, and does not try to have one. */
async function offline(view) {
  await view.evaluate(() => globalThis.electron.asPage({ kind: 'call', number: 1e6, to: { of: 'phone' }, method: 'disconnect', args: [] }))
  await view.getByText('Not connected', { exact: true }).waitFor()
}

/** Runs in the page, before its own scripts: a headset with a hook and a light, which the page has already or is let choose. */
function plugHeadset({ isKnown = true } = {}) {
  const item = (usage) => ({ usages: [usage], reportSize: 1, reportCount: 1 })
  const collections = [{ usagePage: 0x0b, inputReports: [{ reportId: 1, items: [item(0x0b0020)] }], outputReports: [{ reportId: 1, items: [item(0x080017)] }] }]
  const hid = new EventTarget()
  const device = Object.assign(new EventTarget(), { opened: true, productName: 'Test headset', collections, sendReport: async (_, data) => void (globalThis.headset.lit = data[0] === 1) })
  const say = (name) => hid.dispatchEvent(Object.assign(new Event(name), { device }))
  globalThis.headset = { lit: false, unplug: () => say('disconnect'), plug: () => say('connect') }
  const requestDevice = async ({ filters }) => (filters.some(({ usagePage }) => usagePage === 0x0b) ? [device] : [])
  Object.defineProperty(navigator, 'hid', { value: Object.assign(hid, { getDevices: async () => (isKnown ? [device] : []), requestDevice }) })
}

describe('a window and the processes of the example of Electron', { skip: peers('chromium') || virtualCardMissing() }, () => {
  const { desktop, example } = desktops()

  test('in a narrow window nothing is out of reach', async (t) => {
    const { view, signIn, region, sees, talks, dial, ring, press } = await desktop(t, { others: ['bob', 'carol'], viewport: { width: 400, height: 720 } })
    await signIn()
    await dial('bob')
    await talks('bob')
    await ring('carol')
    await shoot(view(), 'narrow')
    const overflows = await view().evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    assert.equal(overflows, false)
    await press('Hang up')
  })

  test('hangs up when it is quit in mid call, after it has said goodbye', async (t) => {
    const { bob, signIn, region, sees, talks, dial } = await desktop(t)
    await signIn()
    await dial('bob')
    await talks('bob')
    const ended = soon(bob, 'sessionEnded')
    app.quit()
    const [, reason] = await ended
    assert.deepEqual([reason.condition, reason.side], ['success', 'remote'])
    await stage.quit
  })

  test('a window that crashes takes no call with it', async (t) => {
    const { bob, view, views, signIn, region, sees, talks, dial } = await desktop(t)
    await signIn()
    await dial('bob')
    await talks('bob')
    await view().goto('chrome://crash').catch(() => {})
    await until(() => views.length === 2)
    await talks('bob')
    assert.equal(bob.sessions[0].state, 'active')
  })

  test('a phone process that dies is started again, and hangs up what it left', async (t) => {
    const { bob, signIn, region, sees, talks, dial, gone } = await desktop(t)
    await signIn()
    await dial('bob')
    const call = region('Call with bob')
    await talks('bob')
    const ended = soon(bob, 'sessionEnded')
    stage.processes[0].kill()
    await gone(call)
    await sees('Ready')
    await ended
    assert.equal(stage.processes.length, 2)
    await dial('bob')
    await talks('bob')
  })

  test('somebody who signs in again after a phone process died in a call is not locked out', async (t) => {
    const { bob, type, signIn, sees, dial, talks, view, button } = await desktop(t)
    await signIn()
    await dial('bob')
    await talks('bob')
    const ended = soon(bob, 'sessionEnded')
    stage.processes[0].kill()
    // Whether the phone is away, coming back or back already, one of these leads out.
    const ways = [button('Sign out'), button('Use another account')]
    const address = view().getByText('Your address').first()
    const end = Date.now() + LONGEST
    while (!(await address.isVisible())) {
      assert.ok(Date.now() < end, 'nothing leads out')
      for (const way of ways) if (await way.isVisible()) await way.click({ timeout: 1000 }).catch(() => {})
    }
    await type()
    await sees('Ready')
    await ended
  })

  test('gives its page what it needs, and no other page anything', async (t) => {
    await desktop(t)
    const [{ webContents, options }] = BrowserWindow.getAllWindows()
    const { contextIsolation, sandbox, nodeIntegration = false } = options.webPreferences
    assert.deepEqual([contextIsolation, sandbox, nodeIntegration], [true, true, false])
    const foreign = { getURL: () => 'https://example.com/index.html' }
    const { request, check, device } = stage.granted
    const asked = (who, permission) => new Promise((resolve) => request(who, permission, resolve))
    assert.deepEqual(await Promise.all([asked(webContents, 'media'), asked(webContents, 'geolocation'), asked(foreign, 'media')]), [true, false, false])
    assert.deepEqual([check(webContents, 'hid'), check(foreign, 'hid'), check(null, 'hid')], [true, false, false])
    const of = (usagePage) => ({ deviceType: 'hid', device: { collections: [{ usagePage }] } })
    assert.deepEqual([device(of(0x0b)), device(of(0x01))], [true, false])
    let prevented = false
    webContents.emit('will-navigate', { preventDefault: () => (prevented = true) })
    assert.ok(prevented)
    assert.deepEqual(webContents.openHandler({ url: 'file:///etc/passwd' }), { action: 'deny' })
    const said = []
    const page = Object.assign(new EventEmitter(), { mainFrame: {}, getURL: foreign.getURL, send: (...args) => said.push(args), postMessage: (...args) => said.push(args) })
    ipcMain.emit('ready', { sender: page, senderFrame: page.mainFrame })
    assert.deepEqual(said, [])
    assert.match((await invoke('sign-in', page, {})).error.message, /Only the page of this application/)
    stage.screens = [{ id: 'screen:1', name: 'A screen' }]
    assert.deepEqual(await new Promise((resolve) => stage.granted.display({}, resolve)), { video: stage.screens[0] })
    const headset = (deviceList) => new Promise((resolve) => session.defaultSession.emit('select-hid-device', { preventDefault() {} }, { deviceList }, resolve))
    const [first, second] = [{ deviceId: '1', name: 'First' }, { deviceId: '2', name: 'Second' }]
    assert.deepEqual([await headset([]), await headset([first])], ['', '1'])
    stage.response = 1
    assert.equal(await headset([first, second]), '2')
    assert.deepEqual(stage.buttons.at(-1), ['First', 'Second', 'Cancel'])
    stage.response = 2
    assert.equal(await headset([first, second]), '')
  })

  test('tries again at once if somebody asks for it', async (t) => {
    const { pbx, view, signIn, press, sees, gone, button } = await desktop(t)
    await signIn()
    await offline(view())
    const registered = once(pbx, 'registered')
    await press('Try now')
    await registered
    await sees('Ready')
    await gone(button('Try now'))
  })

  test('says that a headset was unplugged in mid call, and the call goes on', async (t) => {
    const { bob, view, signIn, sees, talks, dial } = await desktop(t)
    await view().addInitScript(plugHeadset)
    await view().reload()
    await signIn()
    await sees('The buttons of Test headset are those of this phone now.')
    await dial('bob')
    await talks('bob')
    await view().waitForFunction(() => globalThis.headset.lit)
    await view().evaluate(() => globalThis.headset.unplug())
    await sees('Test headset is unplugged. Calls go on.')
    await talks('bob')
    assert.equal(bob.sessions[0].state, 'active')
  })

  test('takes a headset that is chosen, and again when it is plugged in again', async (t) => {
    const { bob, view, signIn, press, sees, talks, dial } = await desktop(t)
    await view().addInitScript(plugHeadset, { isKnown: false })
    await view().reload()
    await signIn()
    const taken = 'The buttons of Test headset are those of this phone now.'
    for (let times = 0; times < 2; times += 1) {
      await press('Sound and devices')
      await press('Connect a headset')
      await sees(taken)
      await press('Close')
    }
    await dial('bob')
    await talks('bob')
    await view().waitForFunction(() => globalThis.headset.lit)
    await view().evaluate(() => globalThis.headset.unplug())
    await sees('Test headset is unplugged. Calls go on.')
    await view().evaluate(() => ((globalThis.headset.lit = false), globalThis.headset.plug()))
    await view().waitForFunction(() => globalThis.headset.lit)
    assert.equal(bob.sessions[0].state, 'active')
  })

  test('says why its phone refuses a page of another version', async (t) => {
    const { view, type, sees } = await desktop(t)
    await view().addInitScript(() => {
      const { postMessage } = MessagePort.prototype
      MessagePort.prototype.postMessage = function (message) {
        postMessage.call(this, message?.kind === 'hello' ? { ...message, version: 7 } : message)
      }
    })
    await view().reload()
    await type()
    await sees(/version 7 of the bridge, and the phone 1: load the same version of offhook in both/)
    await shoot(view(), 'refused')
  })

  test('lets somebody out who waits for a server that is not there', async (t) => {
    const { pbx, view, type, sees, press } = await desktop(t)
    await pbx.close()
    await type()
    await sees('It is tried again by itself.')
    await shoot(view(), 'tried-again')
    await press('Use another account')
    await sees('Your address')
  })

  test('does not try again if the addon can’t be loaded', async (t) => {
    process.env.OFFHOOK_NATIVE_PATH = '/nonexistent/offhook.node'
    t.after(() => delete process.env.OFFHOOK_NATIVE_PATH)
    const { type, sees } = await desktop(t)
    await type()
    await sees('A part of this program can’t be loaded. Install it again.')
    await sees('Your address')
  })

  test('is seen while somebody works on its page', async (t) => {
    const view = await example().served(t)
    await view.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: LONGEST })
  })

  test('knows the account when it is started again, and is there after sleep', async (t) => {
    const { bob, data, signIn, sees, pbx } = await desktop(t)
    await signIn()
    assert.doesNotMatch(readFileSync(`${data}/account`, 'latin1'), /alice-password/)
    app.quit()
    await stage.quit
    const { view } = await example().start(t, { data })
    await view().getByText('Ready').waitFor()
    await offline(view())
    const registered = once(pbx, 'registered')
    powerMonitor.emit('resume')
    await registered
    await view().getByText('Ready').waitFor()
    assert.equal(BrowserWindow.getAllWindows().length, 1)
    const calling = await bob.call('alice')
    await sees('bob', view().getByRole('alert'))
    await calling.end()
  })
})
