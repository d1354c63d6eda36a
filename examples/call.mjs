// Calls somebody with the system's microphone and speaker until Ctrl-C.
//   SIP_URI=sip:alice@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/call.mjs +15551234567
import { Softphone, SoftphoneError } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, logLevel: 'warn' })
await phone.initialize()

const session = await phone.call(process.argv[2], { timeout: 60_000 })
session.on('progress', ({ code, reason }) => console.log(code, reason))
session.on('warning', ({ message }) => console.warn(message))
process.once('SIGINT', () => session.end())

try {
  await session.answered
  console.log(`talking, ${session.codec}`)
  const [, reason] = await session.once('terminated')
  console.log(`${reason.text}, after ${Math.round(session.duration / 1000)} s`)
} catch (error) {
  if (!(error instanceof SoftphoneError)) throw error
  console.log(`${error.code}: ${error.message}`)
}
await phone.destroy()
