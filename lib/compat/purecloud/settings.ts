import type { Logger, LogLevel, SoftphoneOptions } from '../../index'
import type { PureCloudOptions } from './options'

/** What the constructor's options come to. */
export interface Settings {
  /** For the phone. */
  readonly phone: SoftphoneOptions
  /** Where the public API is, if anywhere. */
  readonly baseUrl: string | undefined
  readonly logger: Logger
  readonly logLevel: LogLevel
  /** What is odd about the options. */
  readonly warnings: readonly string[]
}

const logLevels: readonly LogLevel[] = ['trace', 'debug', 'log', 'info', 'warn', 'error']
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const phoneOptions: readonly (keyof SoftphoneOptions)[] = [
  'accessToken',
  'allowInsecure',
  'audio',
  'authorization',
  'autoAnswer',
  'autoAnswerOutboundCalls',
  'autoConnectSessions',
  'codecs',
  'contactTransport',
  'conversationIdHeader',
  'displayName',
  'environment',
  'extraHeaders',
  'ha1',
  'holdMusic',
  'iceGatheringTimeout',
  'iceServers',
  'iceTransportPolicy',
  'instanceId',
  'logger',
  'maxSessions',
  'noAnswerTimeout',
  'opus',
  'orgId',
  'outboundProxy',
  'password',
  'realm',
  'register',
  'registerExpires',
  'servers',
  'sessionSurvivability',
  'sessionTimers',
  'tls',
  'uri',
  'userAgent',
  'username',
]

/** Reads the options as the original does: what it does not know it lets pass, and says so. */
export function settingsOf(options: PureCloudOptions): Settings {
  if (options === undefined || options === null) throw new Error('Options required to create an instance of the SDK')
  if (!options.accessToken && !options.uri) throw new Error('Access token is required to create an instance of the SDK')
  const warnings: string[] = []
  const known = pick(options, warnings)
  const { logger = console, wsHost, baseUrl, environment = 'mypurecloud.com' } = options
  const logLevel = level(options.logLevel, warnings)
  if (known.orgId !== undefined && !guid.test(known.orgId)) {
    delete known.orgId
    warnings.push("Option 'orgId' is not a GUID and is not sent")
  }
  const servers = known.servers ?? wsHost
  const autoAnswer = known.autoAnswer ?? (known.autoAnswerOutboundCalls === false ? undefined : 'headers')
  return {
    phone: { ...known, logLevel, ...(servers && { servers }), ...(autoAnswer !== undefined && { autoAnswer }) },
    baseUrl: baseUrl === false ? undefined : (baseUrl ?? `https://api.${environment}`),
    logger,
    logLevel,
    warnings,
  }
}

function pick(options: PureCloudOptions, warnings: string[]): SoftphoneOptions {
  const own = ['logLevel', 'baseUrl', 'wsHost']
  const known = Object.entries(options).filter(([name, value]) => {
    const takes = (phoneOptions as readonly string[]).includes(name)
    if (!takes && !own.includes(name)) warnings.push(`Option '${name}' is unknown and has no effect`)
    return takes && value !== undefined && value !== null
  })
  return Object.fromEntries(known)
}

function level(given: LogLevel | undefined, warnings: string[]): LogLevel {
  if (given === undefined || given === null) return 'info'
  if (logLevels.includes(given)) return given
  warnings.push(`Invalid log level: '${given}'. Default 'info' will be used instead.`)
  return 'info'
}
