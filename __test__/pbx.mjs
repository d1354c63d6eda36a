import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { connect, next, silent, voice } from './phones.mjs'
import { beeps, drain, hears } from './sound.mjs'

export { hears }
export { next, voice }

/** An embedded PBX with users, whose names make their passwords, and phones that end with the test; a failed test can print what they logged. */
export async function pbxOf(t, { users = ['alice', 'bob'], ...options } = {}) {
  const accounts = users.map((user) => (typeof user === 'string' ? { name: user, password: `${user}-password` } : user))
  const pbx = await Pbx.start({ users: accounts, ...options })
  const phones = []
  t.after(async () => {
    await Promise.all(phones.map((phone) => phone.destroy()))
    await pbx.close()
    if (process.env.OFFHOOK_TEST_LOG) for (const { log } of phones) console.log(log.join('\n'))
  })
  const make = (name, more) => {
    const phone = new Softphone({ ...pbx.account(name), audio: 'none', logger: silent, ...more })
    phone.log = []
    phone.on('trace', (level, message, details) => phone.log.push(`${level} ${message} ${JSON.stringify(details)}`))
    phones.push(phone)
    return phone
  }
  const open = async (name, more) => {
    const phone = make(name, more)
    await phone.initialize({ signal: AbortSignal.timeout(5000) })
    return phone
  }
  return { pbx, make, open }
}

/** Resolves once this user's phone is registered from now on; another's may be told of late. */
export function registers(pbx, name) {
  return new Promise((resolve) => {
    const told = ({ user }) => {
      if (user !== name) return
      pbx.off('registered', told)
      resolve()
    }
    pbx.on('registered', told)
  })
}

/** Two phones at a PBX that talk to each other; `hear` waits until each hears the other, `beep` for 20 ms of it, as a busy machine can do. */
export async function talking(t, options, pbxOptions) {
  const { pbx, open } = await pbxOf(t, pbxOptions)
  const [alice, bob] = await Promise.all([open('alice', options), open('bob')])
  const call = await connect(alice, bob, 'bob')
  const hear = () => {
    drain(call.callerEar)
    drain(call.calleeEar)
    return Promise.all([hears(call.callerEar, 1000), hears(call.calleeEar, 600)])
  }
  await bothBeep(call)
  return { pbx, alice, bob, hear, beep: () => bothBeep(call), ...call }
}

/** Resolves once each side of a call has heard 20 ms of the other, whatever is missing around it. */
export function bothBeep({ callerEar, calleeEar }) {
  drain(callerEar)
  drain(calleeEar)
  return Promise.all([beeps(callerEar, 1000, 30_000), beeps(calleeEar, 600, 30_000)])
}
