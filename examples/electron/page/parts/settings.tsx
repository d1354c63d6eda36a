import type { AudioDevice } from 'offhook'
import type { Devices, Role } from '../devices'
import { Dialog } from './dialog'
import { Icon } from './icon'

const roles: { role: Role; label: string; kind: AudioDevice['kind'] }[] = [
  { role: 'input', label: 'Microphone', kind: 'audioinput' },
  { role: 'output', label: 'Speaker', kind: 'audiooutput' },
  { role: 'ring', label: 'Rings at', kind: 'audiooutput' },
]

interface Props {
  devices: Devices
  chooseHeadset: (() => void) | undefined
  close: () => void
}

export function SettingsDialog({ devices, chooseHeadset, close }: Props) {
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
          value={devices.volume}
          onChange={({ target }) => devices.setVolume(target.valueAsNumber)}
        />
      </label>
      {chooseHeadset && (
        <button type="button" onClick={chooseHeadset}>
          <Icon name="headset" /> Connect a headset
        </button>
      )}
    </Dialog>
  )
}

/** Whether what was chosen is not there: the phone takes the default until it is back. */
function isMissing({ list, chosen }: Devices, role: Role): boolean {
  return chosen[role] !== 'default' && list.every(({ id }) => id !== chosen[role])
}
