import { audioInput, audioOutput, wavInput } from './audio'
import { invalidOption } from './errors'
import type { LogLevel, SoftphoneOptions } from './options'
import { checkOptions, mismatch, type Rule, type Schema } from './schema'

/** The levels of the log by importance. */
export const levels: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']

const whole = (min: number, max: number): Rule => ({ number: { min, max, integer: true } })
const oneOrMore = (rule: Rule): Rule => ({ either: [rule, { arrayOf: rule, min: 1 }] })
const pem: Rule = { either: ['text', { instance: Uint8Array, expected: 'a Buffer' }] }
const server: Schema = { url: 'text', priority: whole(0, 65_535), weight: whole(0, 65_535) }
const iceServer: Schema = { urls: oneOrMore('text'), username: 'string', credential: 'string' }
const country: Rule = {
  oneOf: ['at', 'au', 'be', 'br', 'ca', 'ch', 'cn', 'de', 'es', 'fr', 'gb', 'in', 'it', 'jp', 'nl', 'nz', 'se', 'us'],
}
const ringing: Rule = { either: ['boolean', { object: wavInput, required: ['wav'] }] }
const policy: Rule = { either: [{ oneOf: ['off', 'announced', 'headers', 'always'] }, 'function'] }

/** Headers that the application adds. */
export const headers: Rule = { record: 'string' }

/** Where log lines go. */
export const logger: Rule = { check: checkLogger, expected: 'a logger' }

/** A list of ICE servers. */
export const iceServers: Rule = { arrayOf: { object: iceServer, required: ['urls'] } }

/** The devices of a phone, as they can be changed. */
export const audioDevices: Schema = { input: audioInput, output: audioOutput, ring: audioOutput }

const audioOptions: Schema = { ...audioDevices, fallback: { oneOf: ['default', 'none'] } }

/** The options of a phone. */
export const softphoneOptions: Schema = {
  accessToken: { either: ['text', 'function'] },
  environment: 'text',
  orgId: 'text',
  sessionSurvivability: 'boolean',
  autoAnswerOutboundCalls: 'boolean',
  autoConnectSessions: 'boolean',
  iceServers,
  iceTransportPolicy: { oneOf: ['all', 'relay'] },
  logger,
  logLevel: { oneOf: levels },
  uri: 'text',
  displayName: 'string',
  servers: {
    either: [
      'text',
      { object: server, required: ['url'] },
      { arrayOf: { either: ['text', { object: server, required: ['url'] }] }, min: 1 },
    ],
  },
  username: 'text',
  password: 'text',
  ha1: 'text',
  realm: oneOrMore('text'),
  register: 'boolean',
  registerExpires: whole(1, 86_400),
  instanceId: 'text',
  userAgent: 'text',
  extraHeaders: headers,
  contactHost: 'text',
  contactTransport: { oneOf: ['ws', 'wss', false] },
  tls: {
    object: {
      ca: { either: [pem, { arrayOf: pem }] },
      cert: pem,
      key: pem,
      servername: 'text',
      rejectUnauthorized: 'boolean',
    },
  },
  outboundProxy: oneOrMore('text'),
  authorization: { oneOf: ['challenge', 'always'] },
  allowInsecure: 'boolean',
  conversationIdHeader: oneOrMore('text'),
  autoAnswer: {
    either: [
      policy,
      {
        object: {
          policy,
          delay: whole(0, 60_000),
          whenBusy: { oneOf: ['ring', 'answer', 'reject'] },
          trustedPeers: { arrayOf: 'text' },
          beep: 'boolean',
        },
      },
    ],
  },
  followRedirects: 'boolean',
  maxSessions: whole(1, 1_000_000),
  maxRinging: whole(1, 1000),
  whenFull: { oneOf: ['busy', 'unavailable'] },
  noAnswerTimeout: whole(1000, 3_600_000),
  sessionTimers: { either: ['boolean', { object: { expires: whole(90, 86_400), minSe: whole(90, 86_400) } }] },
  codecs: { arrayOf: { oneOf: ['opus', 'G722', 'PCMU', 'PCMA'] }, min: 1 },
  dtmf: { object: { inband: { oneOf: ['auto', true, false] } } },
  opus: { object: { rate: { oneOf: [8000, 16000, 24000, 48000] }, bitrate: whole(6000, 510_000), complexity: whole(0, 10) } },
  audio: { either: [{ oneOf: ['none'] }, { object: audioOptions }] },
  tones: { either: ['boolean', country, { object: { country, ring: ringing, ringback: 'boolean', callWaiting: 'boolean' } }] },
  holdMusic: audioInput,
  holdOthers: 'boolean',
  hangUpOnExit: 'boolean',
  notifies: { arrayOf: 'text' },
  iceGatheringTimeout: whole(0, 60_000),
}

/** Throws for missing options what the PureCloud SDK throws, and names any that is unknown or of a wrong type. */
export function checkSoftphoneOptions(options: unknown): asserts options is SoftphoneOptions {
  if (options === undefined || options === null) throw invalidOption('Options required to create an instance of the SDK')
  checkOptions('options', options, softphoneOptions)
}

function checkLogger(name: string, value: unknown): void {
  const missing = ['debug', 'info', 'warn', 'error'].find(
    (level) => typeof (value as Record<string, unknown> | null)?.[level] !== 'function',
  )
  if (missing) throw mismatch(name, value, `a logger with a function '${missing}', such as console`)
}
