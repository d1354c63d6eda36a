import type { BridgeConference, BridgePhone, BridgeSession } from './client'
import { fieldsOf, reportsWith, usagesIn, type Field, type HidDevice } from './hid'

export type { HidCollection, HidDevice, HidItem, HidReport } from './hid'

/** A headset whose buttons and lights are a phone's. */
export interface HeadsetConnection {
  /** Whether it has a button that takes and ends calls, one that mutes, and so on. */
  readonly has: Readonly<Record<'hook' | 'mute' | 'flash' | 'reject' | 'ring' | 'lights', boolean>>
  /** Ends it and puts the lights out; the device stays open. */
  close(): void
  /** Settles with why it is over. */
  readonly closed: Promise<{ reason: 'closed' | 'unplugged' | 'phone' }>
}

/** For `navigator.hid.requestDevice({ filters: headsetFilters })`: devices of the telephony page. */
export const headsetFilters: { usagePage: number }[] = [{ usagePage: 0x0b }]

// HID Usage Tables, section 11 (LED page) and section 14 (telephony device page), the page in the upper 16 bits.
const HOOK = 0x0b0020
const FLASH = 0x0b0021
const PHONE_MUTE = 0x0b002f
const RINGER = 0x0b009e
const LIGHT_MUTE = 0x080009
const LIGHT_OFF_HOOK = 0x080017
const LIGHT_RING = 0x080018
const LIGHT_HOLD = 0x080020
const LIGHT_MICROPHONE = 0x080021
/** A switch that chatters places no more commands than these at once. */
const MOST_COMMANDS = 8
/** The button 7 of the button page: headsets of several makers refuse a call by it. */
const REJECT = 0x090007

/**
 * Makes the buttons of a headset those of a phone, and shows the phone's state by its lights and its ringer. The device is one of
 * WebHID; it is opened if it is not open.
 *
 * The hook takes the call that has rung longest, and ends the one that is talked in or dialled, or else the one on hold. Mute mutes
 * that one. Flash takes a call that waits, else holds the one there is, or takes it off hold. Reject refuses what rings. Calls in a
 * conference are one: whoever sits here is muted in it, all of it is held, and the hook ends it.
 *
 * Connect it in one window alone: in two of them each button is pressed twice.
 *
 * @throws `TypeError` for a device without a hook switch; what WebHID throws if it can't be opened.
 */
export async function connectHeadset(device: HidDevice, phone: BridgePhone): Promise<HeadsetConnection> {
  const inputs = fieldsOf(device.collections, 'inputReports')
  if (!inputs.some(({ usages }) => usages.includes(HOOK))) {
    throw new TypeError(`${device.productName || 'This device'} has no hook switch: choose one of the telephony page, by headsetFilters`)
  }
  if (!device.opened) await device.open()
  return new Headset(device, phone, inputs)
}

class Headset implements HeadsetConnection {
  readonly has: HeadsetConnection['has']
  readonly closed: HeadsetConnection['closed']
  readonly #device: HidDevice
  readonly #phone: BridgePhone
  readonly #inputs: readonly Field[]
  readonly #outputs: readonly Field[]
  /** What is on in each of its reports. */
  readonly #pressed = new Map<number, Set<number>>()
  readonly #shown = new Map<number, string>()
  readonly #stops: (() => void)[] = []
  /** Whether the headset was told, or has told, that it is off the hook. */
  #offHook = false
  /** Commands of its buttons that have not settled. */
  #busy = 0
  #open = true
  #settle: (end: { reason: 'closed' | 'unplugged' | 'phone' }) => void = () => {}

