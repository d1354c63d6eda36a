import { Softphone, type AudioDevice, type IceServer } from '../index'
import { Pbx } from '../testing'
import type { Cli } from './cli'
import { abortOf } from './interrupt'

/** Sound comes through, or a device opens, in this time in milliseconds or not at all. */
const PATIENCE_MS = 6000
/** What is quieter than this, linear, is not heard. */
const HEARD = 0.003

/** A switchboard and a phone in this process, on which parts of a call are tried by themselves. */
export class Rig {
  readonly #cli: Cli
  readonly #pbx: Pbx
  readonly #phone: Softphone

  static async start(cli: Cli): Promise<Rig> {
    const pbx = await Pbx.start({ users: [{ name: 'doctor', password: 'within-this-process' }] })
    const phone = phoneAt(pbx, cli)
    try {
      await phone.initialize({ signal: cli.interrupt.signal })
      return new Rig(cli, pbx, phone)
    } catch (error) {
      await phone.destroy()
      await pbx.close()
      throw error
    }
  }

  private constructor(cli: Cli, pbx: Pbx, phone: Softphone) {
    this.#cli = cli
    this.#pbx = pbx
    this.#phone = phone
  }

  /** Whether a call from this machine to itself carries sound. */
  async hearsItself(): Promise<boolean> {
    const session = await this.#phone.call('tone', { signal: AbortSignal.timeout(PATIENCE_MS) })
    const heard = new Promise<boolean>((resolve) => session.on('level', ({ remote }) => remote > HEARD && resolve(true)))
    const late = abortOf(AbortSignal.timeout(PATIENCE_MS)).then(() => false)
    try {
      await session.answered
      return await Promise.race([heard, late])
    } finally {
      await session.end()
    }
  }

  /** Opens the system's microphone or speaker for a call that is silent; resolves with the error if that fails. */
  async opens(kind: AudioDevice['kind']): Promise<unknown> {
    const session = await this.#phone.call('menu', { signal: AbortSignal.timeout(PATIENCE_MS) })
    try {
      await session.answered
      await (kind === 'audioinput' ? session.setInput('default') : session.setOutput('default'))
      return undefined
    } catch (error) {
      return error
    } finally {
      await session.end()
    }
  }

  /** The address from which a TURN server relays, as it is offered in a call; or why it does not. */
  async relaysThrough(server: IceServer): Promise<{ relayed?: string; why?: string }> {
    const phone = phoneAt(this.#pbx, this.#cli, { iceServers: [server], iceTransportPolicy: 'relay' })
    let why: string | undefined
    phone.on('trace', (_, message) => {
      if (message.startsWith('iceServers: ')) why = message.slice('iceServers: '.length)
    })
    const offered = new Promise<string>((resolve) => {
      this.#pbx.on('message', ({ direction, text }) => direction === 'in' && text.startsWith('INVITE sip:noanswer@') && resolve(text))
    })
    try {
      await phone.initialize({ signal: AbortSignal.timeout(PATIENCE_MS) })
      await phone.call('noanswer', { signal: AbortSignal.timeout(PATIENCE_MS) })
      const [, address] = /^a=candidate:\S+ 1 UDP \d+ (\S+ \d+) typ relay/im.exec(await offered) ?? []
      return { ...(address && { relayed: address.replace(' ', ' port ') }), ...(why && { why }) }
    } catch (error) {
      return { why: why ?? (error as Error).message }
    } finally {
      await phone.destroy()
    }
  }

  async close(): Promise<void> {
    await this.#phone.destroy()
    await this.#pbx.close()
  }
}

function phoneAt(pbx: Pbx, { given, output }: Cli, options: object = {}): Softphone {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const phone = new Softphone({ ...pbx.account('doctor'), ...options, audio: 'none', logger, logLevel: 'warn' })
  if (given.has('trace')) phone.on('trace', (level, message, details) => output.trace(level, message, details))
  return phone
}
