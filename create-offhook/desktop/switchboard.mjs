// A switchboard to try the desktop with, until Ctrl+C: whoever signs in as "you" is called by a customer.
import { Pbx } from 'offhook/testing'

const password = 'secret'
const pbx = await Pbx.start({ users: ['you', 'colleague'].map((name) => ({ name, password })) })
const { uri, servers } = pbx.account('you')
const colleague = pbx.account('colleague').uri
console.log(`Sign in with

  address   ${uri}
  password  ${password}
  server    ${servers}

and you are called. You can call echo, tone, menu, conference, busy and noanswer. A colleague calls from another terminal:

  npx offhook call you --user ${colleague} --password ${password} --server ${servers}
`)

let called = false
pbx.on('registered', async ({ user }) => {
  if (user !== 'you' || called) return
  called = true
  await pbx.originate({ to: 'you', with: 'echo', displayName: 'A customer' })
  console.log('calling you')
})
process.once('SIGINT', () => pbx.close())
