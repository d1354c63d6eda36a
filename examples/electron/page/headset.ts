import { useEffect, useRef } from 'react'
import type { BridgePhone } from 'offhook/bridge/client'
import { connectHeadset, headsetFilters, type HidDevice } from 'offhook/bridge/headset'
import { useNotices } from './hooks'

interface Hid extends EventTarget {
  requestDevice(options: object): Promise<HidDevice[]>
  getDevices(): Promise<HidDevice[]>
}

const hid = (navigator as Navigator & { hid?: Hid }).hid

/** The headsets that are there or are plugged in, without a click; `choose` asks for another, and is undefined if this machine has none. */
export function useHeadsets(phone: BridgePhone): { choose?: () => void } {
  const { run, say } = useNotices()
  const used = useRef(new Set<HidDevice>())
  const use = async (device: HidDevice) => {
    const name = device.productName ?? 'the headset'
    if (!used.current.has(device)) {
      // Connected twice, each of its buttons would be pressed twice.
      used.current.add(device)
      const free = () => used.current.delete(device)
      const { closed } = await connectHeadset(device, phone).catch((error) => {
        free()
        throw error
      })
      void closed.then(({ reason }) => free() && reason === 'unplugged' && say(`${name} is unplugged. Calls go on.`))
    }
    say(`The buttons of ${name} are those of this phone now.`)
  }
  useEffect(() => {
    // One that can't be used says so when it is chosen.
    const found = (device: HidDevice) => void use(device).catch(() => {})
    const plugged = (event: Event) => found((event as Event & { device: HidDevice }).device)
    void hid?.getDevices().then((devices) => devices.forEach(found))
    hid?.addEventListener('connect', plugged)
    return () => hid?.removeEventListener('connect', plugged)
    // `say` stays the same, and a new phone is a new window to them.
  }, [phone])
  if (!hid) return {}
  const choose = async () => {
    const [device] = await hid.requestDevice({ filters: headsetFilters })
    if (device) await use(device)
  }
  return { choose: () => void run(choose) }
}
