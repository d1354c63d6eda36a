import { AudioSink } from './audio-sink'
import { AudioSource } from './audio-source'
import type { AudioInput, AudioOutput, AudioProcessing, ToneInput, WavInput } from './options'
import { checkOptions, isText, mismatch, type Rule, type Schema } from './schema'
import { Session } from './session'
import type { WireInput, WireOutput, WireProcessing } from './wire'

const device: Schema = { device: 'text' }
/** A WAV file as an input. */
export const wavInput: Schema = { wav: 'text', loop: 'boolean' }
const wavOutput: Schema = { wav: 'text' }
const tone: Schema = { tone: { number: { min: 20, max: 20_000 } }, level: { number: { min: -60, max: 0 } } }

/** What is done to a microphone's sound. */
export const audioProcessing: Schema = {
  echoCancellation: 'boolean',
  noiseSuppression: 'boolean',
  autoGainControl: 'boolean',
}

const inputs =
  "'default', 'none', the id of a device, { device }, an AudioSource, { wav }, { tone }, or a Session"
const outputs = "'default', 'none', the id of a device, { device }, an AudioSink, or { wav }"

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
  if (input instanceof Session) return { type: 'session', id: input.id }
  if (typeof input === 'object' && input !== null) {
    if ('device' in input) return wireDevice(checked(name, input, device).device)
    if ('wav' in input) return wireWav(checked(name, input, wavInput))
    if ('tone' in input) return wireTone(checked(name, input, tone))
  }
  throw mismatch(name, input, inputs)
}

/** What a command carries for an output; throws a `SoftphoneError` that names the option. */
export function wireOutput(name: string, output: AudioOutput): WireOutput {
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

function wireWav({ wav, loop = false }: WavInput): WireInput {
  return { type: 'wav', path: wav, repeat: loop }
}

function wireTone({ tone: frequency, level }: ToneInput): WireInput {
  return level === undefined ? { type: 'tone', frequency } : { type: 'tone', frequency, level }
}

// The first member says what it is, and so must be there.
function checked<T extends object>(name: string, value: T, schema: Schema): T {
  checkOptions(name, value, schema, { prefix: `${name}.`, required: Object.keys(schema).slice(0, 1) })
  return value
}
