// A bot that hears PCM and speaks PCM: here it says everything back, half a second later, and stops when a key is pressed.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/voice-bot.mjs
import { AudioSink, AudioSource, Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, autoAnswer: 'off', audio: 'none', logLevel: 'warn' })

phone.on('pendingSession', async ({ id }) => {
  const ear = new AudioSink({ rate: 16000 })
  const mouth = new AudioSource({ rate: 16000, queue: 2000 })
  mouth.write(new Int16Array(8000))
  ear.pipe(mouth)
  try {
    const session = await phone.answer(id, { mediaStream: mouth, audioElement: ear })
    session.on('dtmf', () => mouth.clear())
    await session.once('terminated')
  } catch (error) {
    console.error(`not answered: ${error.message}`)
  }
  ear.destroy()
  mouth.destroy()
})

await phone.initialize()
console.log('say something')
