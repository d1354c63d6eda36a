import { listDevices, type AudioDevice } from '../index'
import type { Cli, Command } from './cli'
import { exitCode } from './exit-code'
import { UsageError } from './usage-error'

export const devices: Command = {
  name: 'devices',
  summary: 'List microphones and speakers',
  about: 'The system\'s default is marked by *. With --json each is an object on a line of its own.',
  options: {},
  run: list,
}

async function list({ given, output }: Cli): Promise<number> {
  if (given.words.length > 0) throw new UsageError(`devices takes no "${given.words[0]}".`)
  const all = await listDevices()
  for (const [kind, title, none] of [
    ['audioinput', 'Microphones', 'No microphone. Others can hear a file or a tone: --input greeting.wav, --input tone:440'],
    ['audiooutput', 'Speakers', 'No speaker. What is heard can be written to a file: --output call.wav'],
  ] as const) {
    const some = all.filter((device) => device.kind === kind)
    output.say(some.length > 0 ? title : none)
    for (const device of some) output.tell('device', device, `  ${device.default ? '*' : ' '} ${described(device)}`)
  }
  return exitCode.done
}

function described({ label, id }: AudioDevice): string {
  return label === id ? label : `${label}  [${id}]`
}
