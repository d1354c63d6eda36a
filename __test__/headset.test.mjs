// The buttons and lights of headsets, as WebHID shows them to a page: devices that are laid out in the ways of several makers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { connectHeadset, headsetFilters } from 'offhook/bridge/headset'
import { connect as call, eventually } from './phones.mjs'
import { pbxOf } from './pbx.mjs'

const HOOK = 0x0b0020
const FLASH = 0x0b0021
const MUTE = 0x0b002f
const RINGER = 0x0b009e
const REJECT = 0x090007
const lights = { mute: 0x080009, offHook: 0x080017, ring: 0x080018, hold: 0x080020, microphone: 0x080021 }

const bit = (usage, rest = {}) => ({ usages: [usage], reportSize: 1, reportCount: 1, ...rest })
const padding = (reportCount) => ({ usages: [], reportSize: 1, reportCount })
const switches = Object.values(lights)

/** Where each maker has what; the first two as their documents say, the others are made up to be odd. */
const layouts = {
  'one report for all, with padding': {
    inputReports: [{ reportId: 2, items: [bit(HOOK), bit(0x0b0097), padding(1), bit(MUTE, { isAbsolute: false }), bit(FLASH, { isAbsolute: false }), padding(2), bit(REJECT, { isAbsolute: false }), padding(8)] }],
    outputReports: [{ reportId: 2, items: [{ usages: switches, reportSize: 1, reportCount: 5 }, padding(1), bit(RINGER), padding(9)] }],
  },
  'the bits that Gigaset documents': {
    inputReports: [{ reportId: 2, items: [bit(HOOK), bit(0x0b0097), bit(0x0b002a), bit(MUTE), bit(FLASH), bit(0x0b0024), bit(0x0b0050), bit(REJECT), padding(8)] }],
    outputReports: [{ reportId: 2, items: [...[lights.offHook, lights.mute, lights.ring, lights.hold, lights.microphone, 0x08002a, RINGER].map((usage) => bit(usage)), padding(9)] }],
  },
  'a page of its maker beside that of telephony, under the same report': {
    collections: [
      { usagePage: 0xffa0, usage: 3, inputReports: [{ reportId: 4, items: [{ usages: [0xffa000b1, 0xffa000b5, 0xffa000b7], reportSize: 1, reportCount: 3 }, padding(5)] }], outputReports: [{ reportId: 9, items: [{ usages: [0xffa0008d, 0xffa0008f], reportSize: 1, reportCount: 2 }, padding(6)] }] },
      { usagePage: 0x0b, usage: 5, inputReports: [{ reportId: 8, items: [bit(HOOK), bit(FLASH), bit(MUTE, { isAbsolute: false }), bit(REJECT), padding(4)] }], outputReports: [{ reportId: 9, items: [padding(2), { usages: switches, reportSize: 1, reportCount: 5 }, padding(1)] }] },
    ],
  },
  'a report for each light': {
    inputReports: [{ reportId: 8, items: [bit(HOOK)] }, { reportId: 9, items: [bit(MUTE), bit(FLASH), bit(REJECT)] }],
    outputReports: switches.map((usage, index) => ({ reportId: 20 + index, items: [bit(usage), padding(7)] })),
  },
  'an array of buttons, and a hook that is one': {
    inputReports: [{ reportId: 0, items: [{ isArray: true, isAbsolute: false, usages: [HOOK, FLASH, MUTE, REJECT], logicalMinimum: 1, reportSize: 4, reportCount: 1 }, padding(4)] }],
    outputReports: [{ reportId: 0, items: [{ usages: switches, reportSize: 1, reportCount: 5 }, padding(3)] }],
  },
  'a range of usages, in a collection within': {
    children: [{
      inputReports: [{ reportId: 3, items: [padding(11), { isRange: true, usageMinimum: HOOK, usageMaximum: FLASH, reportSize: 1, reportCount: 2 }, bit(MUTE), bit(REJECT)] }],
      outputReports: [{ reportId: 4, items: [padding(9), { usages: switches, reportSize: 1, reportCount: 5 }] }],
    }],
  },
}

