import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AudioSink, Softphone } from 'offhook'
import { next, silent } from '../phones.mjs'
import { hears, quiet } from '../sound.mjs'
import { codecs, spawnBaresip } from './baresip-process.mjs'

const videoModules = { vp8: 'vp8', h264: 'avcodec' }

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
  let control
  const stop = async () => {
    await Promise.all([listener.destroy(), control?.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    control = await spawnBaresip(folder, {
      modules: ['g711', 'g722', 'opus', 'ausine', 'aubridge', ...(mediaenc ? ['srtp'] : []), ...(video ? [videoModules[video.codec ?? 'vp8'], 'fakevideo', 'vidbridge'] : [])],
      lines: video ? [`video_source ${video.source}`, `video_display ${video.display}`, 'video_size 320x240', 'video_fps 15', 'video_bitrate 300000'] : [],
      accounts: () => [account(kamailio, user, options({ tone, codec, answer, mediaenc }))],
      ready: /\[1 binding\]/,
    })
    await listener.initialize()
  } catch (error) {
    await stop()
    throw error
  }
  return Object.assign(new Baresip(control, kamailio, { user, listener }), { stop })
}

function options({ tone, codec, answer, mediaenc }) {
  const sound = [`audio_source=ausine,${tone}`, 'audio_player=aubridge,0']
  return ['regint=600', `answermode=${answer}`, `audio_codecs=${codecs[codec]}`, ...(mediaenc ? [`mediaenc=${mediaenc}`] : []), ...sound]
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
  #control
  #uri
  #ear
  #listener
  #bridges = 0

  constructor(control, kamailio, { user, listener }) {
    this.#control = control
    this.#listener = listener
    this.#uri = uriOf(kamailio, user)
    const name = `ear-of-${user}`
    this.#ear = { uri: uriOf(kamailio, name), account: (source) => account(kamailio, name, earOptions(source)) }
  }

  get log() {
    return this.#control.log
  }

  /** Resolves once its log has this. */
  prints(pattern, deadline) {
    return this.#control.prints(pattern, deadline)
  }

  /** Gives a command, such as `dial` with `sip:alice@sip.test`; resolves with what baresip says to it. */
  command(command, params) {
    return this.#control.order(command, params, this.#uri)
  }

  /** Waits for the next event of this type, such as `CALL_ESTABLISHED`, which no earlier wait has taken. */
  event(type, deadline) {
    return this.#control.event(this.#uri, type, deadline)
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
    if (this.#bridges > 0) await this.#control.order('uadel', this.#ear.uri)
    const bridge = `aubridge,${++this.#bridges}`
    await this.#control.order('auplay', bridge)
    await this.#control.order('uanew', this.#ear.account(bridge))
    const started = next(this.#listener, 'sessionStarted')
    await this.#control.order('dial', this.#ear.uri, this.#ear.uri)
    return (await started)[0]
  }
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
