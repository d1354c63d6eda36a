import { AudioSource, type AudioInput, type Session } from '../../index'
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
}

/** What a constraint may say, as in a browser. */
export type DeviceConstraint = string | readonly string[] | { exact?: string | readonly string[]; ideal?: string | readonly string[] }

/** What to publish: a browser's constraints. Only the microphone's device counts; `video` is not sent yet. */
export interface StreamConstraints {
  audio?: boolean | { deviceId?: DeviceConstraint; [constraint: string]: unknown }
  video?: unknown
}

/** @internal */
export interface Wanted {
  input: AudioInput
  /** What can't be had of it. */
  missing: string[]
}

/** What to send, as an input. @internal */
export function wanted(given: StreamConstraints | AudioInput | undefined): Wanted {
  if (given === undefined) return { input: 'default', missing: [] }
  if (!isConstraints(given)) return { input: given, missing: [] }
  const { audio = false, video = false } = given
  if (!audio) {
    throw new BandwidthRtcError(video ? 'Video is not supported yet: publish audio' : 'There is nothing to publish without audio')
  }
  const missing = video ? ['video'] : []
  if (audio === true) return { input: 'default', missing }
  const { deviceId, ...processing } = audio
  return { input: device(deviceId) ?? 'default', missing: [...missing, ...Object.keys(processing).map((name) => `audio.${name}`)] }
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
