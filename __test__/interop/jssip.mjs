import { after, before } from 'node:test'
import { drain, hears } from '../sound.mjs'
import { next, phonesOf, voice } from '../phones.mjs'
import { startChromium } from './chromium.mjs'
import { startKamailio } from './kamailio.mjs'

/** For a suite: a Kamailio and a Chromium between which Bob is a page with JsSIP, and Alice and Carol are ours. */
export function jssip(options) {
  let kamailio
  let chromium
  before(async () => {
    ;[kamailio, chromium] = await Promise.all([startKamailio(), startChromium(options)])
  })
  after(() => Promise.all([kamailio?.stop(), chromium?.stop()]))

  const uri = (user) => `sip:${user}@${kamailio.domain}`
  const account = (user) => ({ uri: uri(user), password: `${user}pw` })

  async function both(t, page, more) {
    const [browser, phone] = await Promise.all([
      chromium.phone({ ...account('bob'), server: kamailio.ws, ...page }),
      phonesOf(t).open({ ...account('alice'), servers: kamailio.ws, ...more }),
    ])
    t.after(() => browser.stop())
    return [browser, phone]
  }

  /** A call from us that JsSIP answers. */
  async function answered(t, audio = { mediaStream: 'none' }) {
    const [browser, phone] = await both(t)
    const session = await phone.call(uri('bob'), audio)
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await browser.event('confirmed')
    return { browser, phone, session }
  }

  /** Carol, who answers everybody with 1800 Hz. */
  async function carolOf(t) {
    const carol = await phonesOf(t).open({ ...account('carol'), servers: kamailio.ws })
    const { ear, audio } = voice(1800)
    carol.on('pendingSession', ({ id, autoAnswer }) => autoAnswer || carol.acceptPendingSession(id, audio))
    return { carol, ear }
  }

  async function talking(t) {
    const [browser, phone] = await both(t)
    const { ear, audio } = voice(600)
    const session = await phone.call(uri('bob'), audio)
    await browser.event('incoming')
    await browser.answer(1000)
    await session.answered
    await browser.event('confirmed')
    const hear = () => {
      drain(ear)
      return Promise.all([hears(ear, 1000), browser.hears(600)])
    }
    await hear()
    return { browser, phone, session, ear, hear }
  }

  return { uri, both, answered, carolOf, talking }
}
