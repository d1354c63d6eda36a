import type { PendingSession, Session, Softphone } from '../../index'
import { shownName } from '../../schema'
import { tell } from '../tell'
import { headersOf, phoneOfConfig, type DialOptions, type WhistleConfig } from './config'
import { TrafficLight } from './traffic-light'

type Hooks = {
  [Name in keyof WhistleConfig as NonNullable<WhistleConfig[Name]> extends (...args: never[]) => void ? Name : never]: WhistleConfig[Name]
}

/** What lasts from `start` to `stop`; the call of one that was stopped may still be ending while the next runs. */
interface Run {
  readonly config: WhistleConfig
  readonly phone: Softphone
  state: 'Idle' | 'Dialing' | 'Ringing' | 'Connected'
  /** Settles when the phone is connected; left out if that failed. */
  connecting: Promise<void> | undefined
  connected: boolean
  registered: boolean
  pending: PendingSession | undefined
  session: Session | undefined
  dialing: AbortController | undefined
  refusing: boolean
}

/**
 * Lumen's WhistleEngine on a native phone: one call at a time.
 *
 * ```ts
 * const engine = new WhistleEngine()
 * engine.start({ user, domain, proxy, port: 443, authorization_jwt: `Bearer ${jwt}`, call_connected() {} })
 * engine.dial('+1234567890')
 * ```
 *
 * Methods return false if they can't do what they are asked, and tell the `error` hook and the log why.
 */
export class WhistleEngine {
  #config: WhistleConfig | undefined
  #run: Run | undefined

  /** The phone behind it while the engine is started, for everything beyond the document. */
  get phone(): Softphone | undefined {
    return this.#run?.phone
  }

