import { statSync } from 'node:fs'
import { listDevices, type AudioDevice, type AudioInput, type AudioOutput } from '../index'
import type { OptionTable } from './arguments'
import type { Cli } from './cli'
import { checkFiles, isSoundFile } from './files'
import { didYouMean } from './nearest'
import { UsageError } from './usage-error'

/** The options that say what is heard, and where. */
export const soundOptions: OptionTable = {
  input: { short: 'i', value: 'CHOICE', help: 'What the other side hears: default, none, tone:440, a .wav file, or a device by its name' },
  output: { short: 'o', value: 'CHOICE', help: 'Where you hear it: default, none, a .wav file to write, or a device by its name' },
}

/** Where it rings. */
export const ringOption: OptionTable = {
  ring: { value: 'CHOICE', help: 'Where it rings: default, none, or a device by its name; default as --output' },
}

/** What was chosen of `--input`, `--output` and `--ring`; `usual` is the file that is played otherwise. */
export async function soundOf(cli: Cli, usual?: string): Promise<{ input?: AudioInput; output?: AudioOutput; ring?: AudioOutput }> {
  const { given } = cli
  checkFiles(cli, usual)
  const [input, output, ring] = ['input', 'output', 'ring'].map((name) => given.value(name))
  return {
    ...(input !== undefined && { input: await inputOf(input) }),
    ...(output !== undefined && { output: await outputOf(output) }),
    ...(ring !== undefined && { ring: await deviceOf('--ring', ring, 'audiooutput') }),
  }
}

async function inputOf(choice: string): Promise<AudioInput> {
  const [, frequency] = /^tone:(\d+)$/.exec(choice) ?? []
  if (frequency !== undefined) return { tone: Number(frequency) }
  if (!isSoundFile(choice)) return deviceOf('--input', choice, 'audioinput')
  if (!statSync(choice, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`--input: there is no file ${choice}.`)
  return { wav: choice, loop: true }
}

async function outputOf(choice: string): Promise<AudioOutput> {
  return isSoundFile(choice) ? { wav: choice } : deviceOf('--output', choice, 'audiooutput')
}

async function deviceOf(option: string, choice: string, kind: AudioDevice['kind']): Promise<string | { device: string }> {
  if (choice === 'default' || choice === 'none') return choice
  const devices = (await listDevices()).filter((device) => device.kind === kind)
  const [found, another] = matching(choice, devices)
  if (found && !another) return { device: found.id }
  const what = kind === 'audioinput' ? 'microphone' : 'speaker'
  if (found) throw new UsageError(`${option}: "${choice}" is more than one ${what}: ${listed(devices)}`)
  if (devices.length === 0) throw new UsageError(`${option}: there is no ${what} "${choice}": this machine has none. Try --${option.slice(2)} none`)
  const labels = devices.map(({ label }) => label)
  throw new UsageError(`${option}: there is no ${what} "${choice}".${didYouMean(choice, labels, (label) => `"${label}"`)} There are: ${listed(devices)}`)
}

/** By its id, else by its whole name, else by a part of that. */
function matching(choice: string, devices: readonly AudioDevice[]): AudioDevice[] {
  const wanted = choice.toLowerCase()
  const ways = [
    ({ id }: AudioDevice) => id === choice,
    ({ label }: AudioDevice) => label.toLowerCase() === wanted,
    ({ label }: AudioDevice) => label.toLowerCase().includes(wanted),
  ]
  return ways.map((way) => devices.filter(way)).find((found) => found.length > 0) ?? []
}

function listed(devices: readonly AudioDevice[]): string {
  return devices.map(({ label }) => label).join(', ')
}
