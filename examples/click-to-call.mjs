// Click-to-call with the embedded PBX: it calls alice, who answers by herself because she expects the call, then bob.
//   node node_modules/offhook/examples/click-to-call.mjs
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'

const users = ['alice', 'bob'].map((name) => ({ name, password: 'secret' }))
const pbx = await Pbx.start({ users })
const [alice, bob] = users.map(({ name }) => new Softphone({ ...pbx.account(name), audio: 'none', logLevel: 'warn' }))
await Promise.all([alice.initialize(), bob.initialize()])

bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
const rings = new Promise((resolve) => {
  alice.on('pendingSession', ({ id, conversationId, autoAnswer }) => {
    console.log({ conversationId, autoAnswer })
    if (conversationId === 'order-4711') resolve(id)
  })
})

await alice.expectCall({ conversationId: 'order-4711' })
await pbx.originate({ to: 'alice', with: 'bob', autoAnswer: true, conversationId: 'order-4711' })
const session = await alice.answer(await rings)
await session.answered
console.log(`alice talks to ${session.address}`)

await alice.endSession({ conversationId: 'order-4711' })
await Promise.all([alice.destroy(), bob.destroy()])
await pbx.close()
