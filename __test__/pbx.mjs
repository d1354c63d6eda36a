import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { next, silent, voice } from './phones.mjs'

export { hears } from './sound.mjs'
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
