import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePorts } from './ports.mjs'
import { Child } from './processes.mjs'

const binary = '/usr/bin/baresip'
const folder = '/usr/lib/baresip/modules'

/** Its names of codecs. */
export const codecs = { PCMU: 'pcmu', PCMA: 'pcma', G722: 'g722/16000/1', opus: 'opus/48000/2' }

export function baresipInstalled() {
  return existsSync(binary) && existsSync(folder)
}

export function baresipHas(module) {
  return existsSync(`${folder}/${module}.so`)
}

/**
 * Starts a baresip in `home` with these modules, further lines of its configuration, and `accounts`, one a line.
 * Resolves with its control connection, once it has printed `ready`. Its own ports, `sip` and the one after that for TLS, are given to `accounts`.
 */
export async function spawnBaresip(home, { modules, lines, accounts, ready }) {
  // Another process may take a port between finding it free and binding it; it also takes the one after its own.
  for (let attempt = 1; ; attempt++) {
    const [sip, control] = await freePorts(2)
    writeFileSync(join(home, 'config'), `${[...configuration(sip, control, modules), ...lines].join('\n')}\n`)
    writeFileSync(join(home, 'accounts'), `${accounts(sip).join('\n')}\n`)
    writeFileSync(join(home, 'contacts'), '')
    const child = new Child(binary, ['-4', '-f', home])
    try {
      await child.prints(ready, AbortSignal.timeout(40_000))
      return await Control.to(child, sip, control)
    } catch (cause) {
      // At SIGTERM it waits for what nobody will answer.
      await child.stop('SIGKILL')
      if (attempt === 3) throw new Error(`baresip:\n${child.log}`, { cause })
    }
  }
}

function configuration(sip, control, modules) {
  const apps = ['account', 'menu', 'ctrl_tcp']
  return [
    `sip_listen 127.0.0.1:${sip}`,
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    'net_interface 127.0.0.1',
    ...['audio_source ausine,440', 'audio_player aubridge,nowhere'],
    ...['ausrc_srate 48000', 'ausrc_channels 2', 'auplay_srate 48000', 'auplay_channels 2'],
    'rtp_timeout 0',
    'ringback_disabled yes',
    `module_path ${folder}`,
    ...modules.map((name) => `module ${name}.so`),
    ...apps.map((name) => `module_app ${name}.so`),
  ]
}

/** The control connection of a baresip: netstrings of JSON. */
export class Control {
  #child
  #socket
  #received = Buffer.alloc(0)
  #told = []
  #waiters = new Set()

  static async to(child, sip, port) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const control = new Control(child, socket)
    control.port = sip
    // It tells its events only to a connection that it has taken.
    await control.order('reginfo')
    return control
  }

  constructor(child, socket) {
    this.#child = child
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk)).on('error', () => {})
  }

  get log() {
    return this.#child.log
  }

  /** Resolves once its log has this. */
  prints(pattern, deadline = 5000) {
    return this.#child.prints(pattern, AbortSignal.timeout(deadline))
  }

  stop() {
    return this.#child.stop('SIGKILL')
  }

  /** Gives a command to it, or to its account of this address; resolves with what it says to it. */
  async order(command, params = '', account) {
    if (account) await this.order('uafind', account)
    const token = `${performance.now()}`
    const message = JSON.stringify({ command, params, token })
    this.#socket.write(`${Buffer.byteLength(message)}:${message},`)
    const { ok, data } = await this.next((given) => given.token === token, `reply to ${command}`)
    if (!ok) throw new Error(`baresip refused ${command} ${params}: ${data}`)
    return data
  }

  /** Waits for the next event of this type at this account, such as `CALL_ESTABLISHED`, which no earlier wait has taken. */
  event(account, type, deadline = 5000) {
    return this.next((given) => given.accountaor === account && given.type === type, type, deadline)
  }

  /** Waits for what it tells that matches and that no earlier wait has taken. */
  next(matches, what, deadline = 5000) {
    return new Promise((resolve, reject) => {
      const take = () => {
        const index = this.#told.findIndex(matches)
        if (index < 0) return
        clearTimeout(timer)
        this.#waiters.delete(take)
        resolve(this.#told.splice(index, 1)[0])
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(take)
        const seen = JSON.stringify(this.#told.map(({ type, token }) => type ?? token))
        reject(new Error(`no ${what} in ${deadline} ms; there were ${seen}:\n${this.log}`))
      }, deadline)
      this.#waiters.add(take)
      take()
    })
  }

  #read(chunk) {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const colon = this.#received.indexOf(':')
      if (colon < 0) return
      const length = Number(this.#received.toString('latin1', 0, colon))
      if (this.#received.length < colon + length + 2) return
      this.#told.push(JSON.parse(this.#received.toString('utf8', colon + 1, colon + 1 + length)))
      this.#received = this.#received.subarray(colon + length + 2)
      for (const take of [...this.#waiters]) take()
    }
  }
}
