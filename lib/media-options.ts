import type { AudioSink } from './audio-sink'
import type { AudioSource } from './audio-source'
import type { Session } from './session'
import type { VideoSink } from './video-sink'
import type { VideoCodec, VideoSource } from './video-source'

/**
 * How media may be protected. `sdes` has its keys in the signalling, so it counts only while nobody on the way to the server, or to
 * one of `peers`, can read that (`wss:`, TLS); `sdes-unprotected` counts in any case. `rtp` is no protection at all.
 */
export type MediaKeying = 'dtls' | 'sdes' | 'sdes-unprotected' | 'rtp'

/** An audio codec by its SDP name. */
export type CodecName = 'opus' | 'G722' | 'PCMU' | 'PCMA'

/** A sine tone. */
export interface ToneInput {
  /** Hertz, 20–20000. */
  tone: number
  /** Decibels relative to full scale, −60 to 0; default −18. */
  level?: number
}

/**
 * A WAV file: PCM of 8, 16, 24 or 32 bits, floating point of 32 or 64, A-law or µ-law, with a plain or an extensible header,
 * also as RF64, at 4 to 384 kHz. Its channels, 32 at most, become one.
 */
export interface WavInput {
  /** The file's path. */
  wav: string
  /** Starts anew at the end; default false. */
  loop?: boolean
  /** Decibels relative to what is in the file, −60 to 0; default 0. */
  level?: number
}

/** One input of a mix. */
export type MixedInput = 'default' | (string & {}) | DeviceChoice | AudioSource | WavInput | ToneInput | Session

/** Inputs that are heard together, such as a bot's voice over the sounds of an office. */
export interface MixInput {
  /** One to 16 of them, none of them a mix. Each `AudioSource` and each session is there once; what can't be opened fails the whole. */
  mix: readonly MixedInput[]
}

/** A device by the id that `listDevices()` gives. */
export interface DeviceChoice {
  /** The device's id. */
  device: string
}

/** A WAV file to write what is heard into: 16-bit mono PCM, at the rate of the first sound. */
export interface WavOutput {
  /** The file's path; an existing file is overwritten. */
  wav: string
}

/**
 * Where a call's outgoing sound comes from: `'default'` (the system's microphone), `'none'` (silence),
 * the id of a device, PCM that the application writes, a WAV file, a tone, what another session hears, or a mix of these.
 */
export type AudioInput = 'none' | MixedInput | MixInput

/**
 * Where a call's incoming sound goes: `'default'` (the system's speaker), `'none'`, the id of a device,
 * PCM that the application reads, a WAV file, or several of these at once.
 */
export type AudioOutput = SingleOutput | readonly SingleOutput[]

/** One of the places that a call's incoming sound goes to. */
export type SingleOutput = 'default' | 'none' | (string & {}) | DeviceChoice | AudioSink | WavOutput

/**
 * What the other side sees: frames or pictures that the application writes, a file, what the other side of another call shows, or
 * `'none'`, which sends nothing and takes the other side's pictures.
 */
export type VideoInput = 'none' | VideoSource | Y4mInput | IvfInput | StreamInput

/** Where the pictures of a stream go: to the application, into a file, or nowhere. */
export type VideoOutput = 'none' | VideoSink | Y4mOutput | IvfOutput

/** Pictures of another session of the same phone, forwarded as they come: nothing is decoded or copied, and many may show them. */
export interface StreamInput {
  /** The id of that session. */
  session: string
  /** The id of a stream of its other side, as `streams` and `streamAvailable` give it. */
  stream: string
}

/** A file of raw pictures, which are encoded natively (VP8) and paced by its frame rate. */
export interface Y4mInput {
  /** The path of a YUV4MPEG2 file: progressive, 4:2:0, 8 bits, at most 3840 × 2160 pixels. */
  y4m: string
  /** Begins again at its end; default false: then the last picture stands still. */
  loop?: boolean
}

/** A file of encoded frames, paced by its time stamps; a key frame comes only if it has one there. */
export interface IvfInput {
  /** The path of an IVF file. */
  ivf: string
  /** The codec of its frames; default `'vp8'`. With another in the file the call goes on with a `warning`. */
  codec?: VideoCodec
  /** Begins again at its end; default false: then the last picture stands still. */
  loop?: boolean
}

/** A file of raw pictures, decoded natively (VP8 only), at 30 a second and in the size of the first; whole after each picture. */
export interface Y4mOutput {
  /** The path of a YUV4MPEG2 file, created or overwritten. */
  y4m: string
}

/** A file of encoded frames as they come, from a key frame on; whole after each frame. */
export interface IvfOutput {
  /** The path of an IVF file, created or overwritten. */
  ivf: string
}

/**
 * What is done to the sound of a microphone before the other side hears it; names and meaning are those of W3C's
 * `MediaTrackConstraints`. By default each is done while a microphone stands open beside a loudspeaker, so that it hears the
 * loudspeaker and the room. None is done by default with a device that is known for a headset or headphones by its name, which the
 * default device of a Linux sound server does not tell. What is no microphone (a WAV file, an `AudioSource`, a tone, another session)
 * is sent as it is, whatever stands here.
 */
export interface AudioProcessing {
  /** Takes what the loudspeaker plays out of the microphone's sound. */
  echoCancellation?: boolean
  /** Lowers what is not speech. Music and steady tones are not. */
  noiseSuppression?: boolean
  /** Brings speech to an even level. */
  autoGainControl?: boolean
}

/** The devices of a phone, and what is done to its microphone's sound. */
export interface AudioOptions extends AudioProcessing {
  /** Default `'default'`: the system's microphone. */
  input?: AudioInput
  /** Default `'default'`: the system's speaker. */
  output?: AudioOutput
  /** Where it rings, as with `tones`: a loudspeaker beside a headset; default `output`. */
  ring?: AudioOutput
  /**
   * What is used while a chosen device is away that vanished in a call. `'default'`, which is the default, takes the system's
   * until the chosen one is back, with a `warning` that names both. `'none'` takes nothing. A device that was never there is
   * replaced by nothing. If the sound server moves the sound of a vanished device by itself, as PulseAudio does, that is noticed
   * within some two seconds, and then this counts.
   */
  fallback?: 'default' | 'none'
}
