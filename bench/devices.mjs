import { setTimeout as wait } from 'node:timers/promises'
import { openPage } from './chromium-page.mjs'
import { chromiumInstalled } from '../__test__/interop/chromium.mjs'
import { VirtualCard, virtualCardMissing } from '../__test__/devices/virtual-card.mjs'
import { row } from './table.mjs'

const RATE = 48_000
/** A click is noise to who looks for speech; of ours and Chromium's the same is measured. */
const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
/** Clicks of 20 ms, at times that do not repeat the phase of any frame. */
const CLICKS = Array.from({ length: 60 }, (_, index) => 0.5 + index * 0.517)
/** Sound of which only the end is measured: jitter buffers begin with caution. */
const FIRST_MEASURED = 20

/** From a microphone to a speaker on a virtual sound card, through a call of two phones of ours and one of Chromium's. */
export async function devices({ quick }) {
  const missing = process.platform === 'linux' ? virtualCardMissing() : 'a virtual sound card is made on Linux only'
  if (missing) {
    console.log(`Mouth to ear is not measured: ${missing}.`)
    return []
  }
  const card = await VirtualCard.start()
  try {
    // libasound, in this process, looks at the environment when it is first used.
    Object.assign(process.env, card.env)
    const ours = await mouthToEar(card, quick, ourCall)
    const theirs = chromiumInstalled() ? await mouthToEar(card, quick, chromiumCall) : null
    console.log(`Mouth to ear, ms: ours ${spread(ours)}; Chromium's ${theirs === null ? 'is not installed' : spread(theirs)}.`)
    return [
      row({
        bench: 'Mouth to ear on a virtual sound card, median',
        unit: 'ms',
        ours: median(ours),
        peer: theirs === null ? null : 'Chromium',
        theirs: theirs === null ? null : median(theirs),
        less: true,
        target: "below 90 ms and Chromium's",
        meets: (measured) => measured.ours < 90 && !(measured.ours >= measured.theirs),
      }),
    ]
  } finally {
    await card.stop()
  }
}

/** Milliseconds from each click in the microphone to the same click in the speaker. */
async function mouthToEar(card, quick, makeCall) {
  const hangUp = await makeCall(card)
  try {
    const [mouth, ear] = ['feed', 'speaker'].map((device) => new Recording(card.listen(device)))
    const clicks = CLICKS.slice(0, quick ? FIRST_MEASURED + 10 : CLICKS.length)
    card.play(clickTrack(clicks))
    await wait((clicks.at(-1) + 2) * 1000)
    const heard = ear.clicks()
    const delays = mouth.clicks().slice(FIRST_MEASURED).flatMap((said) => {
      const delay = heard.find((time) => time > said) - said
      return delay < 400 ? [delay] : []
    })
    if (delays.length < 5) throw new Error(`only ${delays.length} clicks were heard`)
    return delays
  } finally {
    await hangUp()
  }
}

/** What a device plays, with the time of each sample by this process's clock. */
class Recording {
  #samples = []
  #count = 0
  /** When the first sample would have come had nothing ever been late. */
  #start = Infinity

  constructor(stream) {
    stream.on('data', (chunk) => {
      const samples = new Int16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2)
      this.#samples.push(samples)
      this.#count += samples.length
      this.#start = Math.min(this.#start, performance.now() - (this.#count * 1000) / RATE)
    })
  }

  /** When clicks began, in milliseconds. */
  clicks() {
    const times = []
    let [index, last] = [0, -Infinity]
    for (const part of this.#samples) {
      for (const sample of part) {
        index++
        if (Math.abs(sample) < 1500) continue
        if (index - last > RATE / 5) times.push(this.#start + (index * 1000) / RATE)
        last = index
      }
    }
    return times
  }
}

function clickTrack(times) {
  const track = new Int16Array(Math.ceil((times.at(-1) + 1) * RATE))
  for (const time of times) {
    const start = Math.round(time * RATE)
    for (let index = 0; index < RATE / 50; index++) track[start + index] = 12_000 * Math.sin((2 * Math.PI * 1000 * index) / RATE)
  }
  return track
}

async function ourCall() {
  const { Softphone } = await import('offhook')
  const { Pbx } = await import('offhook/testing')
  const pbx = await Pbx.start({ users: ['alice', 'bob'].map((name) => ({ name, password: 'secret' })) })
  const phone = (name, audio) => new Softphone({ ...pbx.account(name), autoAnswer: 'off', audio: { ...audio, ...raw }, logLevel: 'error' })
  const alice = phone('alice', { input: 'default', output: 'none' })
  const bob = phone('bob', { input: 'none', output: 'default' })
  await Promise.all([alice.initialize(), bob.initialize()])
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
  await (await alice.call('bob')).answered
  return async () => {
    await Promise.all([alice.destroy(), bob.destroy()])
    await pbx.close()
  }
}

/** A page that calls itself: its microphone is sent and received, and played. */
const page = `<!doctype html><audio autoplay></audio><script>
window.talk = async () => {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: ${JSON.stringify(raw)} })
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()]
  near.onicecandidate = ({ candidate }) => far.addIceCandidate(candidate)
  far.onicecandidate = ({ candidate }) => near.addIceCandidate(candidate)
  far.ontrack = ({ streams: [stream] }) => { document.querySelector('audio').srcObject = stream }
  for (const track of microphone.getTracks()) near.addTrack(track, microphone)
  await near.setLocalDescription()
  await far.setRemoteDescription(near.localDescription)
  await far.setLocalDescription()
  await near.setRemoteDescription(far.localDescription)
  while (far.connectionState !== 'connected') await new Promise((later) => setTimeout(later, 50))
  window.calls = [near, far]
}
</script>`

async function chromiumCall(card) {
  const { tab, close } = await openPage(card, page)
  await tab.evaluate(() => window.talk())
  return close
}

function median(values) {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]
}

function spread(values) {
  const sorted = [...values].sort((one, other) => one - other)
  const [low, middle, high] = [0.05, 0.5, 0.95].map((part) => Math.round(sorted[Math.floor(part * (sorted.length - 1))]))
  return `${middle} (5 % below ${low}, 5 % above ${high}, ${values.length} clicks)`
}
