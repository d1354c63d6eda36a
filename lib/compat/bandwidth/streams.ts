import { AudioSource, type AudioInput, type Session } from '../../index'
import { wireInput } from '../../audio'
import { BandwidthRtcError } from './errors'

/** What a stream carries. No stream has `'VIDEO'` yet. */
export type MediaType = 'AUDIO' | 'VIDEO'

/** How loud a stream is. */
export type AudioLevel = 'silent' | 'low' | 'high'

/** One participant's stream. */
export interface RtcStream {
  /** Names the stream in the room. */
  endpointId: string
  /** What it carries. */
  mediaTypes: MediaType[]
  /**
   * Of the own stream what is sent; of another participant's the session in which all of them are heard together, which other
   * calls take as their input. It is played by `publish()` already; undefined until then.
   */
  readonly mediaStream: AudioInput | Session | undefined
  /** The name that its publisher gave it. */
  alias?: string
  /** Whose it is. */
  participantId?: string
  /** Of the own stream: the constraints that have no effect, such as `'video'` or `'audio.echoCancellation'`; left out if there are none. */
  ignored?: string[]
}

/** What a constraint may say, as in a browser. */
export type DeviceConstraint = string | readonly string[] | { exact?: string | readonly string[]; ideal?: string | readonly string[] }

/** What to publish: a browser's constraints. Only the microphone's device counts; the stream's `ignored` names what does not, such as `video`. */
export interface StreamConstraints {
  audio?: boolean | { deviceId?: DeviceConstraint; [constraint: string]: unknown }
  video?: unknown
}

/** @internal */
export interface Wanted {
  input: AudioInput
  /** What can't be had of it. */
  ignored: string[]
}

/** What to send, as an input; throws for what can't be sent. @internal */
export function wanted(given: StreamConstraints | AudioInput | undefined): Wanted {
  if (given === undefined) return { input: 'default', ignored: [] }
  if (!isConstraints(given)) return { input: checkInput('constraints', given), ignored: [] }
  const { audio = false, video = false } = given
  if (!audio) throw new BandwidthRtcError(video ? `${noVideo}: publish audio` : 'There is nothing to publish without audio')
  const ignored = video ? ['video'] : []
  if (typeof audio !== 'object') return { input: 'default', ignored }
  const { deviceId, ...processing } = audio
  return { input: checkInput('constraints.audio.deviceId', device(deviceId) ?? 'default'), ignored: [...ignored, ...Object.keys(processing).map((name) => `audio.${name}`)] }
}

/** What everything says that would need a camera or a screen. @internal */
export const noVideo = 'Video is not supported yet'

/** What is an input; a browser's MediaStream, such as a shared screen, is none. @internal */
export function checkInput(name: string, input: AudioInput): AudioInput {
  try {
    wireInput(name, input)
    return input
  } catch (error) {
    throw new BandwidthRtcError((error as Error).message, { cause: error })
  }
}

function isConstraints(given: StreamConstraints | AudioInput): given is StreamConstraints {
  if (typeof given !== 'object' || (given as object | null) === null || given instanceof AudioSource) return false
  return Object.getPrototypeOf(given) === Object.prototype && Object.keys(given).every((key) => key === 'audio' || key === 'video')
}

function device(constraint: DeviceConstraint | null | undefined): string | undefined {
  // A browser takes null for a constraint without anything in it.
  if (constraint === undefined || constraint === null) return undefined
  if (typeof constraint === 'string') return constraint
  if (Array.isArray(constraint)) return constraint[0]
  const { exact, ideal } = constraint as Exclude<DeviceConstraint, string | readonly string[]>
  return device(exact ?? ideal)
}
