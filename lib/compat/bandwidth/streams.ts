import { AudioSource, type AudioInput, type Session, type VideoSource } from '../../index'
import { wireInput } from '../../audio'
import { isVideoInput, wantedCamera, type VideoConstraints, type WantedCamera } from './cameras'
import { device, type DeviceConstraint } from './device-constraint'
import { BandwidthRtcError } from './errors'

/** What a stream carries. */
export type MediaType = 'AUDIO' | 'VIDEO'

/** How loud a stream is. */
export type AudioLevel = 'silent' | 'low' | 'high'

/** One stream of a participant: microphone and camera, or a screen. */
export interface RtcStream {
  /** Names the stream in the room. */
  endpointId: string
  /** What it carries; of another participant's what it carries now. */
  readonly mediaTypes: MediaType[]
  /**
   * Of the own stream the sound that is sent; of another participant's the session in which all of them are heard together, which
   * other calls take as their input. It is played by `publish()` already; undefined until then. Pictures come by `watch()`.
   */
  readonly mediaStream: AudioInput | Session | undefined
  /** Of the own stream: the pictures that are sent. */
  readonly videoInput?: VideoSource
  /** The name that its publisher gave it. */
  alias?: string
  /** Whose it is. */
  participantId?: string
  /** Of the own stream: the constraints that have no effect, such as `'audio.echoCancellation'`; left out if there are none. */
  ignored?: string[]
}

/**
 * What to publish: a browser's constraints, or inputs. Of a microphone its device counts, of a camera its device, its size and its frame
 * rate; the stream's `ignored` names what does not.
 */
export interface StreamConstraints {
  audio?: boolean | { deviceId?: DeviceConstraint; [constraint: string]: unknown } | AudioInput
  video?: boolean | VideoConstraints | VideoSource
}

/** @internal */
export interface Wanted {
  audio: AudioInput | undefined
  video: VideoSource | WantedCamera | undefined
  /** What can't be had of it. */
  ignored: string[]
}

/** What to send, as inputs; throws for what can't be sent. @internal */
export function wanted(given: StreamConstraints | AudioInput | VideoSource | undefined): Wanted {
  if (given === undefined) return { audio: 'default', video: undefined, ignored: [] }
  if (isVideoInput(given)) return { audio: undefined, video: given, ignored: [] }
  if (!isConstraints(given)) return { audio: checkInput('constraints', given), video: undefined, ignored: [] }
  const ignored: string[] = []
  const { audio, video } = given
  if (!audio && !video) throw new BandwidthRtcError('There is nothing to publish: neither audio nor video')
  return { audio: audio ? wantedAudio(audio, ignored) : undefined, video: video ? wantedVideo(video, ignored) : undefined, ignored }
}

function wantedAudio(audio: Exclude<StreamConstraints['audio'], false | undefined>, ignored: string[]): AudioInput {
  if (audio === true) return 'default'
  if (isInput(audio)) return checkInput('constraints.audio', audio)
  const { deviceId, ...processing } = audio
  ignored.push(...Object.keys(processing).map((name) => `audio.${name}`))
  return checkInput('constraints.audio.deviceId', device(deviceId) ?? 'default')
}

// No constraint is called as an input's member is.
function isInput(audio: object | string): audio is AudioInput {
  return typeof audio === 'string' || audio instanceof AudioSource || ['tone', 'wav', 'mix'].some((name) => Object.hasOwn(audio, name))
}

function wantedVideo(video: Exclude<StreamConstraints['video'], false | undefined>, ignored: string[]): VideoSource | WantedCamera {
  if (isVideoInput(video)) return video
  if (video !== true && Object.getPrototypeOf(video) !== Object.prototype) {
    throw new BandwidthRtcError("'constraints.video' must be constraints, true or a VideoSource")
  }
  return wantedCamera(video, ignored)
}

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
