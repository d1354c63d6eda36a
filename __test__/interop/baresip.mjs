import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AudioSink, Softphone } from 'offhook'
import { next, silent } from '../phones.mjs'
import { hears, quiet } from '../sound.mjs'
import { freePorts } from './ports.mjs'
import { Child } from './processes.mjs'

const binary = '/usr/bin/baresip'
const modules = '/usr/lib/baresip/modules'

const videoModules = { vp8: 'vp8', h264: 'avcodec' }

const codecs = { PCMU: 'pcmu', PCMA: 'pcma', G722: 'g722/16000/1', opus: 'opus/48000/2' }

export function baresipInstalled() {
  return existsSync(binary) && existsSync(modules)
}

export function baresipHasH264() {
  return existsSync(`${modules}/avcodec.so`)
}

/**
 * Starts a baresip that is registered with Kamailio by UDP and sends a tone.
 *
 * What it hears it plays into a bridge, from which a second account of its own sends it on to a phone of ours,
 * so that it is heard what baresip hears.
 *
 * Options: `user`; `tone` in Hz; `codec`, one of `PCMU`, `PCMA`, `G722`, `opus`; `answer`, `manual` or `auto`;
 * `mediaenc`, such as `srtp-mand` for SRTP under keys of the descriptions; `video: { source, display, codec }`, such as `fakevideo,nil`; the codec is `vp8` by default, or `h264`, by x264 and FFmpeg.
 */
