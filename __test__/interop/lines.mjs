import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { codecs, spawnBaresip } from './baresip-process.mjs'
import { drain, hears } from '../sound.mjs'

/** How long whoever is slow is waited for, in milliseconds: of a busy machine nothing is judged by the clock. */
export const PATIENCE = 30_000

/** How a line protects its media, in baresip's words. */
export const protections = {
  dtls: ['mediaenc=dtls_srtp', 'medianat=ice'],
  sdes: ['mediaenc=srtp-mand'],
  rtp: [],
}

const modules = ['g711', 'g722', 'opus', 'ausine', 'aubridge', 'srtp', 'dtls_srtp', 'ice']

/**
 * Starts a baresip with a line for each keying and codec, all registered with Kamailio by UDP: `line(keying, codec)`. Each sends `tone`.
 */
export async function startLines(kamailio, { tone = 1000 } = {}) {
  const kinds = Object.keys(protections).flatMap((keying) => Object.keys(codecs).map((codec) => ({ keying, codec })))
  const named = kinds.map((kind) => ({ ...kind, user: `line-${kind.keying}-${kind.codec}`.toLowerCase() }))
  const proxy = `outbound="sip:127.0.0.1:${kamailio.ports.sip};transport=udp"`
  const accounts = named.map(({ user, ...kind }) =>
    [`<sip:${user}@${kamailio.domain}>`, `auth_user=${user}`, `auth_pass=${user}pw`, proxy, 'regint=600', ...words(kind, tone)].join(';'),
  )
  const baresip = await startWith({ accounts: () => accounts, ready: new RegExp(`(?:\\[1 binding\\][^]*){${named.length}}`) })
  return {
    line: (keying, codec) => {
      const { user } = named.find((kind) => kind.keying === keying && kind.codec === codec)
      return new Line(baresip.control, `sip:${user}@${kamailio.domain}`, tone)
    },
    get log() {
      return baresip.control.log
    },
    stop: baresip.stop,
  }
}

/** The options of an account that all lines have. */
export function words({ keying, codec }, tone) {
  return ['answermode=manual', `audio_codecs=${codecs[codec]}`, ...protections[keying], `audio_source=ausine,${tone}`]
}

/**
 * What `interfaces` of a phone says for ICE with a line. Its candidates are on every interface but loopback, and it answers from the
 * address that it was asked from; where it has two of ours to choose from, it takes another than the one that is nominated.
 */
export function oneInterface() {
  const outer = Object.values(networkInterfaces()).flat().find(({ internal, family }) => !internal && family === 'IPv4')
  return outer && [outer.address]
}

/** A baresip with these accounts, and a certificate if it is to speak TLS: at the port after `control.port`, and to others. */
export async function startWith({ accounts, ready, certificate }) {
  const home = mkdtempSync(join(tmpdir(), 'offhook-lines-'))
  const identity = join(home, 'identity.pem')
  if (certificate) writeFileSync(identity, certificate.cert + certificate.key)
  const lines = ['rtcp_mux yes', ...(certificate ? [`sip_certificate ${identity}`] : [])]
  try {
    const control = await spawnBaresip(home, { modules, lines, accounts, ready })
    const stop = async () => {
      await control.stop()
      rmSync(home, { recursive: true, force: true })
    }
    return { control, stop }
  } catch (error) {
    rmSync(home, { recursive: true, force: true })
    throw error
  }
}

let bridges = 0

/** One account of it, for one call at a time, which sends this tone and hears what is sent to it. */
export class Line {
  #control
  #tone

  constructor(control, uri, tone) {
    this.#control = control
    this.#tone = tone
    this.uri = uri
  }

  dial(target) {
    return this.#order('dial', target)
  }

  async answer() {
    await this.#event('CALL_INCOMING')
    await this.#order('accept')
  }

  established() {
    return this.#event('CALL_ESTABLISHED')
  }

  /**
   * Resolves once what we send has been heard there: it is sent back to our `ear` then, instead of the tone, which is heard before.
   * An offer of its own may start its player once more when it is answered; so there is another bridge where nothing comes back.
   */
  async exchanges(frequency, ear) {
    for (let attempt = 1; ; attempt++) {
      await this.#order('ausrc', `ausine,${this.#tone}`)
      drain(ear)
      await hears(ear, this.#tone, PATIENCE)
      const bridge = `aubridge,echo-${++bridges}`
      await this.#order('auplay', bridge)
      await this.#order('ausrc', bridge)
      drain(ear)
      const error = await hears(ear, frequency, attempt < 10 ? 3000 : PATIENCE).then(() => undefined, (reason) => reason)
      if (!error) return
      if (attempt === 10) throw error
    }
  }

  hold() {
    return this.#order('hold')
  }

  resume() {
    return this.#order('resume')
  }

  sendDigit(digit) {
    return this.#order('sndcode', digit)
  }

  /** The next digit that it hears. */
  async digit() {
    return (await this.#event('CALL_DTMF_START')).param
  }

  hangUp() {
    return this.#order('hangup')
  }

  ended() {
    return this.#event('CALL_CLOSED')
  }

  #order(command, params) {
    return this.#control.order(command, params, this.uri)
  }

  #event(type) {
    return this.#control.event(this.uri, type, PATIENCE)
  }
}
