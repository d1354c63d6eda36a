import { useEffect } from 'react'
import type { BridgePhone } from 'offhook/bridge/client'
import { connectHeadset, headsetFilters, type HidDevice } from 'offhook/bridge/headset'
import { useNotices } from './hooks'

interface Hid {
  requestDevice(options: object): Promise<HidDevice[]>
  getDevices(): Promise<HidDevice[]>
}

const hid = (navigator as Navigator & { hid?: Hid }).hid

/** The headsets that are there, without a click; `choose` asks for another, and is undefined if this machine has none. */
export function useHeadsets(phone: BridgePhone): { choose?: () => void } {
  const { run, say } = useNotices()
  const use = async (device: HidDevice) => {
    const { closed } = await connectHeadset(device, phone)
    const name = device.productName ?? 'the headset'
    say(`The buttons of ${name} are those of this phone now.`)
    void closed.then(({ reason }) => reason === 'unplugged' && say(`${name} is unplugged. Calls go on.`))
  }
  useEffect(() => {
    // One that can't be used says so when it is chosen.
    void hid?.getDevices().then((devices) => devices.forEach((device) => use(device).catch(() => {})))
    // `say` stays the same, and a new phone is a new window to them.
  }, [phone])
  if (!hid) return {}
  const choose = async () => {
    const [device] = await hid.requestDevice({ filters: headsetFilters })
    if (device) await use(device)
  }
  return { choose: () => void run(choose) }
}
