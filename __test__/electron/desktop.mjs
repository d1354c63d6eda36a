import { join } from 'node:path'
import { after, before } from 'node:test'
import { VirtualCard } from '../devices/virtual-card.mjs'
import { writeCounterClip } from '../interop/counter.mjs'
import { eventually, next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'
import { startExample } from './stage.mjs'

/** As long as a busy machine may take. */
export const LONGEST = 60_000
export const until = (is) => eventually(is, LONGEST)
export const soon = (emitter, event) => next(emitter, event, LONGEST)

/**
 * For a suite: the example, with a virtual sound card and a camera that plays `clip()`; `desktop(t)` runs it for one test.
 */
export function desktops() {
  let card
  let example
  let clip
  before(async () => {
    // libasound, in this process, looks at the environment when it is first used.
    card = await VirtualCard.start()
    Object.assign(process.env, card.env)
    card.speak(440)
    clip = writeCounterClip(join(card.folder, 'camera.y4m'), { width: 320, height: 240 })
    example = await startExample({ camera: clip })
  })
  after(async () => {
    await example?.stop()
    await card?.stop()
  })

  /** Alice's desktop, signed in, and the others' phones. */
  async function desktop(t, { others = ['bob'], options, pbxOptions, ...started } = {}) {
    const { pbx, open } = await pbxOf(t, { users: ['alice', ...others], ...pbxOptions })
    const phones = Object.fromEntries(await Promise.all(others.map(async (name) => [name, await open(name, options)])))
    for (const phone of Object.values(phones)) phone.on('pendingSession', ({ id }) => phone.answers !== false && phone.acceptPendingSession(id, { mediaStream: { tone: 600 } }))
    const { view, views, data } = await example.start(t, started)
    const type = async ({ password = 'alice-password' } = {}) => {
      const { uri, servers } = pbx.account('alice')
      await view().fill('[name=uri]', uri)
      await view().fill('[name=password]', password)
      await view().fill('[name=servers]', servers)
      await view().click('text="Sign in" >> nth=-1')
    }
    const button = (name, within = view()) => within.getByRole('button', { name, exact: true })
    const press = (name, within) => button(name, within).click()
    const region = (name) => view().getByRole('region', { name })
    const sees = (text, within = view()) => within.getByText(text).first().waitFor()
    /** A call stands, and its buttons do something. */
    const talks = (name) => region(`Call with ${name}`).getByRole('button', { name: 'Mute', exact: true, disabled: false }).waitFor()
    const gone = (locator) => locator.waitFor({ state: 'detached' })
    const dial = async (name) => {
      await view().fill('#target', name)
      await press('Call')
    }
    const signIn = async () => {
      await type()
      await sees('Ready')
    }
    const ring = async (name) => {
      const calling = await phones[name].call('alice', { mediaStream: { tone: 600 } })
      await sees(name, view().getByRole('alert'))
      return calling
    }
    return { pbx, phones, ...phones, view, views, data, type, signIn, button, press, region, sees, talks, gone, dial, ring }
  }

  return { desktop, example: () => example, clip: () => clip }
}
