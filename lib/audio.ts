import { AudioSink } from './audio-sink'
import { AudioSource } from './audio-source'
import type { AudioInput, AudioOutput, AudioProcessing, MixedInput, SingleOutput, ToneInput, WavInput } from './options'
import { checkOptions, isText, mismatch, type Rule, type Schema } from './schema'
import { Session } from './session'
import type { WireInput, WireOutput, WireProcessing } from './wire'

const device: Schema = { device: 'text' }
/** A WAV file as an input. */
export const wavInput: Schema = { wav: 'text', loop: 'boolean' }
const leveledWav: Schema = { ...wavInput, level: { number: { min: -60, max: 0 } } }
const wavOutput: Schema = { wav: 'text' }
/** Is looked at member by member. */
const mixInput: Schema = { mix: { check: () => {}, expected: 'an array' } }
/** Inputs of a mix, and outputs at once. */
const MOST = 16
const tone: Schema = { tone: { number: { min: 20, max: 20_000 } }, level: { number: { min: -60, max: 0 } } }

/** What is done to a microphone's sound. */
export const audioProcessing: Schema = {
  echoCancellation: 'boolean',
  noiseSuppression: 'boolean',
  autoGainControl: 'boolean',
}

/** How it is found out when the other side speaks. */
export const voiceActivity: Rule = { object: { endOfTurn: { number: { min: 100, max: 10_000, integer: true } } } }

const inputs =
  "'default', 'none', the id of a device, { device }, an AudioSource, { wav }, { tone }, a Session, or { mix }"
const outputs = "'default', 'none', the id of a device, { device }, an AudioSink, { wav }, or an array of these"

/** Checks an input where the options are checked. */
export const audioInput: Rule = { check: (name, value) => void wireInput(name, value as AudioInput), expected: inputs }

/** Checks an output where the options are checked. */
export const audioOutput: Rule = {
  check: (name, value) => void wireOutput(name, value as AudioOutput),
  expected: outputs,
}

/** What a command carries for an input; throws a `SoftphoneError` that names the option. */
export function wireInput(name: string, input: AudioInput): WireInput {
  if (isText(input) && input !== '') return wireDevice(input)
  if (input instanceof AudioSource) return { type: 'source', id: input.nativeId }
  if (input instanceof Session) return wireSession(name, input)
  if (typeof input === 'object' && input !== null) {
    if ('device' in input) return wireDevice(checked(name, input, device).device)
    if ('wav' in input) return wireWav(checked(name, input, leveledWav))
    if ('tone' in input) return wireTone(checked(name, input, tone))
    if ('mix' in input) return wireMix(`${name}.mix`, checked(name, input, mixInput).mix)
  }
  throw mismatch(name, input, inputs)
}

/** What a command carries for an output; throws a `SoftphoneError` that names the option. */
export function wireOutput(name: string, output: AudioOutput): WireOutput {
  if (Array.isArray(output)) return { type: 'several', outputs: each(name, output, outputs, wireSingleOutput) }
  return wireSingleOutput(name, output as SingleOutput)
}

function wireSingleOutput(name: string, output: SingleOutput): WireOutput {
  if (isText(output) && output !== '') return wireDevice(output)
  if (output instanceof AudioSink) return { type: 'sink', id: output.nativeId }
  if (typeof output === 'object' && output !== null) {
    if ('device' in output) return wireDevice(checked(name, output, device).device)
    if ('wav' in output) return { type: 'wav', path: checked(name, output, wavOutput).wav }
  }
  throw mismatch(name, output, outputs)
}

/** What a command carries for it; throws a `SoftphoneError` that names the option. */
export function wireProcessing(processing: AudioProcessing): WireProcessing {
  checkOptions('options of setAudioProcessing', processing, audioProcessing)
  return { ...processing }
}

function wireDevice(choice: string): { type: 'default' } | { type: 'none' } | { type: 'device'; id: string } {
  if (choice === 'default' || choice === 'none') return { type: choice }
  return { type: 'device', id: choice }
}

function wireWav({ wav, loop = false, level }: WavInput): WireInput {
  const file = { type: 'wav', path: wav, repeat: loop } as const
  return level === undefined ? file : { ...file, level }
}

function wireSession(name: string, session: Session): WireInput {
  if (session.state !== 'ended') return { type: 'session', id: session.id }
  throw mismatch(name, session, 'a session that goes on', 'one that has ended')
}

function wireMix(name: string, mix: readonly MixedInput[]): WireInput {
  const parts = each(name, mix, inputs, (member, part) => {
    const isMix = typeof part === 'object' && part !== null && 'mix' in part
    if (isMix) throw mismatch(member, part, 'an input that is no mix itself: put what is in that mix into this one')
    return wireInput(member, part)
  })
  return { type: 'mix', parts }
}

/** Each of a list; what can be read or written by one at a time is there once. */
function each<T, W>(name: string, list: readonly T[], expected: string, wire: (name: string, one: T) => W): W[] {
  const some = Array.isArray(list) && list.length > 0 && list.length <= MOST
  if (!some) throw mismatch(name, list, `an array of one to ${MOST} of ${expected}`)
  // A sparse array has members that are undefined.
  return Array.from(list, (one, index) => {
    const again = typeof one === 'object' && one !== null && list.indexOf(one) !== index
    if (again) throw mismatch(`${name}[${index}]`, one, 'there once', 'there twice')
    return wire(`${name}[${index}]`, one)
  })
}

function wireTone({ tone: frequency, level }: ToneInput): WireInput {
  return level === undefined ? { type: 'tone', frequency } : { type: 'tone', frequency, level }
}

// The first member says what it is, and so must be there.
function checked<T extends object>(name: string, value: T, schema: Schema): T {
  checkOptions(name, value, schema, { prefix: `${name}.`, required: Object.keys(schema).slice(0, 1) })
  return value
}
