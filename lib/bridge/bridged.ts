import type { AudioSink } from '../audio-sink'
import type { AudioSource } from '../audio-source'
import type { Conference } from '../conference'
import type { EndReason } from '../end-reason'
import type { SoftphoneError } from '../errors'
import type {
  IvfInput,
  IvfOutput,
  MixInput,
  SingleOutput,
  ToneInput,
  WavInput,
  WavOutput,
  StreamInput,
  Y4mInput,
  Y4mOutput,
} from '../options'
import type { Session } from '../session'
import type { StatsReport } from '../stats'
import type { VideoSink } from '../video-sink'
import type { VideoSource } from '../video-source'
import type { BridgeConference, BridgeSession } from './calls'
import type { BridgeError } from './error'
import type { BridgeVideoPort } from './video'

/** What a page can not choose: files, streams, tones and other sessions. It names devices. */
type OnlyThere =
  | AudioSource
  | AudioSink
  | WavInput
  | WavOutput
  | ToneInput
  | MixInput
  | Y4mInput
  | Y4mOutput
  | IvfInput
  | IvfOutput
  | StreamInput
  | Session
  | readonly SingleOutput[]

/** What an argument or result of the phone is in a page. */
export type Bridged<T> = T extends Session
  ? BridgeSession
  : T extends Conference
    ? BridgeConference
    : T extends SoftphoneError
      ? BridgeError
      : T extends StatsReport | EndReason
        ? T
        : T extends readonly Session[]
          ? BridgeSession[]
          : T extends VideoSource | VideoSink
            ? BridgeVideoPort
            : T extends OnlyThere
              ? never
              : T extends object
                ? BridgedOptions<T>
                : T

type BridgedOptions<T> = { [K in keyof T]: Chosen<T[K]> }

type Chosen<T> = T extends VideoSource | VideoSink ? BridgeVideoPort : T extends OnlyThere ? never : T

/** The same method in a page. */
export type BridgedMethod<F> = F extends (...args: infer Args) => infer Result
  ? (...args: BridgedList<Args>) => Promise<Bridged<Awaited<Result>>>
  : never

/** The same methods in a page. */
export type BridgedMethods<T> = { [K in keyof T]: BridgedMethod<T[K]> }

/** The same events in a page. */
export type BridgedEvents<Events extends { [E in keyof Events]: unknown[] }> = {
  [E in keyof Events]: BridgedList<Events[E]>
}

type BridgedList<List extends unknown[]> = { [K in keyof List]: Bridged<List[K]> }
