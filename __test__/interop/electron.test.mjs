// The example of Electron: its main process, its phone process, its preload script and its page, as they are, driven by their buttons.
// What stands in for Electron itself is in __test__/electron.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { VideoSink } from 'offhook'
import { virtualCardMissing } from '../devices/virtual-card.mjs'
import { desktops, soon, until } from '../electron/desktop.mjs'
import { shoot, stage } from '../electron/stage.mjs'
import { shown } from '../pictures.mjs'
import { readCounter } from './counter.mjs'
import { peers } from './peers.mjs'

/** Waits until a page shows several pictures of the other side's clip. */
async function moves(view, name = 'bob') {
  await view.evaluate(`globalThis.readCounter = ${readCounter}; globalThis.counters = new Set()`)
  await view.waitForFunction((label) => {
    const canvas = document.querySelector(`canvas[aria-label="${label}"]`)
    const count = canvas && canvas.width > 0 ? globalThis.readCounter(canvas) : undefined
    if (count !== undefined) globalThis.counters.add(count)
    return globalThis.counters.size > 3
  }, `Camera of ${name}`)
}

/** Waits for a picture of the desktop's camera at the other side. */
async function showsTo(t, session) {
  const sink = new VideoSink()
  t.after(() => sink.destroy())
  await session.setVideoOutput((await shown(session)).id, sink)
  const [{ key }] = await once(sink, 'data')
  assert.equal(key, true)
}

/** Runs in the page: a screen that Chromium would ask somebody for. */
function drawScreen() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
  const context = canvas.getContext('2d')
  let count = 0
  setInterval(() => {
    context.fillStyle = `hsl(${(count += 5)} 60% 50%)`
    context.fillRect(0, 0, 640, 360)
  }, 100)
  navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(10)
}

