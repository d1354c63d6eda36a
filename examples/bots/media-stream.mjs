// Puts every caller through to a bot that speaks the protocol of Twilio's media streams, at a WebSocket of yours: it need not be
// changed, for what connects to it is this program; but it must not insist on a signature (X-Twilio-Signature). On Node 20 add the package ws.
//   SIP_URI=sip:bot@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/bots/media-stream.mjs ws://localhost:8080/media
import { randomBytes } from 'node:crypto'
import { serve } from './calls.mjs'
import { decode, encode } from './mulaw.mjs'
import { connect, keepsUp, messages, send } from './socket.mjs'

const url = process.argv[2]
const sid = (kind) => kind + randomBytes(16).toString('hex')
const accountSid = sid('AC')

async function talk({ session, socket, ear, mouth }) {
  const [streamSid, callSid] = [sid('MZ'), sid('CA')]
  let [sequence, chunk] = [0, 0]
  const tell = (event, body) => send(socket, { event, sequenceNumber: `${++sequence}`, [event]: body, streamSid })

  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }
  const customParameters = { from: session.address, callId: session.callId }
  send(socket, { event: 'connected', protocol: 'Call', version: '1.0.0' })
  tell('start', { accountSid, streamSid, callSid, tracks: ['inbound'], customParameters, mediaFormat })
  ear.on('data', (pcm) => {
    const timestamp = `${20 * chunk++}`
    if (!keepsUp(socket)) return
    tell('media', { track: 'inbound', chunk: `${chunk}`, timestamp, payload: encode(pcm).toString('base64') })
  })
  session.on('dtmf', ({ tone }) => tell('dtmf', { track: 'inbound_track', digit: tone }))

  // A mark comes back when what was sent before it has been played, or at once if that is cleared.
  mouth.on('mark', ({ name }) => tell('mark', { name }))
  messages(socket, ({ event, media, mark }) => {
    if (event === 'media') mouth.write(decode(Buffer.from(`${media.payload}`, 'base64')))
    if (event === 'mark') mouth.mark(`${mark.name}`)
    if (event === 'clear') mouth.clear()
  })
  await session.once('terminated')
  mouth.removeAllListeners('mark')
  tell('stop', { accountSid, callSid })
}

await serve({ rate: 8000, connect: () => connect(url), talk })