/** A device of that layout; `press` and `release` are its buttons, `on` its lights. */
class Device extends EventTarget {
  opened = false
  productName = 'Test headset'
  sent = []
  #values = new Map()
  #reports = new Map()

  constructor(layout) {
    super()
    this.collections = layout.collections ?? [{ usagePage: 0x0b, usage: 5, ...layout }]
  }

  async open() {
    this.opened = true
  }

  async sendReport(reportId, data) {
    if (this.unplugged) throw new DOMException('Failed to write the report.', 'NotAllowedError')
    this.sent.push([reportId, [...data]])
    this.#reports.set(reportId, data)
  }

  /** The lights that are on. */
  get on() {
    const names = Object.entries(lights).filter(([, usage]) => this.#find('outputReports', usage, (reportId, offset) => (this.#reports.get(reportId)?.[offset >> 3] >> (offset & 7)) & 1))
    return names.map(([name]) => name).join(' ')
  }

  press(usage) {
    this.#put(usage, 1)
  }

  release(usage) {
    this.#put(usage, 0)
  }

  click(usage) {
    this.press(usage)
    this.release(usage)
  }

  #put(usage, value) {
    this.#find('inputReports', usage, (reportId, offset, index) => {
      const bytes = this.#values.get(reportId) ?? new Uint8Array(4)
      this.#values.set(reportId, bytes)
      if (index === undefined) bytes[offset >> 3] = value ? bytes[offset >> 3] | (1 << (offset & 7)) : bytes[offset >> 3] & ~(1 << (offset & 7))
      else bytes[offset >> 3] = value ? index : 0
      this.dispatchEvent(Object.assign(new Event('inputreport'), { reportId, data: new DataView(bytes.slice().buffer) }))
      return true
    })
  }

  #find(direction, usage, found) {
    const collections = this.collections.flatMap((one) => [one, ...(one.children ?? [])])
    for (const { reportId, items } of collections.flatMap((one) => one[direction] ?? [])) {
      let offset = 0
      for (const { usages = [], isArray, isRange, usageMinimum, reportSize, reportCount } of items) {
        const at = isRange ? usage - usageMinimum : usages.indexOf(usage)
        if (at >= 0 && (isArray || at < reportCount)) return found(reportId, isArray ? offset : offset + at, isArray ? at + 1 : undefined)
        offset += reportSize * reportCount
      }
    }
    return undefined
  }
}

/** Alice's page with a headset, Bob, and Carol. */
async function desk(t, layout = layouts['one report for all, with padding']) {
  const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
  const [alice, bob, carol] = await Promise.all([open('alice', { audio: 'none' }), open('bob'), open('carol')])
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  serve(alice, port1)
  const phone = connect(port2)
  await phone.ready
  const device = new Device(layout)
  const headset = await connectHeadset(device, phone)
  return { alice, bob, carol, phone, device, headset }
}

/** Alice talks with Bob and Carol in a conference. */
async function conferring({ alice, bob, carol, phone }) {
  const calls = [await call(alice, bob, 'bob'), await call(alice, carol, 'carol')]
  await eventually(() => phone.sessions.length === 2)
  const room = await phone.conference(phone.sessions, { input: 'none', output: 'none' })
  await eventually(() => room.members.length === 2)
  return { room, theirs: calls.map(({ incoming }) => incoming) }
}

