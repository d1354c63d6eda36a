import { Softphone } from '../index'
import { Pbx } from '../testing'
import type { Cli } from './cli'
import { abortOf } from './interrupt'

/** Sound comes through in this time in milliseconds or not at all. */
const PATIENCE_MS = 6000
/** What is quieter than this, linear, is not heard. */
const HEARD = 0.003

/** A switchboard and a phone in this process, on which parts of a call are tried by themselves. */
export class Rig {
  readonly #pbx: Pbx
  readonly #phone: Softphone

  static async start(cli: Cli): Promise<Rig> {
    const pbx = await Pbx.start({ users: [{ name: 'doctor', password: 'within-this-process' }] })
    const phone = phoneAt(pbx, cli)
    try {
      await phone.initialize({ signal: cli.interrupt.signal })
      return new Rig(pbx, phone)
    } catch (error) {
      await phone.destroy()
      await pbx.close()
      throw error
    }
  }

  private constructor(pbx: Pbx, phone: Softphone) {
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

  async close(): Promise<void> {
    await this.#phone.destroy()
    await this.#pbx.close()
  }
}

function phoneAt(pbx: Pbx, { given, output }: Cli): Softphone {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const phone = new Softphone({ ...pbx.account('doctor'), audio: 'none', logger, logLevel: 'warn' })
  if (given.has('trace')) phone.on('trace', (level, message, details) => output.trace(level, message, details))
  return phone
}
