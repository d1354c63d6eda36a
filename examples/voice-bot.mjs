// A bot that hears PCM and speaks PCM: here it says everything back, half a second later, and stops when a key is pressed.
//   SIP_URI=… SIP_PASSWORD=… SIP_SERVER=… node voice-bot.mjs
import { AudioSink, AudioSource, Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, autoAnswer: 'off', audio: 'none', logLevel: 'warn' })

phone.on('pendingSession', ({ id }) => {
  const ear = new AudioSink({ rate: 16000 })
  const mouth = new AudioSource({ rate: 16000, queue: 2000 })
  mouth.write(new Int16Array(8000))
  ear.pipe(mouth)
  phone.once('sessionStarted', (session) => {
    session.on('dtmf', () => mouth.clear())
    session.on('terminated', () => {
      ear.destroy()
      mouth.destroy()
    })
  })
  phone.acceptPendingSession(id, { mediaStream: mouth, audioElement: ear })
})

await phone.initialize()
console.log('say something')