describe('the example of Electron', { skip: peers('chromium') || virtualCardMissing() }, () => {
  const { desktop, clip } = desktops()

  test('says why nobody can sign in, and signs in', async (t) => {
    const { view, type, sees, press } = await desktop(t)
    await sees('Your address')
    await shoot(view(), 'sign-in')
    await type({ password: 'wrong' })
    await sees('does not take this user and password')
    await shoot(view(), 'sign-in-refused')
    await type()
    await sees('Ready')
    await sees('No call now')
    await shoot(view(), 'ready')
    await press('Sign out')
    await sees('Your address')
  })

  test('dials, talks, mutes, holds, sends digits and hangs up, and opens the report', async (t) => {
    const { bob, view, signIn, press, region, sees, talks, gone, dial, button } = await desktop(t)
    await signIn()
    bob.answers = false
    const [[pending]] = await Promise.all([soon(bob, 'pendingSession'), dial('bob')])
    await sees('Calling …')
    await shoot(view(), 'dialling')
    bob.answers = true
    bob.acceptPendingSession(pending.id, { mediaStream: { tone: 600 } })
    const call = region('Call with bob')
    await talks('bob')
    await sees(/^MOS \d/, call)
    const [theirs] = bob.sessions
    await view().waitForFunction(() => [...document.querySelectorAll('meter')].length === 2 && [...document.querySelectorAll('meter')].every(({ value }) => value > 30))
    await shoot(view(), 'talking')
    await press('Mute', call)
    await sees('Muted', call)
    await press('Mute', call)
    await gone(call.getByText('Muted'))
    await view().keyboard.press('Alt+m')
    await sees('Muted', call)
    const held = soon(theirs, 'hold')
    await press('Hold', call)
    await held
    await sees(/On hold/, call)
    await shoot(view(), 'held')
    const resumed = soon(theirs, 'resume')
    await press('Hold', call)
    await resumed
    const digits = []
    theirs.on('dtmf', ({ tone }) => digits.push(tone))
    await press('Keypad', call)
    for (const name of ['1', 'star', 'pound']) await press(name, call)
    await view().keyboard.press('7')
    await until(() => digits.join('') === '1*#7')
    await shoot(view(), 'keypad')
    await press('Hang up', call)
    await gone(call)
    await sees('Last calls')
    await press('Report of the call with bob')
    await until(() => stage.opened.length === 1)
    assert.match(readFileSync(stage.opened[0], 'utf8'), /<html/)
    // What was called before is called again by its name.
    await press(/^bob/, region('Last calls'))
    await talks('bob')
    await button('Hang up').click()
  })

  test('dials by its digits and by the keyboard alone', async (t) => {
    const { view, signIn, press, sees, talks } = await desktop(t, { others: ['12'] })
    await signIn()
    await press('1')
    await view().keyboard.type('2')
    await view().keyboard.press('Enter')
    await talks('12')
    for (let steps = 0; steps < 40 && (await view().evaluate(() => document.activeElement?.textContent)) !== 'Hang up'; steps += 1) await view().keyboard.press('Tab')
    await view().keyboard.press('Enter')
    await sees('No call now')
  })

  test('answers, declines, and tells the system of who calls', async (t) => {
    const { bob, view, signIn, press, region, sees, talks, gone, ring } = await desktop(t)
    await signIn()
    await view().evaluate(() => {
      globalThis.notified = []
      document.hasFocus = () => false
      globalThis.Notification = class {
        static permission = 'granted'
        constructor(title) {
          globalThis.notified.push(title)
          globalThis.clickNotification = () => this.onclick()
        }
        close() {
          globalThis.notified.push('closed')
        }
      }
    })
    const first = await ring('bob')
    await shoot(view(), 'incoming')
    assert.equal(stage.flashes, 1)
    await press('Answer')
    await first.answered
    await talks('bob')
    assert.deepEqual(await view().evaluate('notified'), ['bob is calling', 'closed'])
    await view().evaluate('clickNotification()')
    await until(() => stage.forwards === 1)
    assert.equal(stage.blockers.size, 1)
    await first.end()
    await gone(region('Call with bob'))
    assert.equal(stage.blockers.size, 0)
    const second = await ring('bob')
    await press('Decline')
    await assert.rejects(second.answered, { code: 'ERR_CALL_BUSY' })
    await sees('Declined,')
    const third = await ring('bob')
    await view().keyboard.press('Alt+a')
    await third.answered
    await bob.sessions[0].end()
    const fourth = await ring('bob')
    await view().keyboard.press('Alt+d')
    await assert.rejects(fourth.answered, { code: 'ERR_CALL_BUSY' })
  })

  test('takes a call that waits, swaps, merges into a conference, and splits it', async (t) => {
    const { bob, carol, view, signIn, button, press, region, sees, talks, gone, dial, ring } = await desktop(t, { others: ['bob', 'carol', 'dave'] })
    await signIn()
    await dial('bob')
    await talks('bob')
    const carols = await ring('carol')
    await sees('answering holds the other call')
    await shoot(view(), 'call-waiting')
    await press('Answer')
    await carols.answered
    await talks('carol')
    await sees('On hold', region('Other calls'))
    await until(() => bob.sessions[0].remoteHeld)
    await shoot(view(), 'two-calls')
    await press('Swap')
    await region('Call with bob').waitFor()
    await until(() => carol.sessions[0].remoteHeld && !bob.sessions[0].remoteHeld)
    await press('Merge calls')
    const room = region('Conference')
    await sees('You and 2 others', room)
    await until(() => !carol.sessions[0].remoteHeld)
    await shoot(view(), 'conference')
    const bobs = room.getByRole('listitem').filter({ hasText: 'bob' })
    await press('Silence', bobs)
    await button('Let speak', bobs).waitFor()
    await view().reload()
    await press('Let speak', bobs)
    await button('Silence', bobs).waitFor()
    await press('Mute', room)
    await room.getByRole('button', { name: 'Mute', pressed: true }).click()
    await press('Hold', room)
    await sees('On hold', room)
    await press('Hold', room)
    await sees('You and 2 others', room)
    await press('Take out', bobs)
    await press('Join the others')
    await sees('You and 2 others', room)
    await press('Split')
    await gone(room)
    await until(() => bob.sessions[0].remoteHeld && carol.sessions[0].remoteHeld)
    await press('Merge calls')
    await room.waitFor()
    await dial('dave')
    await talks('dave')
    const waiting = region('Other calls')
    await press('Hold', region('Call with dave'))
    await press('Resume', waiting)
    await talks('dave')
    await press('Hold', region('Call with dave'))
    await press('Add to conference', waiting)
    await sees('You and 3 others', room)
    await press('End all')
    await sees('No call now')
  })

  test('hangs up on a call that waits, and goes on with the other', async (t) => {
    const { bob, carol, signIn, press, sees, gone, talks, dial, button } = await desktop(t, { others: ['bob', 'carol'] })
    await signIn()
    for (const name of ['bob', 'carol']) {
      await dial(name)
      await talks(name)
    }
    const ended = soon(bob, 'sessionEnded')
    await press('Hang up on bob')
    await ended
    await gone(button('Hang up on bob'))
    await talks('carol')
    assert.equal(carol.sessions[0].state, 'active')
    await press('Hang up')
    await sees('No call now')
  })

  test('passes a call on at once, after a question, and to one that waits', async (t) => {
    const { bob, carol, view, signIn, press, region, sees, talks, gone, dial, ring } = await desktop(t, { others: ['bob', 'carol'] })
    for (const phone of [bob, carol]) phone.on('sessionStarted', (session) => session.on('transferRequested', () => void session.acceptTransfer({ mediaStream: 'none' }).catch(() => {})))
    await signIn()
    await dial('bob')
    await talks('bob')
    await press('Transfer')
    await shoot(view(), 'transfer')
    await view().fill('[name=transfer]', 'carol')
    await press('Transfer now')
    await sees('No call now')
    await until(() => bob.sessions.length === 1 && bob.sessions[0].address === 'carol')
    await bob.sessions[0].end()

    await dial('bob')
    await talks('bob')
    await press('Transfer')
    await view().fill('[name=transfer]', 'carol')
    await press('Ask first')
    await sees('bob waits. Connect bob with carol?')
    await talks('carol')
    await shoot(view(), 'consultation')
    await press('Back to bob')
    await talks('bob')
    await press('Transfer')
    await view().fill('[name=transfer]', 'carol')
    await press('Ask first')
    await talks('carol')
    await press('Connect them')
    await sees('No call now')
    await until(() => bob.sessions.length === 1 && bob.sessions[0].address === 'carol')
    await bob.sessions[0].end()

    await dial('bob')
    await talks('bob')
    const carols = await ring('carol')
    await press('Answer')
    await carols.answered
    await press('Transfer')
    await press('Connect with bob, who waits')
    await gone(region('Call with carol'))
    await sees('No call now')
  })

  test('asks before it follows a transfer of the other side', async (t) => {
    const { bob, signIn, button, press, gone, sees, talks, dial, view } = await desktop(t, { others: ['bob', 'carol'] })
    await signIn()
    await dial('bob')
    await talks('bob')
    const refused = assert.rejects(bob.sessions[0].transfer('carol'), { code: 'ERR_TRANSFER_FAILED' })
    await sees('wants to connect you')
    await view().reload()
    await press('Stay in this call')
    await refused
    await gone(button('Stay in this call'))
    const followed = bob.sessions[0].transfer('carol')
    await sees('wants to connect you')
    await shoot(view(), 'transfer-request')
    await press('Call them')
    await followed
    await talks('carol')
  })

  test('chooses devices, and sets how loud it is', async (t) => {
    const { view, signIn, press, sees } = await desktop(t, { colorScheme: 'dark' })
    await signIn()
    await press('Sound and devices')
    await view().waitForFunction(() => document.querySelector('[name=input]').options.length > 1)
    await shoot(view(), 'devices-dark')
    for (const name of ['input', 'output', 'ring']) {
      const value = await view().locator(`[name=${name}] option`).nth(1).getAttribute('value')
      await view().selectOption(`[name=${name}]`, value)
      await view().waitForFunction(([name, value]) => JSON.parse(localStorage.getItem('devices'))?.[name] === value, [name, value])
    }
    await view().locator('[name=volume]').fill('40')
    await view().waitForFunction(() => localStorage.getItem('volume') === '40')
    await view().keyboard.press('Escape')
    await view().reload()
    await sees('Ready')
    await press('Sound and devices')
    assert.notEqual(await view().inputValue('[name=input]'), 'default')
    assert.equal(await view().inputValue('[name=volume]'), '40')
    await press('Close')
    assert.equal(await view().getByRole('dialog').count(), 0)
  })

  test('says in plain words what goes wrong', async (t) => {
    const { pbx, bob, view, signIn, press, region, sees, talks, dial } = await desktop(t, { colorScheme: 'dark', pbxOptions: { mediaRelay: true, seed: 7 } })
    await signIn()
    await dial('nobody')
    await sees('nobody is not known there')
    await press('Close this message')
    bob.answers = false
    await dial('bob')
    await until(() => bob.pendingSessions.length === 1)
    await bob.rejectPendingSession(bob.pendingSessions[0].id)
    await sees('bob is busy')
    bob.answers = true
    await dial('bob')
    await talks('bob')
    await pbx.addMediaFault({ loss: 0.3 })
    await view().getByRole('list', { name: 'What is odd about this call' }).waitFor()
    await sees(/Poor|Bad/, region('Call with bob'))
    await shoot(view(), 'warning-dark')
    await pbx.clearFaults()
    await pbx.close()
    await sees(/Not connected/)
    await shoot(view(), 'disconnected-dark')
    await press('Try now')
  })

  test('shows in a conference what each of the others shows', async (t) => {
    const { view, phones, signIn, press, region, sees, talks, dial } = await desktop(t, { others: ['bob', 'carol'] })
    const picture = (card, name) => card.getByRole('img', { name: `Camera of ${name}` })
    for (const phone of Object.values(phones)) {
      phone.answers = false
      phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id, { mediaStream: { tone: 600 }, video: { y4m: clip(), loop: true } }))
    }
    await signIn()
    for (const name of ['bob', 'carol']) {
      await dial(name)
      const call = region(`Call with ${name}`)
      await talks(name)
      await press('Camera', call)
      await picture(call, name).waitFor()
    }
    await press('Merge calls')
    const room = region('Conference')
    await sees('You and 2 others', room)
    for (const name of ['bob', 'carol']) await moves(view(), name)
    assert.equal(await room.getByLabel('Your camera').count(), 1)
    await shoot(view(), 'conference-video')
    await press('End all')
    await sees('No call now')
  })

  test('shows cameras and a screen both ways', async (t) => {
    const { bob, view, signIn, press, region, sees, talks, dial, button } = await desktop(t)
    bob.answers = false
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, { mediaStream: { tone: 600 }, video: { y4m: clip(), loop: true }, screen: 'none' }))
    await signIn()
    await dial('bob')
    const call = region('Call with bob')
    await talks('bob')
    await press('Camera', call)
    await moves(view())
    await showsTo(t, bob.sessions[0])
    await view().getByLabel('Your camera').waitFor()
    await shoot(view(), 'video')
    await view().evaluate(drawScreen)
    await press('Screen', call)
    await shown(bob.sessions[0], 'screen')
    await shoot(view(), 'video-and-screen')
    await button('Screen', call).and(view().locator('[aria-pressed=true]')).click()
    await until(() => bob.sessions[0].streams.every(({ content }) => content !== 'screen'))
    await button('Camera', call).and(view().locator('[aria-pressed=true]')).click()
    await until(() => bob.sessions[0].streams.length === 0)
    await moves(view())
    await press('Hang up', call)

    const calling = await bob.call('alice', { mediaStream: { tone: 600 }, video: { y4m: clip(), loop: true } })
    await sees(/is calling with video/)
    await press('With camera')
    await calling.answered
    await moves(view())
    await showsTo(t, calling)
    await view().reload()
    // The picture of the other side is there again; the camera went with the page.
    await moves(view())
    await calling.end()
  })
})