for (const [name, layout] of Object.entries(layouts)) {
  describe(`a headset with ${name}`, () => {
    const switches = name.includes('array') ? 'click' : undefined
    const lift = (device) => (switches ? device.click(HOOK) : device.press(HOOK))
    const lay = (device) => (switches ? device.click(HOOK) : device.release(HOOK))

    test('takes a call, mutes it, holds it and hangs up, and its lights say so', async (t) => {
      const { bob, phone, device } = await desk(t, layout)
      assert.equal(device.on, '')
      const outgoing = await bob.call('alice', { mediaStream: 'none' })
      await eventually(() => device.on === 'ring')
      lift(device)
      await outgoing.answered
      await eventually(() => device.on === 'offHook microphone')
      device.click(MUTE)
      await eventually(() => device.on === 'mute offHook')
      device.click(MUTE)
      await eventually(() => device.on === 'offHook microphone')
      device.click(FLASH)
      await eventually(() => device.on === 'offHook hold microphone' && outgoing.remoteHeld)
      device.click(FLASH)
      await eventually(() => device.on === 'offHook microphone')
      lay(device)
      await eventually(() => outgoing.state === 'ended' && device.on === '')
      assert.deepEqual(phone.state.sessions, [])
    })

    test('mutes, holds and ends a conference as one, and its lights say so', async (t) => {
      const { device, phone, ...people } = await desk(t, layout)
      const { room, theirs } = await conferring({ phone, ...people })
      await eventually(() => device.on === 'offHook microphone')
      // It says that it was told so.
      if (!switches) lift(device)
      device.click(MUTE)
      await eventually(() => room.muted && device.on === 'mute offHook')
      assert.deepEqual(phone.sessions.map(({ muted }) => muted), [false, false])
      await room.unmute()
      await eventually(() => device.on === 'offHook microphone')
      device.click(FLASH)
      await eventually(() => room.held && theirs.every(({ remoteHeld }) => remoteHeld) && device.on === 'offHook hold microphone')
      device.click(FLASH)
      await eventually(() => !room.held && device.on === 'offHook microphone')
      await room.mute()
      await eventually(() => device.on === 'mute offHook')
      lay(device)
      await eventually(() => theirs.every(({ state }) => state === 'ended') && device.on === '')
      assert.deepEqual(phone.state.conferences, [])
    })

    test('refuses a call', async (t) => {
      const { bob, device } = await desk(t, layout)
      const outgoing = await bob.call('alice', { mediaStream: 'none' })
      await eventually(() => device.on === 'ring')
      device.click(REJECT)
      await assert.rejects(outgoing.answered, { code: 'ERR_CALL_BUSY' })
      await eventually(() => device.on === '')
    })
  })
}

