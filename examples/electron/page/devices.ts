import { useEffect, useState } from 'react'
import type { AudioDevice } from 'offhook'
import type { BridgePhone } from 'offhook/bridge/client'
import { useNotices } from './hooks'

export type Role = 'input' | 'output' | 'ring'

export interface Devices {
  list: readonly AudioDevice[]
  chosen: Readonly<Record<Role, string>>
  choose(role: Role, id: string): void
  /** How loud calls are, in percent. */
  volume: number
  setVolume(volume: number): void
}

const byDefault = { input: 'default', output: 'default', ring: 'default' }

/** The devices that are there, and those that were chosen on this machine. */
export function useDevices(phone: BridgePhone): Devices {
  const { run } = useNotices()
  const [list, setList] = useState<AudioDevice[]>([])
  const [chosen, setChosen] = useState<Record<Role, string>>(() => ({ ...byDefault, ...JSON.parse(localStorage.getItem('devices') ?? '{}') }))
  const [volume, setPercent] = useState(() => Number(localStorage.getItem('volume') ?? 100))
  useEffect(() => localStorage.setItem('devices', JSON.stringify(chosen)), [chosen])
  useEffect(() => {
    const look = () => void phone.listDevices().then(setList, () => {})
    look()
    phone.on('devicesChanged', look)
    return () => void phone.off('devicesChanged', look)
  }, [phone])
  useEffect(() => {
    // One that is not there now is no error: the phone takes the default and says so in the call.
    for (const [role, id] of Object.entries(chosen)) {
      if (id !== 'default') phone.setAudioDevice({ [role]: { device: id } }).catch(() => {})
    }
    if (volume !== 100) phone.setVolume(volume).catch(() => {})
    // Only for a phone that begins; `choose` tells it of each later one.
  }, [phone])
  const choose = (role: Role, id: string) =>
    void run(async () => {
      await phone.setAudioDevice({ [role]: id === 'default' ? id : { device: id } })
      setChosen((before) => ({ ...before, [role]: id }))
    })
  const setVolume = (percent: number) => {
    setPercent(percent)
    localStorage.setItem('volume', String(percent))
    void run(() => phone.setVolume(percent))
  }
  return { list, chosen, choose, volume, setVolume }
}
