import { useState } from 'react'
import type { AudioDevice } from 'offhook'
import type { BridgePhone } from 'offhook/bridge/client'
import { connectHeadset, headsetFilters, type HidDevice } from 'offhook/bridge/headset'
import type { Devices, Role } from '../devices'
import { useNotices } from '../hooks'
import { Dialog } from './dialog'
import { Icon } from './icon'

const roles: { role: Role; label: string; kind: AudioDevice['kind'] }[] = [
  { role: 'input', label: 'Microphone', kind: 'audioinput' },
  { role: 'output', label: 'Speaker', kind: 'audiooutput' },
  { role: 'ring', label: 'Rings at', kind: 'audiooutput' },
]

export function SettingsDialog({ phone, devices, close }: { phone: BridgePhone; devices: Devices; close: () => void }) {
  const { run } = useNotices()
  const [volume, setVolume] = useState(100)
  return (
    <Dialog title="Sound and devices" close={close}>
      {roles.map(({ role, label, kind }) => (
        <label key={role}>
          {label}
          <select name={role} value={devices.chosen[role]} onChange={({ target }) => devices.choose(role, target.value)}>
            <option value="default">As the system says</option>
            {devices.list
              .filter((device) => device.kind === kind)
              .map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            {isMissing(devices, role) && <option value={devices.chosen[role]}>Not connected now</option>}
          </select>
        </label>
      ))}
      <label>
        Loudness
        <input
          name="volume"
          type="range"
          min={0}
          max={100}
          value={volume}
          onChange={({ target }) => {
            setVolume(target.valueAsNumber)
            void run(() => phone.setVolume(target.valueAsNumber))
          }}
        />
      </label>
      {'hid' in navigator && <Headset phone={phone} />}
    </Dialog>
  )
}

/** Whether what was chosen is not there: the phone takes the default until it is back. */
function isMissing({ list, chosen }: Devices, role: Role): boolean {
  return chosen[role] !== 'default' && list.every(({ id }) => id !== chosen[role])
}

/** The buttons and lights of a headset, by one click; what was allowed once is there again without one. */
function Headset({ phone }: { phone: BridgePhone }) {
  const { run, say } = useNotices()
  const choose = () =>
    run(async () => {
      const { hid } = navigator as Navigator & { hid: { requestDevice(options: object): Promise<(HidDevice & { productName: string })[]> } }
      const [device] = await hid.requestDevice({ filters: headsetFilters })
      if (!device) return
      await connectHeadset(device, phone)
      say(`The buttons of ${device.productName} are those of this phone now.`)
    })
  return (
    <button type="button" onClick={choose}>
      <Icon name="headset" /> Connect a headset
    </button>
  )
}