describe('a headset', () => {
  test('that echoes what it was told takes no other call by it', async (t) => {
    const { alice, bob, device, phone } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => device.on === 'offHook microphone')
    device.press(HOOK)
    await new Promise((passed) => setTimeout(passed, 50))
    assert.equal(phone.state.sessions.length, 1)
    await alice.sessions[0].end()
    await eventually(() => device.on === '')
    device.release(HOOK)
    await new Promise((passed) => setTimeout(passed, 50))
    assert.deepEqual(phone.state.sessions, [])
  })

  test('whose mute switch stays where it is put mutes by where it is', async (t) => {
    const layout = { inputReports: [{ reportId: 1, items: [bit(HOOK), bit(MUTE, { isAbsolute: true, hasPreferredState: false })] }], outputReports: [{ reportId: 1, items: [{ usages: switches, reportSize: 1, reportCount: 5 }] }] }
    const { alice, bob, device } = await desk(t, layout)
    await call(alice, bob, 'bob')
    const [session] = alice.sessions
    await eventually(() => device.on === 'offHook microphone')
    for (let moves = 0; moves < 2; moves += 1) {
      device.press(MUTE)
      await eventually(() => session.muted && device.on === 'mute offHook')
      device.release(MUTE)
      await eventually(() => !session.muted && device.on === 'offHook microphone')
    }
    // Muted by a click already: the switch says the same.
    await session.mute()
    await eventually(() => device.on === 'mute offHook')
    device.press(MUTE)
    device.release(MUTE)
    await eventually(() => !session.muted)
  })

  test('whose mute button goes back by itself mutes and unmutes by each press', async (t) => {
    const layout = { inputReports: [{ reportId: 1, items: [bit(HOOK), bit(MUTE, { isAbsolute: true, hasPreferredState: true })] }] }
    const { alice, bob, device } = await desk(t, layout)
    await call(alice, bob, 'bob')
    for (const muted of [true, false]) {
      device.click(MUTE)
      await eventually(() => alice.sessions[0].muted === muted)
    }
  })

  test('shows that somebody calls while one of its buttons waits', async (t) => {
    const { alice, bob, carol, device, phone } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => device.on === 'offHook microphone')
    device.press(HOOK)
    let done
    phone.sessions[0].end = () => new Promise((resolve) => (done = resolve))
    device.release(HOOK)
    const calling = await carol.call('alice', { mediaStream: 'none' })
    // The hook lies as it was put, though the call is not over yet.
    await eventually(() => device.on === 'ring microphone')
    await calling.end()
    await eventually(() => device.on === 'microphone')
    done()
    await eventually(() => device.on === 'offHook microphone')
  })

  test('that is lifted without a call is told that it lies', async (t) => {
    const { device } = await desk(t)
    const before = device.sent.length
    device.press(HOOK)
    await eventually(() => device.sent.length > before)
    assert.equal(device.on, '')
  })

  test('that is unplugged in a call leaves it as it is', async (t) => {
    const { alice, bob, device, headset } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => device.on !== '')
    device.unplugged = true
    await alice.sessions[0].mute()
    assert.deepEqual(await headset.closed, { reason: 'unplugged' })
    assert.equal(alice.sessions[0].state, 'active')
  })

  test('is dark when it is let go, or when the phone is', async (t) => {
    const { alice, bob, device, headset, phone } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => device.on === 'offHook microphone')
    headset.close()
    assert.deepEqual(await headset.closed, { reason: 'closed' })
    assert.equal(device.on, '')
    device.press(HOOK)
    const second = new Device(layouts['a report for each light'])
    const other = await connectHeadset(second, phone)
    await eventually(() => second.on === 'offHook microphone')
    phone.close()
    assert.deepEqual(await other.closed, { reason: 'phone' })
    assert.equal(second.on, '')
    assert.equal(alice.sessions[0].state, 'active')
  })

  test('that chatters places no more commands than a few at once', async (t) => {
    const { alice, bob, device, phone } = await desk(t)
    await call(alice, bob, 'bob')
    await eventually(() => device.on === 'offHook microphone')
    for (let index = 0; index < 500; index += 1) device.click(MUTE)
    await eventually(() => /^(mute )?offHook/.test(device.on))
    await phone.listDevices()
    assert.equal(alice.sessions[0].state, 'active')
  })

  test('says what it has', async (t) => {
    const { headset, device } = await desk(t)
    assert.deepEqual(headset.has, { hook: true, mute: true, flash: true, reject: true, ring: true, lights: true })
    assert.equal(device.opened, true)
    assert.deepEqual(headsetFilters, [{ usagePage: 11 }])
  })

  test('without a hook is refused, and a descriptor may be nonsense', async (t) => {
    const { phone } = await desk(t)
    await assert.rejects(connectHeadset(new Device({ inputReports: [{ items: [bit(MUTE)] }] }), phone), { name: 'TypeError', message: /Test headset has no hook switch/ })
    const odd = new Device({
      inputReports: [{ reportId: 1, items: [{ isRange: true, usageMinimum: 0, usageMaximum: 2 ** 32 - 1, reportSize: 2 ** 31, reportCount: 2 ** 31 }, bit(HOOK)] }],
      outputReports: [{}, { reportId: 5, items: [{}, { usages: [7] }] }, { reportId: 6, items: [{ reportSize: 2 ** 31, reportCount: 9 }, bit(lights.offHook)] }],
    })
    const headset = await connectHeadset(odd, phone)
    odd.dispatchEvent(Object.assign(new Event('inputreport'), { reportId: 1, data: new DataView(new ArrayBuffer(0)) }))
    odd.dispatchEvent(Object.assign(new Event('inputreport'), { reportId: 99, data: new DataView(new ArrayBuffer(3)) }))
    headset.close()
  })
})
