// Puts every caller through to a speech model behind a realtime API (OpenAI's and those like it): PCM of 24 kHz in base64. When the
// caller interrupts, the model is told how much of its sentence was heard. On Node 20 add the package ws.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws API_KEY=… node node_modules/offhook/examples/bots/realtime.mjs wss://api.openai.com/v1/realtime
import { serve } from './calls.mjs'
import { Sentences } from './sentences.mjs'
import { connect, keepsUp, messages, printable, send } from './socket.mjs'

const { API_KEY, MODEL = 'gpt-realtime', INSTRUCTIONS: instructions = 'Greet the caller, and keep it short.' } = process.env
const url = new URL(process.argv[2])
if (!url.searchParams.has('model')) url.searchParams.set('model', MODEL)
const rate = 24_000
const format = { type: 'audio/pcm', rate }
const audio = { input: { format, turn_detection: { type: 'server_vad' } }, output: { format } }

async function talk({ session, socket, ear, mouth }) {
  const sentences = new Sentences(mouth, rate)
  // Both generations of events are understood; what is sent is of today's.
  messages(socket, (event) => {
    switch (event.type) {
      case 'response.output_audio.delta':
      case 'response.audio.delta':
        return sentences.say(event.item_id, event.content_index ?? 0, event.delta)
      case 'response.output_audio.done':
      case 'response.audio.done':
        return sentences.done(event.item_id)
      case 'input_audio_buffer.speech_started':
        for (const cut of sentences.interrupt()) send(socket, { type: 'conversation.item.truncate', ...cut })
        return
      case 'error':
        return console.error(`the service says: ${printable(event.error?.message)}`)
    }
  })
  send(socket, { type: 'session.update', session: { type: 'realtime', output_modalities: ['audio'], instructions, audio } })
  send(socket, { type: 'response.create' })
  ear.on('data', (pcm) => keepsUp(socket) && send(socket, { type: 'input_audio_buffer.append', audio: pcm.toString('base64') }))
  await session.once('terminated')
}

await serve({ rate, connect: () => connect(url, { Authorization: `Bearer ${API_KEY}` }), talk })
