import { Softphone } from 'offhook'
import { PureCloudWebrtcSdk } from 'offhook/compat/purecloud'
import { Pbx } from 'offhook/testing'
import { silent } from '../phones.mjs'

const orgId = '0d8f5f4e-6bb3-4d1a-9b0c-3f6a5f3a1c55'

/** A PBX with the user `alice`, who has the SDK, and `bob`, who has a phone. */
export async function platform(t) {
  const users = [{ name: 'alice', token: 'alice-token' }, { name: 'bob', password: 'bob-password' }]
  const pbx = await Pbx.start({ users })
  const ends = []
  t.after(async () => {
    await Promise.all(ends.map((one) => one.destroy()))
    await pbx.close()
  })
  const make = (options = {}) => {
    const sdk = new PureCloudWebrtcSdk({
      accessToken: 'alice-token',
      environment: pbx.domain,
      orgId,
      ...{ servers: pbx.url, username: 'alice', allowInsecure: true, audio: 'none', baseUrl: false, logger: silent },
      ...options,
    })
    ends.push(sdk)
    return sdk
  }
  const open = async (options) => {
    const sdk = make(options)
    await sdk.initialize({ signal: AbortSignal.timeout(5000) })
    return sdk
  }
  const bob = new Softphone({ ...pbx.account('bob'), audio: 'none', logger: silent })
  ends.push(bob)
  await bob.initialize()
  return { pbx, bob, make, open }
}

/** A logger that writes its lines down. */
export function logged() {
  const lines = []
  const line = (level) => (message) => lines.push(`${level} ${message}`)
  return { lines, logger: Object.fromEntries(['debug', 'log', 'info', 'warn', 'error'].map((level) => [level, line(level)])) }
}
