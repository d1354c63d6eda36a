import { drain, hears } from '../sound.mjs'
import { startChromium } from './chromium.mjs'
import { PATIENCE } from './lines.mjs'

/** Whose page offers which codec alone. */
const users = { opus: 'bob', G722: 'carol', PCMU: '1000', PCMA: '1001' }

/** Starts a Chromium with a page for each codec, all registered with Kamailio over WebSocket: `line(codec)`. Each sends `tone`. */
export async function startPages(kamailio, { tone = 1000 } = {}) {
  const chromium = await startChromium()
  const lines = new Map()
  const line = async (codec) => {
    const user = users[codec]
    const password = /^\d/.test(user) ? user : `${user}pw`
    const page = await chromium.phone({ server: kamailio.ws, uri: `sip:${user}@${kamailio.domain}`, password, codecs: [codec] })
    return new PageLine(page, `sip:${user}@${kamailio.domain}`, tone)
  }
  try {
    for (const codec of Object.keys(users)) lines.set(codec, await line(codec))
  } catch (error) {
    await chromium.stop()
    throw error
  }
  return { line: (codec) => lines.get(codec), version: chromium.version, stop: () => chromium.stop() }
}

/** A page as `Line` of lines.mjs is a baresip. */
class PageLine {
  #page
  #tone

  constructor(page, uri, tone) {
    this.#page = page
    this.#tone = tone
    this.uri = uri
  }

  async dial(target) {
    await this.#page.call(target, this.#tone)
  }

  async answer() {
    await this.#page.event('incoming', PATIENCE)
    await this.#page.answer(this.#tone)
  }

  established() {
    return this.#page.event('confirmed', PATIENCE)
  }

  /** Resolves once its tone is heard in our `ear`, and what we send is heard there. */
  async exchanges(frequency, ear) {
    drain(ear)
    await Promise.all([hears(ear, this.#tone, PATIENCE), this.#page.hears(frequency, PATIENCE)])
  }

  hold() {
    return this.#page.hold()
  }

  resume() {
    return this.#page.unhold()
  }

  hangUp() {
    return this.#page.hangUp()
  }

  ended() {
    return this.#page.event('ended', PATIENCE)
  }
}