export async function startBaresip(kamailio, { user, tone, codec = 'PCMU', answer = 'manual', mediaenc, video }) {
  const listener = listenerOf(kamailio, user)
  const folder = mkdtempSync(join(tmpdir(), 'offhook-baresip-'))
  const stop = async (child) => {
    await listener.destroy()
    // At SIGTERM it waits for what nobody will answer.
    await child?.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  // Another process may take a port between finding it free and binding it; it also takes the one after its own.
  for (let attempt = 1; ; attempt++) {
    const [sip, control] = await freePorts(2)
    writeConfiguration(folder, kamailio, { user, tone, codec, answer, mediaenc, video, sip, control })
    const child = new Child(binary, ['-4', '-f', folder])
    try {
      await child.prints(/\[1 binding\]/, AbortSignal.timeout(10_000))
      const socket = await open(control)
      await listener.initialize()
      const baresip = new Baresip(child, socket, kamailio, { user, listener })
      // It tells its events only to a connection that it has taken.
      await baresip.command('reginfo')
      return Object.assign(baresip, { stop: () => stop(child) })
    } catch (cause) {
      await child.stop('SIGKILL')
      if (attempt < 3) continue
      await stop()
      throw new Error(`baresip:\n${child.log}`, { cause })
    }
  }
}

function listenerOf(kamailio, user) {
  const name = `ear-of-${user}`
  const account = { uri: uriOf(kamailio, name), password: `${name}pw`, servers: kamailio.ws }
  const listener = new Softphone({ ...account, audio: 'none', codecs: ['PCMU'], media: ['dtls', 'rtp'], logger: silent })
  listener.on('pendingSession', ({ id }) => {
    listener.ear = new AudioSink({ rate: 16000 })
    listener.acceptPendingSession(id, { mediaStream: 'none', audioElement: listener.ear })
  })
  return listener
}

function uriOf(kamailio, user) {
  return `sip:${user}@${kamailio.domain}`
}

class Baresip {
  #child
  #socket
  #uri
  #ear
  #listener
  #bridges = 0
  #received = Buffer.alloc(0)
  #events = []
  #waiters = new Set()

  constructor(child, socket, kamailio, { user, listener }) {
    this.#child = child
    this.#socket = socket
    this.#listener = listener
    this.#uri = uriOf(kamailio, user)
    const name = `ear-of-${user}`
    this.#ear = { uri: uriOf(kamailio, name), account: (source) => account(kamailio, name, earOptions(source)) }
    socket.on('data', (chunk) => this.#read(chunk)).on('error', () => {})
  }

  get log() {
    return this.#child.log
  }

  /** Resolves once its log has this. */
  prints(pattern, deadline = 5000) {
    return this.#child.prints(pattern, AbortSignal.timeout(deadline))
  }

  /** Gives a command, such as `dial` with `sip:alice@sip.test`; resolves with what baresip says to it. */
  async command(command, params = '') {
    await this.#order('uafind', this.#uri)
    return this.#order(command, params)
  }

  async #order(command, params = '') {
    const token = `${performance.now()}`
    const message = JSON.stringify({ command, params, token })
    this.#socket.write(`${Buffer.byteLength(message)}:${message},`)
    const { ok, data } = await this.#next((given) => given.token === token, `reply to ${command}`)
    if (!ok) throw new Error(`baresip refused ${command} ${params}: ${data}`)
    return data
  }

  /** Resolves once this frequency is what it mostly hears. */
  async hears(frequency) {
    await this.#lendEar()
    await hears(this.#listener.ear, frequency)
  }

  /** Resolves once it hears nothing. */
  async hearsNothing() {
    await this.#lendEar()
    await quiet(this.#listener.ear)
  }

  // A change of direction starts the player before it stops the one before, which takes both ends of its bridge
  // along; so there is another bridge each time, and another one where no sound comes out of it.
  async #lendEar() {
    for (let attempt = 1; attempt <= 12; attempt++) {
      const session = await this.#callListener()
      if (await isHeard(session)) return
    }
    throw new Error(`nothing comes over the bridge:\n${this.log}`)
  }

  // From the second account, whose source is the other end of the bridge.
  async #callListener() {
    if (this.#bridges > 0) await this.#order('uadel', this.#ear.uri)
    const bridge = `aubridge,${++this.#bridges}`
    await this.#order('auplay', bridge)
    await this.#order('uanew', this.#ear.account(bridge))
    await this.#order('uafind', this.#ear.uri)
    const started = next(this.#listener, 'sessionStarted')
    await this.#order('dial', this.#ear.uri)
    return (await started)[0]
  }

  /** Waits for the next event of this type, such as `CALL_ESTABLISHED`, which no earlier wait has taken. */
  event(type, deadline = 5000) {
    return this.#next((given) => given.accountaor === this.#uri && given.type === type, type, deadline)
  }

  #next(matches, what, deadline = 5000) {
    return new Promise((resolve, reject) => {
      const take = () => {
        const index = this.#events.findIndex(matches)
        if (index < 0) return
        clearTimeout(timer)
        this.#waiters.delete(take)
        resolve(this.#events.splice(index, 1)[0])
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(take)
        const seen = JSON.stringify(this.#events.map(({ type, token }) => type ?? token))
        reject(new Error(`no ${what} in ${deadline} ms; there were ${seen}:\n${this.log}`))
      }, deadline)
      this.#waiters.add(take)
      take()
    })
  }

  // Netstrings of JSON.
  #read(chunk) {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const colon = this.#received.indexOf(':')
      if (colon < 0) return
      const length = Number(this.#received.toString('latin1', 0, colon))
      if (this.#received.length < colon + length + 2) return
      this.#events.push(JSON.parse(this.#received.toString('utf8', colon + 1, colon + 1 + length)))
      this.#received = this.#received.subarray(colon + length + 2)
      for (const take of [...this.#waiters]) take()
    }
  }
}

function writeConfiguration(folder, kamailio, { user, tone, codec, answer, mediaenc, video, sip, control }) {
  const used = ['account', 'menu', 'ctrl_tcp', 'g711', 'g722', 'opus', 'ausine', 'aubridge', ...(mediaenc ? ['srtp'] : []), ...(video ? [videoModules[video.codec ?? 'vp8'], 'fakevideo', 'vidbridge'] : [])]
  const lines = [
    `sip_listen 127.0.0.1:${sip}`,
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    'net_interface 127.0.0.1',
    ...['audio_source ausine,440', 'audio_player aubridge,nowhere'],
    ...['ausrc_srate 48000', 'ausrc_channels 2', 'auplay_srate 48000', 'auplay_channels 2'],
    'rtp_timeout 0',
    'ringback_disabled yes',
    ...(video ? [`video_source ${video.source}`, `video_display ${video.display}`, 'video_size 320x240', 'video_fps 15', 'video_bitrate 300000'] : []),
    `module_path ${modules}`,
    ...used.filter((name) => !['account', 'menu', 'ctrl_tcp'].includes(name)).map((name) => `module ${name}.so`),
    ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
  ]
  writeFileSync(join(folder, 'config'), `${lines.join('\n')}\n`)
  const sound = [`audio_source=ausine,${tone}`, 'audio_player=aubridge,0']
  const more = ['regint=600', `answermode=${answer}`, `audio_codecs=${codecs[codec]}`, ...(mediaenc ? [`mediaenc=${mediaenc}`] : []), ...sound]
  writeFileSync(join(folder, 'accounts'), `${account(kamailio, user, more)}\n`)
  writeFileSync(join(folder, 'contacts'), '')
}

function account(kamailio, name, more) {
  const credentials = [`auth_user=${name}`, `auth_pass=${name}pw`]
  const proxy = `outbound="sip:127.0.0.1:${kamailio.ports.sip};transport=udp"`
  return [`<${uriOf(kamailio, name)}>`, ...credentials, proxy, ...more].join(';')
}

function earOptions(source) {
  return ['regint=0', 'audio_codecs=pcmu', `audio_source=${source}`, 'audio_player=aubridge,nowhere']
}

async function isHeard(session) {
  const deadline = performance.now() + 400
  while (performance.now() < deadline) {
    const { packetsReceived } = (await session.getStats()).get('inbound-rtp') ?? {}
    if (packetsReceived > 0) return true
    await pause(20)
  }
  return false
}

async function open(port) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}
