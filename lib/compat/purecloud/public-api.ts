import { SoftphoneError } from '../../index'
import type { SoftphoneSessionParameters, StartedConversation } from './options'

/** What the conversation's participants say of themselves, as far as the SDK needs it. */
interface Participant {
  id: string
  state?: string
  user?: { id?: string }
  userId?: string
}

/** The requests that the SDK makes of PureCloud's public API. */
export class PublicApi {
  readonly #base: string
  readonly #token: () => Promise<string>
  #userId: string | undefined

  constructor(base: string, token: () => Promise<string>) {
    this.#base = base.replace(/\/+$/, '')
    this.#token = token
  }

  /** POST conversations/calls: the platform places the call, whose session comes by itself. */
  async startCall(parameters: SoftphoneSessionParameters): Promise<StartedConversation> {
    const { id, selfUri } = await this.#request('POST', '/conversations/calls', parameters)
    if (typeof id !== 'string' || id === '') throw httpError('POST /conversations/calls named no conversation')
    return { id, selfUri: typeof selfUri === 'string' ? selfUri : '' }
  }

  /** Disconnects the user's own participant of a conversation. */
  async disconnectSelf(conversationId: string): Promise<void> {
    const path = `/conversations/calls/${encodeURIComponent(conversationId)}`
    this.#userId ??= String((await this.#request('GET', '/users/me')).id)
    const { participants = [] } = (await this.#request('GET', path)) as { participants?: Participant[] }
    const own = participants.filter(({ user, userId }) => (user?.id ?? userId) === this.#userId)
    const connected = own.find(({ state }) => state === 'connected') ?? own.at(-1)
    if (!connected) throw httpError(`The user takes no part in conversation ${conversationId}`)
    await this.#request('PATCH', `${path}/participants/${encodeURIComponent(connected.id)}`, { state: 'disconnected' })
  }

  async #request(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await this.#send(method, path, body)
    const text = await response.text()
    if (!response.ok) throw httpError(`${method} ${path} was answered with ${response.status} ${response.statusText}`, text)
    return parsed(text)
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const headers = { authorization: `Bearer ${await this.#token()}`, 'content-type': 'application/json' }
    try {
      return await fetch(`${this.#base}/api/v2${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      throw httpError(`${method} ${path} failed`, cause)
    }
  }
}

function parsed(text: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, as anything else that is no object.
  }
  throw httpError('The answer is no JSON object')
}

function httpError(message: string, cause?: unknown): SoftphoneError {
  return new SoftphoneError(message, { code: 'ERR_HTTP', type: 'http', cause })
}
