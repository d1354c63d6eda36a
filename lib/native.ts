import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { SoftphoneError } from './errors'

/*
 * The door to the Rust addon. Plain data crosses it as JSON text in the serde forms of `crates/phone`;
 * PCM crosses it as bytes.
 */

/** A task of the runtime with its ordered event stream. */
export interface NativeTask {
  /** Queues a command; its outcome is a `reply` event. Throws if the task has ended or its queue is full. */
  command(ticket: number, command: string): void
  /** Keeps the process alive for as long as the task runs (the default). */
  ref(): void
  /** Lets the process end although the task runs. */
  unref(): void
}

/** One phone. */
export interface NativePhone extends NativeTask {
  /** Asks for a session's statistics; the answer is a `reply` event. */
  stats(ticket: number, sessionId: string): void
  /** Writes a session's report to a file; the outcome is a `reply` event. */
  report(ticket: number, sessionId: string, path: string): void
  /** Writes to a file what goes over the network; the outcome is a `reply` event. */
  capture(ticket: number, path: string): void
  /** Writes no more; the outcome is a `reply` event. */
  stopCapture(ticket: number): void
  /** How it stands, a `WireHealth` as JSON. */
  health(): string
  /** What it has to show, in Prometheus' text form. */
  metrics(): string
}

/** A look at everything that a call needs. */
export interface NativePreflight {
  /** Answers a question to a function of the application. */
  answer(question: number, given: string | undefined, failure: string | undefined): void
  /** Gives it up. */
  close(): void
}

/** What a session may have, such as a source. */
export interface NativeEnd {
  /** Whether one has it now. */
  readonly engaged: boolean
  /** Whether one has had it since `expect`. */
  readonly wasEngaged: boolean
  /** It is named to a session that shall have it. */
  expect(): void
}

/** PCM from JavaScript to a call. `onEvent` says that the queue fell to its low-water mark, or how a mark ended. */
export interface NativeSource extends NativeEnd {
  /** The number by which commands name it. */
  readonly id: number
  /** Takes whole samples, Int16 little-endian; returns the milliseconds that wait to be played. */
  write(pcm: Uint8Array): number
  /** The milliseconds that wait to be played. */
  queued(): number
  /** How far it was played: in samples of its own, with the milliseconds until they are heard. */
  position(): { sent: number; heard?: number | null; delay?: number | null }
  /** Plays nothing until `resume`. */
  pause(): void
  /** Plays on. */
  resume(): void
  /** Drops what waits; returns milliseconds, and the marks of which `onEvent` says nothing more. */
  clear(): { played: number; dropped: number; marks: EndedMark[] }
  /** Marks the end of what was written so far; returns how that ended if there is nothing to wait for. */
  mark(mark: number): EndedMark | null
  /** Says that nothing more is written. */
  end(): void
  /** Drops everything and lets go. */
  close(): void
}

/** PCM from a call to JavaScript, in frames of 20 ms. `onReadable` is called when a frame arrives after `read` gave null. */
export interface NativeSink extends NativeEnd {
  /** The number by which commands name it. */
  readonly id: number
  /** Frames that were dropped because nobody read them in time. */
  readonly dropped: number
  /** Whether everything was read, and nothing more comes. */
  readonly ended: boolean
  /** The oldest frame, or null if there is none. */
  read(): Uint8Array | null
  /** Lets go. */
  close(): void
}

/** Pictures from JavaScript to a call. `onEvent` tells what is asked of the writer; `value` are the bits per second of `bitrate`. */
export interface NativeVideoSource extends NativeEnd {
  /** The number by which commands name it. */
  readonly id: number
  /** Copies a frame; false if it was dropped. Throws for what is none of its codec. */
  write(codec: string, timestamp: number, data: Uint8Array): boolean
  /** Copies a raw picture; false if another was dropped for it, or nobody takes it. Throws for what is none of its size. */
  writeRaw(picture: NativeRawPicture, data: Uint8Array): boolean
  /** Drops everything and lets go. */
  close(): void
}

/** What a raw picture's bytes are. */
export interface NativeRawPicture {
  format: 'I420' | 'RGBA'
  width: number
  height: number
  /** Degrees, clockwise. */
  rotation: number
  /** Microseconds. */
  timestamp: number
}

/** A frame that was received: an encoded one has `codec` and `key`, a raw one `format` and `rotation`. */
export interface NativeVideoFrame {
  codec?: 'vp8' | 'h264'
  key?: boolean
  format?: 'I420' | 'RGBA'
  rotation?: number
  width: number
  height: number
  /** Microseconds. */
  timestamp: number
  data: Uint8Array
}

/** Pictures from a call to JavaScript. `onReadable` is called when a frame arrives after `read` gave null. */
export interface NativeVideoSink extends NativeEnd {
  /** The number by which commands name it. */
  readonly id: number
  /** Frames that were dropped. */
  readonly dropped: number
  /** The oldest frame, or null if there is none. */
  read(): NativeVideoFrame | null
  /** Asks for a key frame. */
  requestKeyFrame(): void
  /** Lets go. */
  close(): void
}

/** Looks for devices that come and go. */
export interface NativeDeviceWatch {
  /** Stops looking. */
  close(): void
}

/** Lets phones say goodbye before a signal ends the process. */
export interface NativeSignalWatch {
  /** Lets signals do again what they did before. */
  close(): void
}

