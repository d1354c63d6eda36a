import { audioOutput } from '../../audio'
import { logger } from '../../checked-options'
import { checkOptions, isPlainObject, mismatch, type Rule, type Schema } from '../../schema'
import { optionNames } from '../../wire'
import { BandwidthRtcError } from './errors'
import type { RtcOptions } from './rtc'

const account = 'an account with a uri'

// The phone itself judges its options.
const judgedLater: Rule = { check: () => {}, expected: 'what a phone takes' }
const phoneOptions: Schema = Object.fromEntries(optionNames.options.map((name) => [name, judgedLater]))

const schema: Schema = { ...phoneOptions, logger, websocketUrl: 'text', account: { check: checkAccount, expected: account }, output: audioOutput }

/** The options of `connect`; throws what names the one that is wrong. */
export function checkedConnect(options: RtcOptions): RtcOptions {
  try {
    checkOptions('options of connect', options, schema)
    return options
  } catch (error) {
    throw new BandwidthRtcError(`'connect' failed: ${(error as Error).message}`, { cause: error })
  }
}

/** Whose the options are that what the phone says is about: the application's, or those of its account or of the token's. */
export function connectNames({ websocketUrl, account, ...rest }: RtcOptions, ofToken: object = {}): Record<string, string> {
  const owner = account === undefined ? "the token's account." : 'account.'
  const members = ['uri', 'username', 'password', 'ha1', 'realm', 'accessToken', 'displayName', 'authorization', 'register']
  const given = Object.keys(account ?? ofToken)
  const absent = [...members, 'servers'].filter((name) => !Object.hasOwn(rest, name))
  const named = Object.fromEntries([...absent, ...given].map((name) => [name, owner + name]))
  return websocketUrl === undefined ? named : { ...named, servers: 'websocketUrl' }
}

function checkAccount(name: string, value: unknown): void {
  if (!isPlainObject(value)) throw mismatch(name, value, account)
}
