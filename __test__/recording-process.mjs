// Two phones that talk to each other, one of them recorded, until the process is killed.
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'
import { connect, silent } from './phones.mjs'

const pbx = await Pbx.start({ users: ['alice', 'bob'].map((name) => ({ name, password: name })) })
const open = async (name) => {
  const phone = new Softphone({ ...pbx.account(name), audio: 'none', logger: silent })
  await phone.initialize()
  return phone
}
const [alice, bob] = [await open('alice'), await open('bob')]
const { outgoing } = await connect(alice, bob, 'bob')
await outgoing.record(process.argv[2])
