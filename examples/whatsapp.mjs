// Takes the calls of WhatsApp's users to a business (docs/trunks.md), plays a WAV file to each, and calls the user that you name.
//   WHATSAPP_NUMBER=15550100 WHATSAPP_PASSWORD=… SIP_HOST=sip.example.com SIP_PEERS=203.0.113.0/24,2001:db8::/32 TLS_CERT=cert.pem TLS_KEY=key.pem node node_modules/offhook/examples/whatsapp.mjs +15550199
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Softphone } from 'offhook'

const { WHATSAPP_NUMBER: username, WHATSAPP_PASSWORD: password, SIP_HOST, SIP_PORT = '5061', SIP_PEERS, TLS_CERT, TLS_KEY } = process.env
const phone = new Softphone({
  uri: `sip:+${username}@${SIP_HOST}`,
  username,
  password,
  realm: 'wa.meta.vc',
  register: false,
  servers: process.env.SIP_SERVER ?? 'sip:wa.meta.vc;transport=tls',
  listen: { tls: { port: Number(SIP_PORT), cert: readFileSync(TLS_CERT, 'utf8'), key: readFileSync(TLS_KEY, 'utf8') } },
  peers: SIP_PEERS.split(','),
  sessionTimers: false,
  autoAnswer: 'off',
  audio: 'none',
  logLevel: 'warn',
})
const greeting = { wav: fileURLToPath(new URL('speech.wav', import.meta.url)) }

phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id, { mediaStream: greeting, audioElement: 'none' }))
phone.on('sessionStarted', (session) => session.on('change:active', () => console.log(`${session.address} talks, ${session.codec}`)))
phone.on('sessionEnded', (session, reason) => console.log(`${session.address} has left: ${reason.text}`))
await phone.initialize()
process.once('SIGINT', () => phone.destroy())
console.log('ready')

const [, , user] = process.argv
if (user) {
  const session = await phone.call(`sip:${user}@wa.meta.vc;transport=tls`, { mediaStream: greeting, audioElement: 'none' })
  await session.answered.catch(({ message }) => console.error(message))
}
