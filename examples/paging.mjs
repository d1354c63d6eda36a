// Pages: speaks to several phones at once, which answer by themselves and are not heard, until Ctrl-C.
//   SIP_URI=sip:desk@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/paging.mjs node_modules/offhook/examples/speech.wav bob carol
import { Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const [announcement, ...targets] = process.argv.slice(2)
const phone = new Softphone({ uri, password, servers, audio: 'none', logLevel: 'warn' })
await phone.initialize()

const page = await phone.conference([], { input: { wav: announcement, loop: true }, output: 'none' })
const tells = (target) => ({ message }) => console.log(`${target}: ${message}`)
page.on('join', (session) => page.mute(session).catch(tells(session.address)))
page.on('mute', ({ address }) => console.log(`${address} listens`))

process.once('SIGINT', () => phone.destroy())
for (const target of targets) {
  const called = phone.call(target, { autoAnswer: true, timeout: 10_000 })
  called.then((session) => page.add(session)).catch(tells(target))
}
