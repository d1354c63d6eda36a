import { wavInput, wireInput, wireOutput } from './audio'
import { checkLogger } from './checked-options'
import { fetchedOption } from './credential'
import { invalidOption } from './errors'
import { Foreign, given } from './given'
import { wireIceServerSource } from './ice-servers'
import type {
  AudioDeviceOptions,
  AudioOptions,
  AutoAnswerOptions,
  DtmfReception,
  IceServer,
  Listen,
  ListenPlace,
  ListenTls,
  LogLevel,
  OpusOptions,
  PortRange,
  Server,
  SessionTimerOptions,
  SoftphoneOptions,
  TlsOptions,
  ToneOptions,
  WavInput,
} from './options'
import { wireProxy } from './proxy'
import { checkOptions, isPlainObject, isText, mismatch } from './schema'
import { type Shown, wireLasting } from './video'
import type { optionNames, WireIceServer } from './wire'

/*
 * The engine judges the options, and its texts name them as their user wrote them. Here is only what JSON can't carry: functions,
 * instances, bytes, and objects whose order counts.
 */

/** Throws for missing options what the PureCloud SDK throws, and for what only JavaScript can tell. */
export function checkSoftphoneOptions(options: unknown): asserts options is SoftphoneOptions {
  if (options === undefined || options === null) throw invalidOption('Options required to create an instance of the SDK')
  if (!isPlainObject(options)) throw mismatch('options', options, 'an object')
  if (options['logger'] !== undefined) checkLogger('logger', options['logger'])
  // What a function fetches is said to the engine by this name.
  if (Object.hasOwn(options, 'renewable')) throw invalidOption("Option 'renewable' must be left out, but is unknown")
}

/** The options as the addon reads them, with the token or password that a function fetched. */
export function wireOptions(options: SoftphoneOptions, fetched: string | undefined, logLevel: LogLevel): string {
  const { logger: _logger, accessToken, password, displayName, extraHeaders, tls, httpProxy, iceServers, autoAnswer, audio, tones, holdMusic, ...plain } = options
  const wire = {
    ...plain,
    accessToken: typeof accessToken === 'function' ? fetched : accessToken,
    password: typeof password === 'function' ? fetched : password,
    // People write it, and may have cut it.
    displayName: typeof displayName === 'string' ? displayName.toWellFormed() : displayName,
    renewable: fetchedOption(options) && true,
    extraHeaders: wireHeaders(extraHeaders, 'extraHeaders'),
    tls: isPlainObject(tls) ? wireTls(tls) : tls,
    httpProxy: wireProxy(httpProxy),
    iceServers: wireIceServerSource(iceServers),
    autoAnswer: wireAutoAnswer(autoAnswer),
    audio: isPlainObject(audio) ? { ...audio, ...wireAudio(audio, 'audio.') } : audio,
    tones: isPlainObject(tones) ? wireTones(tones) : tones,
    holdMusic: holdMusic === undefined ? undefined : wireInput('holdMusic', holdMusic),
    logLevel,
  }
  return JSON.stringify(given(wire))
}

/** Headers as the addon reads them: pairs in order. */
export function wireHeaders(
  headers: Readonly<Record<string, string>> | undefined,
  option = 'headers',
): [name: string, value: string][] | undefined {
  if (headers === undefined) return undefined
  if (!isPlainObject(headers)) throw mismatch(option, headers, 'an object of names and values')
  for (const [name, value] of Object.entries(headers)) {
    if (!isText(value)) throw mismatch(`${option}.${name}`, value, 'a string')
    if (!isText(name)) throw mismatch(`${option}.${name}`, name, "named by a token such as 'X-Customer'")
  }
  return Object.entries(headers)
}

/** ICE servers as the addon reads them: `urls` is always a list. */
export function wireIceServers(servers: readonly IceServer[]): WireIceServer[] {
  return servers.map(({ urls, ...rest }) => ({ ...rest, urls: typeof urls === 'string' ? [urls] : [...urls] }))
}

/** A phone's devices as the addon reads them. */
export function wireAudio({ input, output, ring }: AudioDeviceOptions, prefix = '') {
  return {
    input: input === undefined ? undefined : wireInput(`${prefix}input`, input),
    output: output === undefined ? undefined : wireOutput(`${prefix}output`, output),
    ring: ring === undefined ? undefined : wireOutput(`${prefix}ring`, ring),
  }
}

/** The application's own decision about auto-answer, if it gave one. */
export function autoAnswerFunction({ autoAnswer }: SoftphoneOptions) {
  const policy = isPlainObject(autoAnswer) ? (autoAnswer as AutoAnswerOptions).policy : autoAnswer
  return typeof policy === 'function' ? policy : undefined
}

function wireAutoAnswer(autoAnswer: SoftphoneOptions['autoAnswer']): unknown {
  if (!isPlainObject(autoAnswer)) return wirePolicy(autoAnswer)
  const { policy, video, screen, ...rest } = autoAnswer
  return {
    ...rest,
    policy: wirePolicy(policy),
    ...wireLasting({ video, screen } as Shown, 'autoAnswer.'),
  }
}

// The engine's word for a function is no word for a user.
function wirePolicy(policy: unknown): unknown {
  if (policy === 'function') return new Foreign('a string')
  return typeof policy === 'function' ? 'function' : policy
}

function wireTones({ ring, ...rest }: ToneOptions): unknown {
  if (!isPlainObject(ring)) return { ...rest, ring }
  checkOptions('tones.ring', ring, wavInput, { prefix: 'tones.ring.', required: ['wav'] })
  return { ...rest, ring: wireInput('tones.ring', ring as WavInput) }
}

function wireTls({ ca, cert, key, ...rest }: TlsOptions): unknown {
  return { ...rest, ca: Array.isArray(ca) ? ca.map(text) : text(ca), cert: text(cert), key: text(key) }
}

function text(pem: unknown): unknown {
  return pem instanceof Uint8Array ? Buffer.from(pem).toString() : pem
}

/** What is documented, by the engine's names of its objects. */
interface Documented {
  options: Omit<SoftphoneOptions, 'logger'>
  sessionTimersOptions: SessionTimerOptions
  opusOptions: OpusOptions
  toneOptions: ToneOptions
  dtmfOptions: DtmfReception
  tlsOptions: TlsOptions
  autoAnswerOptions: AutoAnswerOptions
  audioOptions: AudioOptions
  portRangeOptions: PortRange
  iceServer: IceServer
  weightedServer: Server
  listenOptions: Listen
  placeOption: ListenPlace
  listenTlsOptions: ListenTls
}

type Names = { [O in keyof typeof optionNames]: (typeof optionNames)[O][number] }
type Differing = { [O in keyof Names]: Exclude<Names[O], keyof Documented[O]> | Exclude<keyof Documented[O], Names[O]> }[keyof Names]

/** Compiles only if the options that are documented are those that the engine reads. */
export const documented: [Differing] extends [never] ? true : Differing = true
