import { SoftphoneError, type Session, type Softphone, type VideoOutput } from '../../index'
import { BandwidthRtcError } from './errors'
import { CALL_HEADER, ENDPOINT_HEADER, TOKEN_HEADER, type TokenClaims } from './token'

/** Milliseconds between calls to a machine that has no time: seven seconds in all. */
const pauses = [250, 500, 1000, 2000, 3500]

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

  /** A machine that is too busy for another call says so, and takes it later. */
  async #answered(phone: Softphone, claims: TokenClaims, endpointId: string): Promise<Session> {
    for (const pause of pauses) {
      try {
        return await this.#answeredNow(phone, claims, endpointId)
      } catch (error) {
        if (!isBusy(phone, error)) throw error
        await new Promise((passed) => setTimeout(passed, pause))
      }
    }
    return this.#answeredNow(phone, claims, endpointId)
  }

  async #answeredNow(phone: Softphone, claims: TokenClaims, endpointId: string): Promise<Session> {
    const headers = { [TOKEN_HEADER]: claims.key, [ENDPOINT_HEADER]: endpointId, [CALL_HEADER]: 'watch' }
    const session = await phone.call(claims.room, { mediaStream: 'none', audioElement: 'none', video: 'none', headers })
    await session.answered
    return session
  }
}

/** Whether there, or here, is no time for another call. */
function isBusy(phone: Softphone, error: unknown): boolean {
  if (!(error instanceof SoftphoneError)) return false
  return error.sip?.code === 503 || (error.code === 'ERR_TOO_MANY_SESSIONS' && phone.load >= 1)
}
