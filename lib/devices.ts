import { native } from './native'

/** A microphone or a speaker. */
export interface AudioDevice {
  /** Names the device; the same after a restart. */
  id: string
  /** The name that the system shows. */
  label: string
  /** W3C's kind. */
  kind: 'audioinput' | 'audiooutput'
  /** Whether it is the system's default of its kind. */
  default: boolean
}

/** Lists the microphones and speakers that are there now; empty where the system has no sound. */
export async function listDevices(): Promise<AudioDevice[]> {
  return JSON.parse(await native().listDevices()) as AudioDevice[]
}
