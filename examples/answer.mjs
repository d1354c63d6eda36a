// Registers, answers every call, plays a WAV file to it and writes what the caller says to another.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node answer.mjs greeting.wav
import { Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, autoAnswer: 'off', audio: 'none', logLevel: 'warn' })

phone.on('pendingSession', ({ id, address, displayName }) => {
  console.log(`${displayName ?? address} calls`)
  phone.acceptPendingSession(id, {
    mediaStream: { wav: process.argv[2] },
    audioElement: { wav: `call-${id}.wav` },
  })
})
phone.on('sessionStarted', (session) => {
  session.on('dtmf', ({ tone }) => console.log(`pressed ${tone}`))
  session.on('stats', ({ mos, rttMs }) => console.log(`MOS ${mos.toFixed(1)}, round trip ${rttMs ?? '?'} ms`))
})
phone.on('sessionEnded', (session, reason) => console.log(`ended after ${session.duration} ms: ${reason.text}`))
phone.on('error', (error) => console.error(error.code, error.message))

await phone.initialize()
console.log('ready')
process.once('SIGINT', () => phone.destroy())
