import { SoftphoneError } from '../../index'
import { checkOptions, type Schema } from '../../schema'
import { apiAddress, askRest, httpError, restPath } from '../rest'

/** Who asks Exotel's API, as its address in the document has it. */
export interface ExotelApi {
  /** The API key. */
  apiKey: string
  /** The API token. */
  apiToken: string
  /** The account's SID. */
  accountSid: string
  /** The host, such as `api.exotel.com`; a leading `@` is left away. */
  subdomain?: string
  /** The whole base address instead, such as `http://127.0.0.1:8080`. */
  baseUrl?: string
}

/** Members of the request; further ones of the platform's API are sent as they are. */
export interface MakeCallParameters {
  /** The caller's SIP user; default this phone's. */
  From?: string
  /** The number to call. */
  To: string
  /** The caller's number to show. */
  CallerId: string
  [member: string]: string | undefined
}

const apiSchema: Schema = { apiKey: 'text', apiToken: 'text', accountSid: 'text', subdomain: 'text', baseUrl: apiAddress }

/** `POST …/Calls/connect`: the platform calls `From`, then `To`; resolves with the call's SID. */
export async function connectCall(api: ExotelApi, parameters: MakeCallParameters, signal: AbortSignal): Promise<string> {
  checkOptions('api', api, apiSchema, { required: ['apiKey', 'apiToken', 'accountSid'] })
  const { apiKey, apiToken, accountSid } = api
  const path = `/v1/Accounts${restPath(accountSid)}/Calls/connect`
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const text = await askRest(baseOf(api) + path, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:${apiToken}`).toString('base64')}` },
    body: new URLSearchParams(given),
    signal,
  })
  // XML by default, JSON if the platform is set to it.
  const sid = /<Sid>([^<]+)<\/Sid>/.exec(text)?.[1] ?? /"Sid"\s*:\s*"([^"]+)"/.exec(text)?.[1]
  if (!sid) throw httpError(`The answer to POST ${path} names no call`, text)
  return sid
}

function baseOf({ baseUrl, subdomain }: ExotelApi): string {
  if (baseUrl) return baseUrl.replace(/\/+$/, '')
  if (subdomain) return `https://${subdomain.replace(/^@/, '')}`
  throw new SoftphoneError("Option 'subdomain' must be the API's host", {
    code: 'ERR_INVALID_OPTION',
    type: 'invalid_options',
  })
}
