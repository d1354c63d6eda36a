import type { VideoInput, VideoOutput } from './options'
import { mismatch, type Rule } from './schema'
import { VideoSink } from './video-sink'
import { VideoSource } from './video-source'
import type { WireVideoInput, WireVideoOutput } from './wire'

const inputs = "'none' or a VideoSource"
const outputs = "'none' or a VideoSink"

/** Checks a video input where the options are checked. */
export const videoInput: Rule = {
  check: (name, value) => void wireVideoInput(name, value as VideoInput),
  expected: inputs,
}

/** What a command carries for it; throws a `SoftphoneError` that names the option. */
export function wireVideoInput(name: string, input: VideoInput): WireVideoInput {
  if (input === 'none') return { type: 'none' }
  if (input instanceof VideoSource) return { type: 'source', id: input.nativeId, codecs: [...input.codecs] }
  throw mismatch(name, input, inputs)
}

/** What a command carries for it; throws a `SoftphoneError` that names the option. */
export function wireVideoOutput(name: string, output: VideoOutput): WireVideoOutput {
  if (output === 'none') return { type: 'none' }
  if (output instanceof VideoSink) return { type: 'sink', id: output.nativeId }
  throw mismatch(name, output, outputs)
}

/** What a command carries of what is shown. */
export function wireShown({ video, screen }: Shown, prefix = ''): { video: WireVideoInput | undefined; screen: WireVideoInput | undefined } {
  if (video instanceof VideoSource && video === screen) throw mismatch(`${prefix}screen`, screen, 'another source than video', 'the same one')
  return {
    video: video === undefined ? undefined : wireVideoInput(`${prefix}video`, video),
    screen: screen === undefined ? undefined : wireVideoInput(`${prefix}screen`, screen),
  }
}

/** What is shown, as options say it. */
export interface Shown {
  video?: VideoInput | undefined
  screen?: VideoInput | undefined
}
