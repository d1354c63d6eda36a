// A machine whose network and sound devices change while it is used: for npm run soak.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { VirtualCard, virtualCardMissing } from './devices/virtual-card.mjs'

/** In milliseconds: between two changes, which are of the network and of the devices by turns. */
const BETWEEN = 7000
/** What the microphones hear, in hertz. */
export const HEARD = 700
const OWN_NETWORK = 'OFFHOOK_OWN_NETWORK'

const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']

/** Whether this process is in a network of its own, which it may change. */
export const inOwnNetwork = () => process.env[OWN_NETWORK] === '1'

/** Why nothing can change here, or undefined. */
export function stillBecause() {
  if (process.platform !== 'linux') return 'networks of their own are made on Linux only'
  if (spawnSync('unshare', [...asRoot, '--net', 'ip', 'link', 'set', 'lo', 'up']).status !== 0) return 'unshare and ip make no network here'
  return virtualCardMissing() || undefined
}

/** Runs this process' program again in a network of its own; returns what it ended with. */
export async function inNetworkOfItsOwn() {
  const child = spawn('unshare', [...asRoot, '--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, [OWN_NETWORK]: '1' } })
  const [code] = await once(child, 'exit')
  return code ?? 1
}

/** An interface whose address changes, and a headset that comes and goes. It is the process' own, whose environment says where its card is. */
export class Unrest {
  changes = { network: 0, devices: 0 }
  #card
  #host = 1
  #plugged = false

  static async start() {
    const unrest = new Unrest()
    for (const command of ['link set lo up', 'link add lan type veth peer name nal', 'link set lan up', 'link set nal up', `address add ${unrest.#address} dev lan`, 'route add default dev lan']) ip(command)
    unrest.#card = await VirtualCard.start({ modules: ['feed', 'headset-feed'].map((sink) => `module-sine sink=${sink} frequency=${HEARD}`) })
    Object.assign(process.env, unrest.#card.env)
    return unrest
  }

  /** Changes one after the other until `life` has settled, and leaves the devices as they were. */
  async beside(life) {
    const over = new AbortController()
    const changing = this.#change(over.signal)
    try {
      return await life
    } finally {
      over.abort()
      await changing
      if (this.#plugged) this.#changeDevices()
    }
  }

  stop() {
    return this.#card.stop()
  }

  async #change(signal) {
    while (await wait(BETWEEN, true, { signal }).catch(() => false)) {
      if (this.changes.network > this.changes.devices) this.#changeDevices()
      else this.#changeNetwork()
    }
  }

  get #address() {
    return `10.88.0.${this.#host}/24`
  }

  #changeNetwork() {
    ip(`address del ${this.#address} dev lan`)
    this.#host = (this.#host % 250) + 1
    ip(`address add ${this.#address} dev lan`)
    ip('route replace default dev lan')
    this.changes.network++
  }

  #changeDevices() {
    if (this.#plugged) this.#card.unplugHeadset()
    else this.#card.plugHeadset()
    this.#plugged = !this.#plugged
    const [sink, source] = this.#plugged ? ['headset', 'headset-microphone'] : ['speaker', 'microphone']
    this.#card.setDefault('sink', sink)
    this.#card.setDefault('source', source)
    this.changes.devices++
  }
}

function ip(command) {
  execFileSync('ip', command.split(' '), { stdio: 'pipe' })
}
