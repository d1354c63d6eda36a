import { AudioSink, AudioSource } from 'offhook'

/** Answers every call of a phone: says back what it hears, half a second later, and stops when a key is pressed. */
export function answerCalls(phone, say = console.log) {
  phone.on('pendingSession', async ({ id, address, displayName }) => {
    say(`${displayName ?? address} calls`)
    const ear = new AudioSink({ rate: 16000 }) // a Readable: 20 ms of Int16 samples at a time
    const mouth = new AudioSource({ rate: 16000, queue: 2000 }) // a Writable
    mouth.write(new Int16Array(8000))
    ear.pipe(mouth) // your speech recognition and synthesis go here
    try {
      const session = await phone.answer(id, { mediaStream: mouth, audioElement: ear })
      session.on('dtmf', ({ tone }) => {
        say(`pressed ${tone}`)
        mouth.clear()
      })
      const [, reason] = await session.once('terminated')
      say(`the call is over: ${reason.text}`)
    } catch (error) {
      say(`not answered: ${error.message}`)
    }
    ear.destroy()
    mouth.destroy()
  })
}
