// What a process keeps of its calls and phones, and a life full of them: for long-life.test.mjs, and for npm run soak.
import { readFileSync, readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { connect, eventually, next, silent, voice } from './phones.mjs'
import { drain, hears } from './sound.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** What can be counted, and memory beside it: octets of the heap after a collection, and of the whole process. */
export function kept() {
  for (let times = 0; times < 3; times++) collect()
  const { heapUsed, rss } = process.memoryUsage()
  const counts = { handles: process.getActiveResourcesInfo().length }
  if (process.platform === 'linux') {
    counts.threads = Number(/^Threads:\s+(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    counts.descriptors = readdirSync('/proc/self/fd').length
  }
  return { counts, heap: heapUsed, rss }
}

/** Waits until nothing is kept that was not kept then; threads that only wait go within 10 s. */
export async function settled({ counts: before }) {
  const grown = () => Object.entries(kept().counts).filter(([what, count]) => count > before[what])
  const end = Date.now() + 30_000
  while (grown().length > 0) {
    if (Date.now() > end) throw new Error(`${JSON.stringify(before)} became ${JSON.stringify(kept().counts)}`)
    await new Promise((passed) => setTimeout(passed, 200))
  }
}

/** A PBX and so many pairs of phones. */
export async function openHouse(pairs) {
  const users = Array.from({ length: pairs }, (_, pair) => [`caller${pair}`, `callee${pair}`]).flat()
  const pbx = await Pbx.start({ users: [...users, 'guest'].map((name) => ({ name, password: `${name}-password` })) })
  const phone = async (name) => {
    const phone = new Softphone({ ...pbx.account(name), audio: 'none', logger: silent, logLevel: 'error' })
    await phone.initialize({ signal: AbortSignal.timeout(20_000) }).catch(async (error) => {
      await phone.destroy()
      throw error
    })
    return phone
  }
  const phones = await Promise.all(users.map(phone))
  return {
    pairs: Array.from({ length: pairs }, (_, pair) => ({ caller: phones[2 * pair], callee: phones[2 * pair + 1], target: users[2 * pair + 1] })),
    phone,
    async close() {
      await Promise.all(phones.map((phone) => phone.destroy()))
      await pbx.close()
    },
  }
}

/** One call of those that there are. */
const kinds = [
  async function hungUp({ caller, callee, target }) {
    const { outgoing } = await connect(caller, callee, target)
    await outgoing.end()
  },
  async function hungUpThere({ caller, callee, target }) {
    const { incoming } = await connect(caller, callee, target)
    await incoming.end()
  },
  async function heard({ caller, callee, target }) {
    const { outgoing, calleeEar } = await connect(caller, callee, target)
    drain(calleeEar)
    await hears(calleeEar, 600, 10_000)
    await outgoing.setInput({ tone: 800 })
    await hears(calleeEar, 800, 10_000)
    await outgoing.end()
  },
  async function held({ caller, callee, target }) {
    const { outgoing } = await connect(caller, callee, target)
    await outgoing.hold()
    await outgoing.resume()
    await outgoing.end()
  },
  async function refused({ caller, callee, target }) {
    const rings = next(callee, 'pendingSession', 10_000)
    const session = await caller.call(target)
    const [{ id }] = await rings
    await callee.rejectPendingSession(id)
    await session.answered.catch(() => {})
  },
  async function givenUp({ caller, callee, target }) {
    const rings = next(callee, 'pendingSession', 10_000)
    const session = await caller.call(target)
    await rings
    const gone = next(callee, 'cancelPendingSession', 20_000)
    await session.end()
    await gone
  },
  async function overAnotherConnection({ caller, callee, target }) {
    const { outgoing } = await connect(caller, callee, target)
    await caller.reconnect()
    await outgoing.end()
  },
]

/** A call that is heard from devices, which may come and go meanwhile: their microphones hear `frequency`. */
export function onDevices(frequency) {
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  return async function onDevices({ caller, callee, target }) {
    const { outgoing, calleeEar } = await connect(caller, callee, target)
    await outgoing.setAudioProcessing(raw)
    for (const device of ['default', 'alsa:headset']) {
      try {
        await outgoing.setInput(device)
        await outgoing.setOutput(device)
      } catch (error) {
        if (error.code !== 'ERR_NO_DEVICE') throw error
        continue
      }
      drain(calleeEar)
      await hears(calleeEar, frequency, 20_000)
    }
    await outgoing.end()
  }
}

/** One call after the other between each pair, until `goesOn` says no; returns how many there were. `failed` may take an error instead. */
export async function talk({ pairs }, goesOn, { more = [], failed } = {}) {
  const all = [...kinds, ...more]
  let calls = 0
  const talking = async (pair) => {
    while (goesOn(calls)) {
      const call = all[calls++ % all.length]
      const whole = call(pair).then(() => over(pair))
      await (failed ? whole.catch((error) => failed(call.name, error).then(() => hangUp(pair))) : whole)
    }
  }
  await Promise.all(pairs.map(talking))
  return calls
}

/** Waits until nothing of a call is left on either side. */
function over({ caller, callee }) {
  return eventually(() => caller.sessions.length + callee.sessions.length + callee.pendingSessions.length === 0, 30_000)
}

/** Ends what a call that failed has left; what can't be ended is the next call's failure. */
async function hangUp(pair) {
  const { caller, callee } = pair
  for (const { id } of callee.pendingSessions) callee.rejectPendingSession(id)
  await Promise.allSettled([...caller.sessions, ...callee.sessions].map((session) => session.end()))
  await over(pair).catch(() => {})
}

/** Waits until whoever was in a call is waited for no more. */
export async function forgotten({ pairs: [pair] }) {
  for (const wait of [0, 11_000]) {
    await new Promise((passed) => setTimeout(passed, wait))
    await kinds[0](pair)
  }
}

/** A phone that comes, calls and goes. */
export async function visit({ phone }, target) {
  const guest = await phone('guest')
  try {
    if (target) await (await guest.call(target, voice(700).audio)).answered
  } finally {
    await guest.destroy()
  }
}
