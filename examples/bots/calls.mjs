// What the bots share: a phone that answers once the bot's service is connected, and hangs up when the service does.
import { AudioSink, AudioSource, Softphone } from 'offhook'
import { printable } from './socket.mjs'

export async function serve({ rate, connect, talk }) {
  const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers, SIP_PORT: udp, SIP_PEERS: peers = '' } = process.env
  // Without a server, those whom SIP_PEERS names, such as a carrier, call at that port, in plain RTP.
  const trunk = { register: false, listen: { udp: Number(udp) }, peers: peers.split(','), media: ['rtp'] }
  const phone = new Softphone({ uri, ...(udp ? trunk : { password, servers }), autoAnswer: 'off', audio: 'none', logLevel: 'warn' })
  phone.on('pendingSession', async ({ id, address: from }) => {
    const address = printable(from)
    const socket = await connect().catch(({ message }) => {
      console.error(`${address} is sent away: ${message}`)
      phone.rejectPendingSession(id, { code: 480 })
    })
    if (!socket) return
    const [ear, mouth] = [new AudioSink({ rate }), new AudioSource({ rate })]
    try {
      const session = await phone.answer(id, { mediaStream: mouth, audioElement: ear })
      console.log(`${address} is here`)
      const gone = () => session.end().catch(({ message }) => console.error(message))
      socket.addEventListener('close', gone)
      if (socket.readyState > 1) gone()
      await talk({ session, socket, ear, mouth })
      console.log(`${address} has left`)
    } catch (error) {
      console.error(`${address}: ${printable(error.message)}`)
    }
    socket.close()
    ear.destroy()
    mouth.destroy()
  })
  await phone.initialize()
  process.once('SIGINT', () => phone.destroy())
  console.log('ready')
}
