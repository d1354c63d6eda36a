import type { AutoAnswerOptions, Logger, LogLevel, SoftphoneOptions } from '../../index'
import { logger as loggerRule } from '../../checked-options'
import { checkOptions, mismatch, shownName, type Schema } from '../../schema'
import { optionNames } from '../../wire'
import { iceServerNames, iceServers } from '../ice-servers'
import { apiAddress } from '../rest'
import type { PureCloudOptions } from './options'

/** What the constructor's options come to. */
export interface Settings {
  /** For the phone. */
  readonly phone: SoftphoneOptions
  /** What the application calls the phone's options otherwise. */
  readonly names: Readonly<Record<string, string>>
  /** Where the public API is, if anywhere. */
  readonly baseUrl: string | undefined
  readonly logger: Logger
  readonly logLevel: LogLevel
  /** What is odd about the options. */
  readonly warnings: readonly string[]
}

const logLevels: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const phoneOptions = Object.fromEntries(['logger', ...optionNames.options].map((name) => [name, true])) as Record<keyof SoftphoneOptions, true>

const ownOptions = { baseUrl: true, wsHost: true } as const

const ownSchema: Schema = { baseUrl: { either: [{ oneOf: [false] }, apiAddress] }, wsHost: 'text', logger: loggerRule }

/** What the original does: it answers every outbound call, also during another one. */
const outbound: AutoAnswerOptions = { policy: 'headers', whenBusy: 'answer' }

/** The environments that the original knows. */
const environments = ['mypurecloud.com', 'mypurecloud.ie', 'mypurecloud.jp', 'mypurecloud.de', 'mypurecloud.com.au']

const notStandard = 'Environment is not in the standard list. You may not be able to connect.'

/** Reads the options as the original does: what it does not know it lets pass, and says so. */
export function settingsOf(options: PureCloudOptions): Settings {
  if (options === undefined || options === null) throw new Error('Options required to create an instance of the SDK')
  if (typeof options !== 'object') throw mismatch('options', options, 'an object')
  if (!options.accessToken && !options.uri) throw new Error('Access token is required to create an instance of the SDK')
  const warnings: string[] = []
  const known: PureCloudOptions = knownOf(options, { ...phoneOptions, ...ownOptions }, (text) => warnings.push(text))
  const { logger, wsHost, baseUrl = defaultBaseUrl(known), ...phone } = known
  checkOptions('options', { logger, wsHost, baseUrl: known.baseUrl }, ownSchema)
  warnings.push(...odd(known))
  const logLevel = level(known.logLevel, warnings)
  if (phone.orgId !== undefined && !guid.test(phone.orgId)) {
    delete phone.orgId
    warnings.push("Option 'orgId' is not a GUID and is not sent")
  }
  const names = { ...(phone.servers === undefined && wsHost !== undefined && { servers: 'wsHost' }), ...iceServerNames(phone.iceServers) }
  // What a function gives, the phone judges.
  if (phone.iceServers !== undefined && typeof phone.iceServers !== 'function') phone.iceServers = iceServers('iceServers', phone.iceServers)
  const servers = phone.servers ?? wsHost
  const autoAnswer = phone.autoAnswer ?? (phone.autoAnswerOutboundCalls === false ? undefined : outbound)
  return {
    // The phone judges the texts.
    phone: { ...(phone as SoftphoneOptions), logLevel, ...(servers && { servers }), ...(autoAnswer !== undefined && { autoAnswer }) },
    names,
    baseUrl: baseUrl === false ? undefined : baseUrl,
    logger: logger ?? console,
    logLevel,
    warnings,
  }
}

// What the document requires and the original does without, in its own texts.
function odd({ uri, environment, orgId }: PureCloudOptions): string[] {
  if (uri) return []
  return [
    ...(environment === undefined ? ['No environment provided, using mypurecloud.com'] : []),
    ...(environment === undefined || environments.includes(environment) ? [] : [notStandard]),
    ...(orgId === undefined ? ["Option 'orgId' is not given: no X-Organization-Id is sent"] : []),
  ]
}

/** What is known of some options: what is not known is told and left out, and what is null was not given. */
export function knownOf<Options extends object>(
  options: Options,
  known: Partial<Record<keyof Options, true>>,
  warn: (text: string) => void,
): Options {
  const entries = Object.entries(options).filter(([name, value]) => {
    if (Object.hasOwn(known, name)) return value !== undefined && value !== null
    warn(`Option '${shownName(name)}' is unknown and has no effect`)
    return false
  })
  return Object.fromEntries(entries) as Options
}

// Whoever has no token has no public API.
function defaultBaseUrl({ accessToken, environment = 'mypurecloud.com' }: PureCloudOptions): string | false {
  return accessToken ? `https://api.${environment}` : false
}

function level(given: PureCloudOptions['logLevel'], warnings: string[]): LogLevel {
  const known = logLevels.find((one) => one === (given ?? 'info'))
  if (known) return known
  warnings.push(`Invalid log level: '${given}'. Default 'info' will be used instead.`)
  return 'info'
}
