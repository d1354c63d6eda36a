import type { Session, Softphone, VideoOutput } from '../../index'
import { BandwidthRtcError } from './errors'
import { CALL_HEADER, ENDPOINT_HEADER, TOKEN_HEADER, type TokenClaims } from './token'

/** What of the others' pictures is seen here: a call to the room for each stream. */
export class Watching {
  readonly #calls = new Map<string, Promise<Session>>()
  /** Those whose pictures go somewhere. */
  readonly #shown = new WeakSet<Session>()

  /** Gives a stream's pictures to an output, for as long as it lasts. */
  async watch(phone: Softphone, claims: TokenClaims, endpointId: string, output: VideoOutput): Promise<void> {
    const known = this.#calls.get(endpointId)
    if (output === 'none') return void (await (await known?.catch(() => undefined))?.end())
    const calling = known ?? this.#call(phone, claims, endpointId)
    const session = await calling
    const [stream] = session.streams
    if (!stream) {
      await session.end()
      throw new BandwidthRtcError('the room shows nothing of it')
    }
    try {
      await session.setVideoOutput(stream.id, output)
      this.#shown.add(session)
    } catch (error) {
      // Nobody would see it, and the room would send it. One that is seen already goes on as it was.
      if (!this.#shown.has(session) && session.state !== 'ended') await session.end().catch(() => {})
      throw error
    }
  }

  /** Forgets what was watched by a phone that is gone. */
  forget(): void {
    this.#calls.clear()
  }

  #call(phone: Softphone, claims: TokenClaims, endpointId: string): Promise<Session> {
    const calling = this.#answered(phone, claims, endpointId)
    this.#calls.set(endpointId, calling)
    const over = () => {
      if (this.#calls.get(endpointId) === calling) this.#calls.delete(endpointId)
    }
    calling.then((session) => session.on('terminated', over), over)
    return calling
  }

  async #answered(phone: Softphone, claims: TokenClaims, endpointId: string): Promise<Session> {
    const headers = { [TOKEN_HEADER]: claims.key, [ENDPOINT_HEADER]: endpointId, [CALL_HEADER]: 'watch' }
    const session = await phone.call(claims.room, { mediaStream: 'none', audioElement: 'none', video: 'none', headers })
    await session.answered
    return session
  }
}