  constructor(device: HidDevice, phone: BridgePhone, inputs: readonly Field[]) {
    this.#device = device
    this.#phone = phone
    this.#inputs = inputs
    this.#outputs = fieldsOf(device.collections, 'outputReports')
    this.closed = new Promise((resolve) => (this.#settle = resolve))
    const button = (usage: number) => inputs.some(({ usages }) => usages.includes(usage))
    const light = (usage: number) => this.#outputs.some(({ usages }) => usages.includes(usage))
    this.has = {
      hook: button(HOOK),
      mute: button(PHONE_MUTE),
      flash: button(FLASH),
      reject: button(REJECT),
      ring: light(LIGHT_RING) || light(RINGER),
      lights: light(LIGHT_OFF_HOOK),
    }
    this.#listen()
  }

  close(): void {
    this.#send(new Set())
    this.#end('closed')
  }

  #listen(): void {
    const heard = ({ reportId, data }: { reportId: number; data: DataView }) => this.#read(reportId, data)
    this.#device.addEventListener('inputreport', heard)
    this.#stops.push(() => this.#device.removeEventListener('inputreport', heard))
    this.#stops.push(this.#phone.subscribe(() => this.#show()))
    void this.#phone.closed.then(() => {
      this.#send(new Set())
      this.#end('phone')
    })
    const { hid } = (globalThis as { navigator?: { hid?: EventTarget } }).navigator ?? {}
    const gone = (event: Event) => (event as Event & { device?: unknown }).device === this.#device && this.#end('unplugged')
    hid?.addEventListener('disconnect', gone)
    this.#stops.push(() => hid?.removeEventListener('disconnect', gone))
  }

  #end(reason: 'closed' | 'unplugged' | 'phone'): void {
    if (!this.#open) return
    this.#open = false
    for (const stop of this.#stops) stop()
    this.#settle({ reason })
  }

  #read(reportId: number, data: DataView): void {
    const before = this.#pressed.get(reportId) ?? new Set()
    const now = usagesIn(this.#inputs, reportId, data)
    this.#pressed.set(reportId, now)
    const pressed = (usage: number) => now.has(usage) && !before.has(usage)
    const hook = this.#field(reportId, HOOK)
    if (hook && now.has(HOOK) !== before.has(HOOK)) this.#hook(hook, now.has(HOOK))
    this.#mute(reportId, before.has(PHONE_MUTE), now.has(PHONE_MUTE))
    if (pressed(FLASH)) this.#flash()
    if (pressed(REJECT)) this.#reject()
  }

  #field(reportId: number, usage: number): Field | undefined {
    return this.#inputs.find((field) => field.reportId === reportId && field.usages.includes(usage))
  }

  /** A switch tells where it is now, a button that it was pressed. */
  #hook({ isAbsolute }: Field, isOn: boolean): void {
    const offHook = isAbsolute ? isOn : isOn ? !this.#offHook : this.#offHook
    // Most switches say also that they were told to move.
    if (offHook === this.#offHook) return
    this.#offHook = offHook
    if (offHook) this.#pickUp()
    else this.#hangUp()
  }

  #pickUp(): void {
    const [ringing] = this.#phone.state.pendingSessions
    const talk = this.#talk()
    if (ringing && !talk) this.#do(() => this.#phone.answer(ringing.id))
    // There is nothing to take: it is told that it lies.
    else if (!talk) this.#showAnew()
  }

  #hangUp(): void {
    const talk = this.#talk()
    if (talk) this.#do(() => talk.end())
  }

  /** A switch that stays where it is put says what holds, a button that it was pressed. */
  #mute(reportId: number, before: boolean, now: boolean): void {
    const talk = this.#talk()
    if (!talk || now === before) return
    const { isAbsolute, returns } = this.#field(reportId, PHONE_MUTE) ?? {}
    if (isAbsolute && returns === false) this.#do(() => (now ? talk.mute() : talk.unmute()))
    else if (now) this.#do(() => (talk.muted ? talk.unmute() : talk.mute()))
  }

  #flash(): void {
    const [ringing] = this.#phone.state.pendingSessions
    const talk = this.#talk()
    if (ringing) this.#do(() => this.#phone.answer(ringing.id))
    else if (talk && stands(talk)) this.#do(() => (talk.held ? talk.resume() : talk.hold()))
  }

  #reject(): void {
    const [ringing] = this.#phone.state.pendingSessions
    if (ringing) this.#do(() => this.#phone.rejectPendingSession(ringing.id))
  }

  /** What is talked in, else a call that is dialled, else what is on hold; calls in a conference are one. */
  #talk(): Talk | undefined {
    const { conferences, sessions } = this.#phone
    const rooms = conferences.filter(({ members }) => members.length > 0)
    const calls = sessions.filter(({ state, conference }) => state !== 'ended' && !rooms.some(({ id }) => id === conference))
    const talks: Talk[] = [...rooms, ...calls]
    return talks.find((one) => stands(one) && !one.held) ?? talks.find((one) => !stands(one)) ?? talks[0]
  }

  /** The hook's light stays as the button has put it until that is done; if it fails, all lights say what holds. */
  #do(command: () => Promise<unknown> | undefined): void {
    if (this.#busy >= MOST_COMMANDS) return
    this.#busy += 1
    Promise.resolve(command()).catch(() => this.#shown.clear()).finally(() => {
      this.#busy -= 1
      this.#show()
    })
  }

  #showAnew(): void {
    this.#shown.clear()
    this.#show()
  }

  #show(): void {
    const talk = this.#talk()
    const rings = this.#phone.state.pendingSessions.length > 0
    const on = new Set<number>()
    if (this.#busy === 0) this.#offHook = talk !== undefined
    if (this.#offHook) on.add(LIGHT_OFF_HOOK)
    if (talk && !talk.muted) on.add(LIGHT_MICROPHONE)
    if (talk?.muted) on.add(LIGHT_MUTE)
    if (talk?.held) on.add(LIGHT_HOLD)
    if (rings) on.add(LIGHT_RING).add(RINGER)
    this.#send(on)
  }

  /** Sends the reports that are not what the headset has already. */
  #send(on: ReadonlySet<number>): void {
    if (!this.#open) return
    for (const [reportId, data] of reportsWith(this.#outputs, on)) {
      if (this.#shown.get(reportId) === String(data)) continue
      this.#shown.set(reportId, String(data))
      this.#device.sendReport(reportId, data).catch(() => this.#end('unplugged'))
    }
  }
}

type Talk = BridgeSession | BridgeConference

/** Whether it is answered: a conference is there as long as somebody takes part. */
function stands(talk: Talk): boolean {
  return 'members' in talk || talk.active
}
