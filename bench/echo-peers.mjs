import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { VirtualCard, virtualCardMissing } from '../__test__/devices/virtual-card.mjs'
import { chromiumInstalled } from '../__test__/interop/chromium.mjs'
import { openPage } from './chromium-page.mjs'
import { Room } from './room.mjs'
import { inject } from './sides/page-speech.mjs'
import { voices } from './sound.mjs'
import { track } from './speech.mjs'
import { row } from './table.mjs'

/** Only the canceller: what else is done to a microphone would count as its work. */
const wanted = { echoCancellation: true, noiseSuppression: false, autoGainControl: false }
/** Milliseconds until it is measured, of speech that goes on. */
const SETTLE = 6000
const SECONDS = 9
/** The energy of a second of 48 kHz in which there is an echo: −50 dBFS. */
const FAINTEST = 48_000 * 100 ** 2
/** Milliseconds of an echo that wait, so that it comes evenly although this process is late now and then. */
const CUSHION = 120

/** What is left of an echo in the bench's rooms on a virtual sound card, by ours and by Chromium's own canceller. */
export async function echoBesideChromium({ rust, quick }) {
  const missing = process.platform === 'linux' ? virtualCardMissing() : 'a virtual sound card is made on Linux only'
  if (missing || !chromiumInstalled()) {
    console.log(`Echo beside Chromium is not measured: ${missing || 'Chromium is not installed'}.`)
    return []
  }
  const rooms = await (await rust())('rooms')
  const folder = mkdtempSync(join(tmpdir(), 'offhook-echo-'))
  const said = track(folder, voices(folder))
  const card = await VirtualCard.start()
  try {
    // libasound, in this process, looks at the environment when it is first used.
    Object.assign(process.env, card.env)
    const room = new LiveRoom(card)
    const rows = []
    for (const { room: name, response } of quick ? rooms.slice(0, 1) : rooms) {
      room.becomes(response)
      const [ours, theirs] = [await takenAway(room, () => ourCall(said)), await takenAway(room, () => chromiumCall(card, said))]
      const bench = `Echo on a virtual sound card, ${name}`
      rows.push(row({ bench, unit: 'dB taken away', ours, peer: 'Chromium', theirs, target: "35 dB, and Chromium's", meets: (both) => both.ours >= 35 && both.ours >= both.theirs }))
    }
    return rows
  } finally {
    await card.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Lets the microphone hear what the speaker plays, as in a room that may be exchanged. */
class LiveRoom {
  #room
  /** The energy of what the microphone has heard. */
  heard = 0

  constructor(card) {
    const microphone = card.pour('feed', CUSHION)
    card.listen('speaker').on('data', (chunk) => {
      const samples = this.#room?.hear(samplesOf(chunk))
      if (samples === undefined || samples.length === 0) return
      this.heard += energy(samples)
      microphone.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
    })
  }

  becomes(response) {
    this.#room = new Room(response)
  }
}

/** By how many dB the echo that the far end hears is softer than what the microphone heard: the median of the seconds. */
async function takenAway(room, makeCall) {
  const call = await makeCall()
  try {
    await wait(SETTLE)
    const gains = []
    for (let second = 0; second < SECONDS; second++) {
      const [before, heard] = [await call.energy(), room.heard]
      await wait(1000)
      const [left, echo] = [(await call.energy()) - before, room.heard - heard]
      if (echo > FAINTEST) gains.push(10 * Math.log10(echo / Math.max(left, 1)))
    }
    if (gains.length < SECONDS / 2) throw new Error('no echo was heard')
    return gains.sort((one, other) => one - other)[Math.floor(gains.length / 2)]
  } finally {
    await call.hangUp()
  }
}

/** Bob talks to Alice, who has a loudspeaker and says nothing. Energies are of 48 kHz. */
async function ourCall(said) {
  const { AudioSink, Softphone } = await import('offhook')
  const { Pbx } = await import('offhook/testing')
  const pbx = await Pbx.start({ users: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })) })
  const ear = new AudioSink({ rate: 48_000 })
  const phone = (name, audio) => new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio, logLevel: 'error' })
  const alice = phone('alice', { input: 'default', output: 'default', ...wanted })
  const bob = phone('bob', { input: { wav: said.path, loop: true }, output: ear })
  await Promise.all([alice.initialize(), bob.initialize()])
  let sum = 0
  ear.on('data', (chunk) => (sum += energy(samplesOf(chunk))))
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
  await (await alice.call('bob')).answered
  return {
    energy: async () => sum,
    async hangUp() {
      await Promise.all([alice.destroy(), bob.destroy()])
      await pbx.close()
    },
  }
}

const page = `<!doctype html><audio autoplay></audio><script>
${inject}
window.talk = async (said) => {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: ${JSON.stringify(wanted)} })
  const mouth = await window.speech.mouth(said)
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()]
  near.onicecandidate = ({ candidate }) => far.addIceCandidate(candidate)
  far.onicecandidate = ({ candidate }) => near.addIceCandidate(candidate)
  near.ontrack = ({ track }) => { document.querySelector('audio').srcObject = new MediaStream([track]) }
  const heard = new Promise((resolve) => { far.ontrack = ({ track }) => resolve(track) })
  near.addTrack(microphone.getTracks()[0], microphone)
  far.addTrack(mouth.track, new MediaStream([mouth.track]))
  await near.setLocalDescription()
  await far.setRemoteDescription(near.localDescription)
  await far.setLocalDescription()
  await near.setRemoteDescription(far.localDescription)
  while (far.connectionState !== 'connected') await new Promise((later) => setTimeout(later, 50))
  window.heard = await window.speech.ear(await heard)
  window.peers = [near, far]
  mouth.begin()
}
</script>`

async function chromiumCall(card, said) {
  const { tab, close } = await openPage(card, page)
  await tab.evaluate((given) => window.talk(given), readFileSync(said.path).toString('base64'))
  return {
    // Three samples of 48 kHz for each of 16: of speech there is next to nothing above 8 kHz.
    energy: async () => 3 * energy(samplesOf(Buffer.from(await tab.evaluate(() => window.heard().base64), 'base64'))),
    hangUp: close,
  }
}

function samplesOf(bytes) {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
}

function energy(samples) {
  return samples.reduce((sum, sample) => sum + sample * sample, 0)
}
