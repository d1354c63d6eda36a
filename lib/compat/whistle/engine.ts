import { Softphone, type PendingSession, type Session } from '../../index'
import { headersOf, phoneOptions, type DialOptions, type WhistleConfig } from './config'
import { TrafficLight } from './traffic-light'

type Hooks = {
  [Name in keyof WhistleConfig as NonNullable<WhistleConfig[Name]> extends (...args: never[]) => void ? Name : never]: WhistleConfig[Name]
}

type State = 'Stopped' | 'Idle' | 'Dialing' | 'Ringing' | 'Connected'

/**
 * Lumen's WhistleEngine on a native phone: one call at a time.
 *
 * ```ts
 * const engine = new WhistleEngine()
 * engine.start({ user, domain, proxy, port: 443, authorization_jwt: `Bearer ${jwt}`, call_connected() {} })
 * engine.dial('+1234567890')
 * ```
 *
 * Methods return false where they can't do what they are asked, and tell the `error` hook and the log why.
 */
export class WhistleEngine {
  #config: WhistleConfig | undefined
  #phone: Softphone | undefined
  #ready: Promise<void> | undefined
  #state: State = 'Stopped'
  #pending: PendingSession | undefined
  #session: Session | undefined
  #dialing: AbortController | undefined

  /** The phone behind it while the engine is started, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#phone
  }

  /** Connects, and registers unless told not to; false where `user` or `domain` is missing, or it is started already. */
  start(config: WhistleConfig): boolean {
    if (this.#phone) return this.#no('start: the engine is started already')
    const absent = (['user', 'domain'] as const).find((name) => !config?.[name])
    if (absent) return this.#no(`start: ${absent} is missing`)
    this.#config = config
    const phone = this.#made(config)
    if (!phone) return false
    this.#phone = phone
    this.#state = 'Idle'
    this.#follow(phone)
    this.#ready = phone.initialize()
    this.#ready.catch((error: Error) => this.#complain(`start: ${causeOf(error)}`, error))
    return true
  }

  /** Ends the call, unregisters and disconnects; afterwards nothing keeps the process alive. */
  stop(): boolean {
    const phone = this.#phone
    if (!phone) return this.#no('stop: the engine is not started')
    this.#dialing?.abort()
    phone.destroy().catch((error: Error) => this.#complain(`stop: ${error.message}`, error))
    this.#phone = undefined
    this.#ready = undefined
    this.#session = undefined
    this.#pending = undefined
    this.#state = 'Stopped'
    return true
  }

  /** Calls a number, a user of the domain or a `sip:` address as soon as the engine is connected; false unless idle. */
  dial(target: string, options: DialOptions = {}): boolean {
    if (this.#state !== 'Idle') return this.#no(`dial: the engine is ${this.#state.toLowerCase()}`)
    if (typeof target !== 'string' || target === '') return this.#no('dial: a number or an address is expected')
    this.#state = 'Dialing'
    void this.#place(target, options)
    return true
  }

  /** Answers the incoming call; false where none rings. */
  answer(): boolean {
    if (!this.#phone || !this.#pending) return this.#no('answer: no call rings')
    this.#phone.acceptPendingSession(this.#pending.id)
    return true
  }

  /** Ends the call, gives up the one being placed, or refuses the one that rings; false where there is none. */
  hangup(): boolean {
    if (this.#session) return this.#doing('hangup', this.#session.end())
    if (this.#phone && this.#pending) return this.#doing('hangup', this.#phone.rejectPendingSession(this.#pending.id))
    if (!this.#dialing) return this.#no('hangup: there is no call')
    this.#dialing.abort()
    return true
  }

  /** Sends digits; false without a connected call. */
  sendDTMF(digits: string | number): boolean {
    return this.#talking('sendDTMF', (session) => session.sendDtmf(String(digits)))
  }

  /** Mutes or unmutes the microphone; false without a connected call. */
  setMute(mute: boolean): boolean {
    return this.#talking('setMute', (session) => (mute ? session.mute() : session.unmute()))
  }

  /** Puts the call on hold or takes it off; false without a connected call. */
  setHold(hold: boolean): boolean {
    return this.#talking('setHold', (session) => (hold ? session.hold() : session.resume()))
  }

  /** Sends an INFO inside the call; false without a connected call. What the other party refuses goes to `error`. */
  sendInfo(contentType: string, body: string): boolean {
    return this.#talking('sendInfo', (session) => session.sendInfo({ contentType, body }))
  }

  #made(config: WhistleConfig): Softphone | undefined {
    try {
      return new Softphone(phoneOptions(config))
    } catch (error) {
      this.#complain(`start: ${(error as Error).message}`, error as Error)
      return undefined
    }
  }

  async #place(target: string, { extraHeaders }: DialOptions): Promise<void> {
    const dialing = new AbortController()
    this.#dialing = dialing
    try {
      const headers = headersOf(extraHeaders)
      await unlessAborted(this.#ready, dialing.signal)
      await this.#phone?.call(target, { headers, signal: dialing.signal })
    } catch (error) {
      // A call that exists tells its own end.
      if (this.#dialing !== dialing) return
      this.#dialing = undefined
      if (this.#state === 'Dialing') this.#state = 'Idle'
      if (!dialing.signal.aborted) this.#complain(`dial: ${causeOf(error as Error)}`, error as Error)
      this.#hook('call_failed', error as Error)
    }
  }

  #follow(phone: Softphone): void {
    phone.on('registered', () => this.#hook('registered'))
    phone.on('unregistered', () => this.#hook('unregistered'))
    phone.on('disconnected', ({ reason }) => {
      if (phone === this.#phone) this.#complain(`The connection is lost: ${reason}`)
    })
    phone.on('error', (error) => this.#complain(error.message, error))
    phone.on('pendingSession', (pending) => this.#ring(phone, pending))
    for (const event of ['cancelPendingSession', 'handledPendingSession'] as const) {
      phone.on(event, (id, { reason }) => {
        if (this.#pending?.id !== id) return
        this.#idle(phone)
        this.#hook('call_failed', reason)
      })
    }
    phone.on('sessionStarted', (session) => this.#begin(phone, session))
  }

  #ring(phone: Softphone, pending: PendingSession): void {
    if (this.#state !== 'Idle') {
      this.#complain(`A call of ${pending.address} was refused: there is one already`)
      phone.rejectPendingSession(pending.id).catch(() => {})
      return
    }
    this.#pending = pending
    this.#state = 'Ringing'
    this.#hook('incoming_call', pending.uri, pending.displayName ?? '')
  }

  #begin(phone: Softphone, session: Session): void {
    this.#session = session
    this.#pending = undefined
    this.#dialing = undefined
    let connected = false
    const light = new TrafficLight((connectivity) => this.#hook('connectivity_update', connectivity))
    session.on('progress', ({ code }) => code === 180 && this.#hook('call_ringing'))
    session.on('change:active', (_session, active) => {
      if (!active) return
      connected = true
      this.#state = 'Connected'
      this.#hook('call_connected')
      light.start()
    })
    session.on('stats', (stats) => light.see(stats))
    session.on('info', (info) => this.#hook('info', info))
    session.on('terminated', (_session, reason) => {
      this.#idle(phone)
      if (connected) this.#hook('call_disconnected', reason)
      this.#hook(connected ? 'call_ended' : 'call_failed', reason)
    })
  }

  // A phone that was stopped ends its call while another may be running already.
  #idle(phone: Softphone): void {
    if (phone !== this.#phone) return
    this.#session = undefined
    this.#pending = undefined
    this.#state = 'Idle'
  }

  #talking(method: string, act: (session: Session) => Promise<void>): boolean {
    if (!this.#session || this.#state !== 'Connected') return this.#no(`${method}: there is no connected call`)
    return this.#doing(method, act(this.#session))
  }

  #doing(method: string, done: Promise<void>): boolean {
    done.catch((error: Error) => this.#complain(`${method}: ${error.message}`, error))
    return true
  }

  #hook<Name extends keyof Hooks>(name: Name, ...args: Parameters<NonNullable<Hooks[Name]>>): void {
    const hook = this.#config?.[name] as ((...args: unknown[]) => void) | undefined
    hook?.apply(this.#config, args)
  }

  #no(message: string): false {
    this.#complain(message)
    return false
  }

  #complain(message: string, error = new Error(message)): void {
    const { logger = console } = this.#config?.phone ?? {}
    logger.warn(`[offhook] ${message}`)
    this.#hook('error', error)
  }
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

async function unlessAborted(done: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  await Promise.race([done, aborted])
  signal.throwIfAborted()
}
