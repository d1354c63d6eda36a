// Writes what callers say by a streaming transcription service (Deepgram's and those like it): binary frames of PCM at 16 kHz go to
// it, interim and final results come back. On Node 20 add the package ws.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws API_KEY=… node node_modules/offhook/examples/bots/transcribe.mjs wss://api.deepgram.com/v1/listen
import { serve } from './calls.mjs'
import { connect, keepsUp, messages, printable, send } from './socket.mjs'

const rate = 16_000
const url = new URL(process.argv[2])
const wanted = { encoding: 'linear16', sample_rate: rate, channels: 1, interim_results: true }
for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value)
const headers = { Authorization: `Token ${process.env.API_KEY}` }

async function talk({ session, socket, ear }) {
  messages(socket, ({ type, is_final, channel }) => {
    const text = channel?.alternatives?.[0]?.transcript
    // An interim result may change; a final one stays.
    if (type === 'Results' && text) console.log(is_final ? `${printable(session.address)}: ${printable(text)}` : `… ${printable(text)}`)
  })
  ear.on('data', (pcm) => keepsUp(socket) && socket.send(pcm))
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
  await session.once('terminated')
  // The last results come before the service closes.
  ear.removeAllListeners('data')
  send(socket, { type: 'CloseStream' })
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5000).unref())])
}

await serve({ rate, connect: () => connect(url, headers), talk })