/** The embedded PBX. */
export interface NativePbx extends NativeTask {
  /** The free loopback port it listens on. */
  readonly port: number
}

export type VideoSourceEvent = 'keyFrame' | 'bitrate' | 'active' | 'inactive'

export type SourceEvent = 'drain' | 'played' | 'cleared'

/** How a mark ended, and how many samples had been played by then. */
export interface EndedMark {
  mark: number
  outcome: 'played' | 'cleared'
  position: number
}

/** What the addon exports. */
export interface Native {
  NativePhone: new (options: string, onEvent: (event: string) => void) => NativePhone
  /** Looks at what is wanted, a list of names as JSON; throws for options as the phone's does. */
  NativePreflight: new (options: string, wanted: string, onEvent: (event: string) => void) => NativePreflight
  NativeSource: new (
    rate: number,
    lowWaterMs: number,
    onEvent: (event: SourceEvent, mark: number, position: number) => void,
  ) => NativeSource
  NativeSink: new (rate: number, queueMs: number, onReadable: () => void) => NativeSink
  NativeVideoSource: new (
    codecs: string[],
    onEvent: (event: VideoSourceEvent, value: number, codec: string) => void,
    raw: boolean,
  ) => NativeVideoSource
  NativeVideoSink: new (queue: number, onReadable: () => void, raw?: 'I420' | 'RGBA') => NativeVideoSink
  /** Whether this build has a codec for raw pictures. */
  hasRawVideo(): boolean
  NativePbx: new (options: string, onEvent: (event: string) => void) => NativePbx
  NativeDeviceWatch: new (onChange: () => void) => NativeDeviceWatch
  listDevices(): Promise<string>
  /** Why no device of this id can be opened, or null if there is one; stand-ins of tests have none to look for. */
  missingDevice?(id: string, output: boolean): Promise<string | null>
  /** Ends the calls and registrations of the process, and waits for that, 500 ms at most; stand-ins of tests have nothing to end. */
  farewell?(): void
  /** By the names of signals. */
  NativeSignalWatch?: new (signals: readonly string[]) => NativeSignalWatch
  /** How full the media threads of the process are, 0 to 1; stand-ins of tests have none. */
  mediaLoad?(): number
  /** How the media clock has kept its time, as JSON. */
  clockFigures(): string
  /** What the process has to show, in Prometheus' text form. */
  metrics(): string
  /** Judges a phone's options without starting one; throws as the constructor does. */
  checkOptions(options: string): void
}

/** Platforms that have a package of their own: `<platform>-<arch>`, on Linux with the C library. */
export const platforms = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-arm64-msvc',
  'win32-x64-msvc',
] as const

let loaded: Native | undefined

/** The addon, loaded once per process; `OFFHOOK_NATIVE_PATH` names another file. */
export function native(): Native {
  loaded ??= load(process.env['OFFHOOK_NATIVE_PATH'])
  return loaded
}

function load(override: string | undefined): Native {
  const platform = currentPlatform()
  const here = ownFile()
  const candidates = override ? [resolve(override)] : candidatesFrom(here, platform)
  // A bundler would replace `require` itself, and find nothing.
  const find = createRequire(here ?? resolve('index.js'))
  const failures: unknown[] = []
  for (const candidate of candidates) {
    try {
      return find(candidate) as Native
    } catch (error) {
      failures.push(new Error(`${candidate}: ${(error as Error).message.split('\n')[0]}`, { cause: error }))
    }
  }
  throw new SoftphoneError(explain(platform, here, failures as Error[]), {
    code: 'ERR_NATIVE_ADDON',
    type: 'not_supported',
    cause: new AggregateError(failures),
  })
}

/** This file, or the bundle that it is in; one that is an ES module knows it only if it is told. */
function ownFile(): string | undefined {
  return typeof __filename === 'string' ? __filename : undefined
}

/** Nothing is looked for beside what happens to be open, or where somebody else may write: it would run here. */
function candidatesFrom(here: string | undefined, platform: string): string[] {
  if (here === undefined) return []
  const installed = `@offhook/${platform}`
  return isBundle(here) ? [installed] : [join(here, '..', '..', 'npm', platform, 'offhook.node'), installed]
}

function isBundle(here: string): boolean {
  return basename(here) !== 'native.js'
}

function explain(platform: string, here: string | undefined, failures: Error[]): string {
  const supported = (platforms as readonly string[]).includes(platform)
  const unknowing = 'This bundle does not know where it is: leave offhook out of it (external), or define __filename in it (docs/bundlers.md). '
  const apart = 'Leave offhook out of the bundle (external), or lay its node_modules beside it. '
  const bundle = here === undefined ? unknowing : isBundle(here) ? apart : ''
  const advice = supported
    ? `${bundle}Install @offhook/${platform} (npm leaves it out with --omit=optional, and when node_modules came from another platform), or run "npm run build" in a checkout.`
    : `There is no build for ${platform}; there are builds for ${platforms.join(', ')}.`
  return [`Cannot load the native part of offhook. ${advice}`, ...failures.map((failure) => `  ${failure.message}`)].join(
    '\n',
  )
}

/** The name of the package for this process's platform. */
export function currentPlatform(): string {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`
  if (platform === 'win32') return `win32-${arch}-msvc`
  return `${platform}-${arch}`
}

function isMusl(): boolean {
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl')
  } catch {
    const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
    return report?.header?.glibcVersionRuntime === undefined
  }
}