  /** Connects, and registers unless told not to; false if `user` or `domain` is missing, or it is started already. */
  start(config: WhistleConfig): boolean {
    if (this.#run) return this.#no('start: the engine is started already')
    const absent = (['user', 'domain'] as const).find((name) => !config?.[name])
    if (absent) return this.#no(`start: ${absent} is missing`, config)
    this.#config = config
    const phone = this.#made(config)
    if (!phone) return false
    const run: Run = {
      ...{ config, phone, state: 'Idle', connecting: undefined, connected: false, registered: false },
      ...{ pending: undefined, session: undefined, dialing: undefined, refusing: false },
    }
    this.#run = run
    this.#follow(run)
    this.#connect(run).catch((error: Error) => this.#complain(`start: ${causeOf(error)}`, error, run.config))
    return true
  }

  /** Ends the call, unregisters and disconnects; afterwards nothing keeps the process alive. */
  stop(): boolean {
    const run = this.#run
    if (!run) return this.#no('stop: the engine is not started')
    this.#run = undefined
    run.dialing?.abort()
    run.phone.destroy().catch((error: Error) => this.#complain(`stop: ${error.message}`, error, run.config))
    return true
  }

  /** Calls a number, a user of the domain or a `sip:` address as soon as the engine is connected; false unless idle. */
  dial(target: string, options?: DialOptions): boolean {
    const run = this.#run
    if (run?.state !== 'Idle') return this.#no(`dial: the engine is ${run?.state.toLowerCase() ?? 'stopped'}`)
    if (typeof target !== 'string' || target === '') return this.#no('dial: a number or an address is expected')
    run.state = 'Dialing'
    void this.#place(run, target, options ?? {})
    return true
  }

  /** Answers the incoming call; false if none rings. */
  answer(): boolean {
    if (!this.#run?.pending || this.#run.refusing) return this.#no('answer: no call rings')
    this.#run.phone.acceptPendingSession(this.#run.pending.id)
    return true
  }

  /** Ends the call, gives up the one being placed, or refuses the one that rings; false if there is none. */
  hangup(): boolean {
    const run = this.#run
    if (run?.session) return this.#doing('hangup', run.session.end())
    if (run?.pending) return this.#refuse(run, run.pending)
    if (!run?.dialing) return this.#no('hangup: there is no call')
    run.dialing.abort()
    return true
  }

  /** Sends digits: `0`–`9`, `A`–`D`, `*`, `#`; false for others, and without a connected call. */
  sendDTMF(digits: string | number): boolean {
    const tones = String(digits).toUpperCase()
    if (!/^[0-9A-D*#,]+$/.test(tones)) return this.#no('sendDTMF: digits 0-9, A-D, * and # are expected')
    return this.#talking('sendDTMF', (session) => session.sendDtmf(tones))
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
    if (typeof contentType !== 'string' || contentType === '') return this.#no('sendInfo: a media type is expected')
    return this.#talking('sendInfo', (session) => session.sendInfo({ contentType, body }))
  }

  #made(config: WhistleConfig): Softphone | undefined {
    try {
      const { phone, unknown } = phoneOfConfig(config)
      for (const name of unknown) this.#complain(`start: '${shownName(name)}' is unknown and has no effect`)
      return phone
    } catch (error) {
      this.#complain(`start: ${(error as Error).message}`, error as Error)
      return undefined
    }
  }

  // A call that is placed after it failed tries again.
  #connect(run: Run): Promise<void> {
    run.connecting ??= run.phone.initialize().then(
      () => void (run.connected = true),
      (error: Error) => {
        run.connecting = undefined
        throw error
      },
    )
    return run.connecting
  }

  async #place(run: Run, target: string, { extraHeaders }: DialOptions): Promise<void> {
    const dialing = new AbortController()
    run.dialing = dialing
    try {
      const headers = headersOf(extraHeaders)
      await unlessAborted(this.#connect(run), dialing.signal)
      await run.phone.call(target, { headers, signal: dialing.signal })
    } catch (error) {
      // A call that exists tells its own end.
      if (run.dialing !== dialing) return
      run.dialing = undefined
      run.state = 'Idle'
      if (!dialing.signal.aborted) this.#complain(`dial: ${causeOf(error as Error)}`, error as Error, run.config)
      hook(run.config, 'call_failed', dialing.signal.aborted ? dialing.signal.reason : (error as Error))
    }
  }

  #follow(run: Run): void {
    const { phone, config } = run
    const unregistered = () => {
      if (run.registered) hook(config, 'unregistered')
      run.registered = false
    }
    phone.on('registered', () => {
      run.registered = true
      hook(config, 'registered')
    })
    phone.on('unregistered', unregistered)
    phone.on('registrationFailed', ({ reason }) => {
      unregistered()
      this.#fault(run, `The registration failed: ${reason}`)
    })
    phone.on('disconnected', ({ reason }) => {
      unregistered()
      this.#fault(run, `The connection is lost: ${reason}`)
    })
    phone.on('error', (error) => this.#fault(run, error.message, error))
    phone.on('pendingSession', (pending) => this.#ring(run, pending))
    for (const event of ['cancelPendingSession', 'handledPendingSession'] as const) {
      phone.on(event, (id, { reason }) => {
        if (run.pending?.id !== id) return
        idle(run)
        hook(config, 'call_failed', reason)
      })
    }
    phone.on('sessionStarted', (session) => this.#begin(run, session))
  }

  #ring(run: Run, pending: PendingSession): void {
    if (run.state !== 'Idle') {
      this.#complain(`A call of ${pending.address} was refused: there is one already`, undefined, run.config)
      run.phone.rejectPendingSession(pending.id).catch(() => {})
      return
    }
    run.pending = pending
    run.state = 'Ringing'
    hook(run.config, 'incoming_call', pending.uri, pending.displayName ?? '')
  }

  #refuse(run: Run, pending: PendingSession): boolean {
    if (run.refusing) return true
    run.refusing = true
    // What fails in it goes to the phone's `error` as well.
    run.phone.rejectPendingSession(pending.id).catch(() => (run.refusing = false))
    return true
  }

  #begin(run: Run, session: Session): void {
    const { config } = run
    run.session = session
    run.pending = undefined
    run.dialing = undefined
    let connected = false
    const light = new TrafficLight((connectivity) => hook(config, 'connectivity_update', connectivity))
    session.on('progress', ({ code }) => code === 180 && hook(config, 'call_ringing'))
    session.on('change:active', (_session, active) => {
      if (!active) return
      connected = true
      run.state = 'Connected'
      hook(config, 'call_connected')
      light.start()
    })
    session.on('stats', (stats) => light.see(stats))
    session.on('info', (info) => hook(config, 'info', info))
    session.on('terminated', (_session, reason) => {
      idle(run)
      if (connected) hook(config, 'call_disconnected', reason)
      hook(config, connected ? 'call_ended' : 'call_failed', reason)
    })
  }

  #talking(method: string, act: (session: Session) => Promise<void>): boolean {
    const { session, state } = this.#run ?? {}
    if (!session || state !== 'Connected') return this.#no(`${method}: there is no connected call`)
    return this.#doing(method, act(session))
  }

  #doing(method: string, done: Promise<void>): boolean {
    done.catch((error: Error) => this.#complain(`${method}: ${error.message}`, error))
    return true
  }

  // What is wrong before the phone has been connected is told once, by the method that asked for it.
  #fault(run: Run, message: string, error?: Error): void {
    if (run === this.#run && run.connected) this.#complain(message, error, run.config)
  }

  #no(message: string, config = this.#config): false {
    this.#complain(message, undefined, config)
    return false
  }

  #complain(message: string, error = new Error(message), config = this.#config): void {
    const { logger = console } = config?.phone ?? {}
    tell(() => logger.warn(`[offhook] ${message}`))
    hook(config, 'error', error)
  }
}

function hook<Name extends keyof Hooks>(
  config: WhistleConfig | undefined,
  name: Name,
  ...args: Parameters<NonNullable<Hooks[Name]>>
): void {
  const own = config?.[name] as ((...args: unknown[]) => void) | undefined
  if (typeof own === 'function') tell(() => own.apply(config, args))
}

function idle(run: Run): void {
  run.session = undefined
  run.pending = undefined
  run.refusing = false
  run.state = 'Idle'
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
