import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { listDevices } from 'offhook'
import { hears, pbxOf, voice } from '../pbx.mjs'
import { drain, longestSilence } from '../sound.mjs'
import { VirtualCard, virtualCardMissing } from './virtual-card.mjs'

const missing = process.platform === 'linux' ? virtualCardMissing() : 'a virtual sound card is made on Linux only'

/** A tone is noise to who looks for speech. */
const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

/** A PCM of ALSA's, and the devices of PulseAudio's that it leads to. */
const pcm = (name, definition) => `pcm.${name} {
  ${definition}
  hint { show on description "${name}" }
}
`

/** One way to one of PulseAudio's devices, converted by ALSA on the way. */
const converted = (name, slave) => pcm(
  name,
  `type asym
  playback.pcm { type plug slave { pcm { type pulse device odd-speaker } ${slave} } }
  capture.pcm { type plug slave { pcm { type pulse device odd-microphone } ${slave} } }`,
)

const pcms = [
  pcm('odd', 'type asym\n  playback.pcm { type pulse device odd-speaker }\n  capture.pcm { type pulse device odd-microphone }'),
  converted('mono', 'channels 1'),
  converted('slow-rate', 'rate 44100 channels 2 format S16_LE'),
  pcm('slow', 'type asym\n  playback.pcm { type pulse server "unix:$FOLDER/slow" device odd-speaker }\n  capture.pcm { type pulse server "unix:$FOLDER/slow" device odd-microphone }'),
  pcm('hung', 'type pulse\n  server "unix:$FOLDER/hung"'),
  pcm('refused', 'type pulse\n  server "unix:$FOLDER/no-such-server"'),
].join('')

const modules = [
  'module-null-sink sink_name=odd-speaker norewinds=1 rate=44100 channels=1 format=s16le',
  'module-null-sink sink_name=odd-feed norewinds=1 rate=44100 channels=1 format=s16le',
  'module-remap-source master=odd-feed.monitor source_name=odd-microphone channels=1',
]

describe('a sound card with odd devices', { skip: missing }, () => {
  let card
  /** A sound server that takes connections and never says a word. */
  const hung = createServer()
  /** The card's sound server, which takes a while to begin, at each of the several connections of an opening. */
  const slow = createServer(async (client) => {
    client.on('error', () => {})
    await wait(700)
    const server = connect(join(card.folder, 'native'))
    server.on('error', () => client.destroy())
    client.pipe(server).pipe(client)
  })

  before(async () => {
    card = await VirtualCard.start({ pcms, modules })
    Object.assign(process.env, card.env)
    card.speak(600)
    card.speak(1700, 'odd-feed')
    for (const [server, name] of [
      [hung, 'hung'],
      [slow, 'slow'],
    ]) {
      server.listen(join(card.folder, name))
      await once(server, 'listening')
    }
  })

  after(async () => {
    hung.close()
    slow.close()
    await card.stop()
  })

  async function call(t, audio) {
    const { open } = await pbxOf(t)
    const [alice, bob] = [await open('alice', { audio: { ...audio, ...raw } }), await open('bob')]
    const { ear, audio: tone } = voice(1000)
    bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, tone))
    const warnings = []
    // A busy machine is warned of as well.
    alice.on('sessionStarted', (session) => session.on('warning', (warning) => warning.code === 'no-device' && warnings.push(warning)))
    const session = await alice.call('bob')
    await session.answered
    return { alice, session, ear, warnings }
  }

  for (const [name, what] of [
    ['odd', 'that has 44.1 kHz and one channel'],
    ['mono', 'that has one channel'],
    ['slow-rate', 'that has 44.1 kHz only'],
  ]) {
    test(`${what} is heard and plays`, async (t) => {
      const device = `alsa:${name}`
      const { session, ear, warnings } = await call(t, { input: device, output: device })
      await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('odd-speaker'), 1000, 20_000)])
      assert.deepEqual(warnings, [])
      await session.end()
    })
  }

  test('that takes seconds to open is waited for, and the call sounds on meanwhile', async (t) => {
    const { session, ear } = await call(t, { input: 'default', output: 'default' })
    await hears(ear, 600, 20_000)
    drain(ear)
    const silence = longestSilence(ear, 2)
    await session.setInput('alsa:slow')
    assert.ok((await silence) < 500, `${await silence} ms without sound`)
    await session.setOutput('alsa:slow')
    drain(ear)
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('odd-speaker'), 1000, 20_000)])
  })

  test('that refuses is named, with the reason; the call goes on as it was', async (t) => {
    const { session, ear } = await call(t, { input: 'default', output: 'default' })
    await hears(ear, 600, 20_000)
    for (const method of ['setInput', 'setOutput']) {
      await assert.rejects(session[method]('alsa:refused'), { code: 'ERR_NO_DEVICE', message: /^(In|Out)put device: the device .+: .+/ })
    }
    drain(ear)
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
  })

  test('that never opens says so and keeps no other from opening, the call sounds on as it was, and ends', async (t) => {
    const { alice, session, ear, warnings } = await call(t, { input: 'default', output: 'default' })
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    drain(ear)
    const silence = longestSilence(ear, 6)
    const refused = { code: 'ERR_NO_DEVICE', message: /did not open within 5 s/ }
    await assert.rejects(session.setInput('alsa:hung'), refused)
    // It is refused after five seconds.
    assert.ok((await silence) < 1000, `${await silence} ms without sound`)
    await Promise.all([hears(ear, 600, 20_000), hears(card.listen(), 1000, 20_000)])
    assert.ok(warnings.every(({ code }) => code === 'no-device'))
    assert.ok((await listDevices()).length > 0)
    // Its opening goes on for ever; meanwhile others open as ever.
    await session.setInput('alsa:odd')
    await session.setOutput('alsa:odd')
    drain(ear)
    await Promise.all([hears(ear, 1700, 20_000), hears(card.listen('odd-speaker'), 1000, 20_000)])
    await assert.rejects(session.setOutput('alsa:hung'), refused)
    await session.end()
    await alice.destroy()
  })
})
