// Registers, answers every call, plays a WAV file to it (yours, if you name one) and writes what the caller says to another.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/answer.mjs
import { fileURLToPath } from 'node:url'
import { Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, autoAnswer: 'off', audio: 'none', logLevel: 'warn' })
const greeting = process.argv[2] ?? fileURLToPath(new URL('speech.wav', import.meta.url))

phone.on('pendingSession', ({ id, address, displayName }) => {
  console.log(`${displayName ?? address} calls`)
  phone.acceptPendingSession(id, {
    mediaStream: { wav: greeting },
    audioElement: { wav: `call-${id}.wav` },
  })
})
phone.on('sessionStarted', (session) => {
  // A greeting that can't be played would leave the caller in silence.
  session.on('warning', ({ code, message }) => code === 'no-device' && (console.error(message), session.end()))
  session.on('dtmf', ({ tone }) => console.log(`pressed ${tone}`))
  session.on('stats', ({ mos, rttMs }) => console.log(`MOS ${mos.toFixed(1)}, round trip ${rttMs ?? '?'} ms`))
})
phone.on('sessionEnded', (session, reason) => console.log(`ended after ${session.duration} ms: ${reason.text}`))
phone.on('error', (error) => console.error(error.code, error.message))

await phone.initialize()
process.once('SIGINT', () => phone.destroy())
console.log('ready')
