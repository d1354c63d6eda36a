import { wireInput, wireOutput } from './audio'
import type { AudioOptions, AutoAnswerOptions, IceServer, LogLevel, SoftphoneOptions, TlsOptions } from './options'
import type { WireIceServer } from './wire'

/** The options as the addon reads them: JSON, with the token that a function fetched. */
export function wireOptions(options: SoftphoneOptions, token: string | undefined, logLevel: LogLevel): string {
  const { logger: _logger, ...plain } = options
  return JSON.stringify({
    ...plain,
    accessToken: token,
    renewableToken: typeof options.accessToken === 'function' ? true : undefined,
    iceServers: options.iceServers && wireIceServers(options.iceServers),
    extraHeaders: wireHeaders(options.extraHeaders),
    tls: options.tls && wireTls(options.tls),
    autoAnswer: wireAutoAnswer(options.autoAnswer),
    audio: typeof options.audio === 'object' ? { ...wireAudio(options.audio, 'audio.'), fallback: options.audio.fallback } : options.audio,
    tones: wireTones(options.tones),
    holdMusic: options.holdMusic && wireInput('holdMusic', options.holdMusic),
    logLevel,
  })
}

/** Headers as the addon reads them: pairs in order. */
export function wireHeaders(headers: Readonly<Record<string, string>> | undefined): [name: string, value: string][] | undefined {
  return headers && Object.entries(headers)
}

/** ICE servers as the addon reads them: `urls` is always a list. */
export function wireIceServers(servers: readonly IceServer[]): WireIceServer[] {
  return servers.map(({ urls, ...rest }) => ({ ...rest, urls: typeof urls === 'string' ? [urls] : [...urls] }))
}

/** A phone's devices as the addon reads them. */
export function wireAudio({ input, output, ring }: AudioOptions, prefix = '') {
  return {
    input: input && wireInput(`${prefix}input`, input),
    output: output && wireOutput(`${prefix}output`, output),
    ring: ring && wireOutput(`${prefix}ring`, ring),
  }
}

/** The application's own decision about auto-answer, if it gave one. */
export function autoAnswerFunction({ autoAnswer }: SoftphoneOptions) {
  const policy = typeof autoAnswer === 'object' ? autoAnswer.policy : autoAnswer
  return typeof policy === 'function' ? policy : undefined
}

function wireAutoAnswer(autoAnswer: SoftphoneOptions['autoAnswer']) {
  if (autoAnswer === undefined) return undefined
  const options: AutoAnswerOptions = typeof autoAnswer === 'object' ? autoAnswer : { policy: autoAnswer }
  return { ...options, policy: typeof options.policy === 'function' ? 'function' : options.policy }
}

function wireTones(tones: SoftphoneOptions['tones']) {
  if (typeof tones !== 'object') return tones
  const { ring } = tones
  return { ...tones, ring: typeof ring === 'object' ? wireInput('tones.ring', ring) : ring }
}

function wireTls({ ca, cert, key, ...rest }: TlsOptions) {
  const pems = ca === undefined || typeof ca === 'string' || ca instanceof Uint8Array ? ca && [ca] : [...ca]
  return { ...rest, ca: pems && pems.map(String), cert: cert && String(cert), key: key && String(key) }
}
