// What the bundlers are given: a call, from first to last.
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'

async function main() {
  const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
  const phone = new Softphone({ ...pbx.account('alice'), audio: 'none', logLevel: 'error' })
  await phone.initialize()
  const session = await phone.call('echo', { mediaStream: { tone: 440 } })
  await session.answered
  await session.end()
  await phone.destroy()
  await pbx.close()
  console.log('called')
}

main()
