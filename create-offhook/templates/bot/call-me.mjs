import { setTimeout as sleep } from 'node:timers/promises'
import { Softphone } from 'offhook'
import { Pbx } from 'offhook/testing'

/** A switchboard in this process, with an account for the bot and a customer who calls it. */
export async function callMe() {
  const password = 'secret'
  const pbx = await Pbx.start({ users: ['bot', 'customer', 'you'].map((name) => ({ name, password })) })
  const customer = new Softphone({ ...pbx.account('customer'), displayName: 'A customer', audio: 'none', logLevel: 'warn' })

  return {
    account: pbx.account('bot'),

    /** Speaks to the bot for a few seconds, and keeps what it says. */
    async call() {
      await customer.initialize()
      const session = await customer.call('bot', { mediaStream: { tone: 440 }, audioElement: { wav: 'heard.wav' } })
      await session.answered
      console.log('answered')
      await Promise.race([sleep(3000), session.once('terminated')])
      if (session.state === 'ended') return
      await session.sendDtmf('42#')
      await session.end()
      const { uri } = pbx.account('you')
      console.log(`What the customer heard is in heard.wav. To call yourself, in another terminal here:
  npx offhook call bot --user ${uri} --password ${password} --server ${pbx.url}
Ctrl+C ends it.`)
    },

    async close() {
      await customer.destroy()
      await pbx.close()
    },
  }
}
