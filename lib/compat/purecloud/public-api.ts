import { SoftphoneError } from '../../index'
import { askRest, httpError, restPath } from '../rest'
import type { SoftphoneSessionParameters, StartedConversation } from './options'

/** What the conversation's participants say of themselves, as far as the SDK needs it. */
interface Participant {
  id?: unknown
  state?: unknown
  user?: { id?: unknown } | null
  userId?: unknown
}

/** The requests that the SDK makes of PureCloud's public API. */
export class PublicApi {
  readonly #base: string
  readonly #token: () => Promise<string>
  readonly #closed = new AbortController()
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
    const path = `/conversations/calls${restPath(conversationId)}`
    this.#userId ??= await this.#askUserId()
    const { participants } = await this.#request('GET', path)
    const own = participantsOf(participants).filter(({ user, userId }) => (user?.id ?? userId) === this.#userId)
    const { id } = own.find(({ state }) => state === 'connected') ?? own.at(-1) ?? {}
    if (typeof id !== 'string') throw httpError(`The user takes no part in conversation ${conversationId}`)
    await this.#request('PATCH', `${path}/participants${restPath(id)}`, { state: 'disconnected' })
  }

  /** The token is another one now, perhaps another user's. */
  forgetUser(): void {
    this.#userId = undefined
  }

  /** Gives up what is being asked. */
  close(): void {
    this.#closed.abort(new Error('the SDK was destroyed'))
  }

  async #askUserId(): Promise<string> {
    const { id } = await this.#request('GET', '/users/me')
    if (typeof id !== 'string' || id === '') throw httpError('GET /users/me named no user')
    return id
  }

  async #request(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const text = await askRest(`${this.#base}/api/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${sendable(await this.#token())}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: this.#closed.signal,
    })
    return parsed(text, `${method} ${path}`)
  }
}

// fetch would show the token in its error.
function sendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new SoftphoneError('The access token is empty or has characters that no header may have', {
    code: 'ERR_ACCESS_TOKEN',
    type: 'invalid_token',
  })
}

function participantsOf(participants: unknown): Participant[] {
  if (!Array.isArray(participants)) return []
  return participants.filter((one: unknown): one is Participant => typeof one === 'object' && one !== null)
}

function parsed(text: string, what: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, as anything else that is no object.
  }
  throw httpError(`The answer to ${what} is no JSON object`, text)
}
