import type { VideoInput, VideoOutput } from './options'
import { checkOptions, mismatch, type Rule, type Schema } from './schema'
import { needRawVideo } from './raw-video'
import { VideoSink } from './video-sink'
import { VideoSource } from './video-source'
import type { WireVideoInput, WireVideoOutput } from './wire'

const lasting = "'none', a VideoSource, { y4m } or { ivf }"
const inputs = "'none', a VideoSource, { y4m }, { ivf } or { session, stream }"
const outputs = "'none', a VideoSink, { y4m } or { ivf }"
const y4mInput: Schema = { y4m: 'text', loop: 'boolean' }
const ivfInput: Schema = { ivf: 'text', loop: 'boolean', codec: { oneOf: ['vp8', 'h264'] } }
const streamInput: Schema = { session: 'text', stream: 'text' }
const y4mOutput: Schema = { y4m: 'text' }
const ivfOutput: Schema = { ivf: 'text' }

/** Checks a video input where the options are checked. */
export const videoInput: Rule = {
  check: (name, value) => void wireVideoInput(name, value as VideoInput),
  expected: inputs,
}

/** What a command carries for it; throws a `SoftphoneError` that names the option. */
export function wireVideoInput(name: string, input: VideoInput): WireVideoInput {
  if (input === 'none') return { type: 'none' }
  if (input instanceof VideoSource) return { type: 'source', id: input.nativeId, codecs: [...input.codecs] }
  if (typeof input === 'object' && input !== null) {
    if ('y4m' in input) {
      const { y4m, loop = false } = checked(name, input, y4mInput)
      needRawVideo(name)
      return { type: 'y4m', path: y4m, repeat: loop }
    }
    if ('ivf' in input) {
      const { ivf, loop = false, codec = 'vp8' } = checked(name, input, ivfInput)
      return { type: 'ivf', path: ivf, repeat: loop, codec }
    }
    if ('session' in input || 'stream' in input) {
      const { session, stream } = checked(name, input, streamInput)
      if (session === undefined || stream === undefined) throw mismatch(name, input, inputs, 'only one of session and stream')
      return { type: 'stream', session, stream }
    }
  }
  throw mismatch(name, input, inputs)
}

/** What a command carries for it; throws a `SoftphoneError` that names the option. */
export function wireVideoOutput(name: string, output: VideoOutput): WireVideoOutput {
  if (output === 'none') return { type: 'none' }
  if (output instanceof VideoSink) return { type: 'sink', id: output.nativeId }
  if (typeof output === 'object' && output !== null) {
    if ('y4m' in output) {
      const { y4m } = checked(name, output, y4mOutput)
      needRawVideo(name)
      return { type: 'y4m', path: y4m }
    }
    if ('ivf' in output) return { type: 'ivf', path: checked(name, output, ivfOutput).ivf }
  }
  throw mismatch(name, output, outputs)
}

function checked<T extends object>(name: string, value: T, schema: Schema): T {
  checkOptions(name, value, schema)
  return value
}

/** What a command carries of what is shown. */
export function wireShown({ video, screen }: Shown, prefix = ''): { video: WireVideoInput | undefined; screen: WireVideoInput | undefined } {
  if (video instanceof VideoSource && video === screen) throw mismatch(`${prefix}screen`, screen, 'another source than video', 'the same one')
  return {
    video: video === undefined ? undefined : wireVideoInput(`${prefix}video`, video),
    screen: screen === undefined ? undefined : wireVideoInput(`${prefix}screen`, screen),
  }
}

/** The same of what is set up for calls to come: a stream is over when its session is. */
export function wireLasting(shown: Shown, prefix: string): ReturnType<typeof wireShown> {
  for (const name of ['video', 'screen'] as const) {
    const input = shown[name]
    if (typeof input === 'object' && (input as object | null) !== null && ('session' in input || 'stream' in input)) {
      throw mismatch(`${prefix}${name}`, input, lasting, 'a stream of a session, which goes to acceptPendingSession()')
    }
  }
  return wireShown(shown, prefix)
}

/** What is shown, as options say it. */
export interface Shown {
  video?: VideoInput | undefined
  screen?: VideoInput | undefined
}
