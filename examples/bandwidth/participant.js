// A participant in a browser: JsSIP calls the room with the token that /joinCall gave, and subscribes to who is in it.
import JsSIP from 'jssip'
import { streamsIn } from './roster.js'

const type = 'application/conference-info+xml'

/** Resolves once the call is under way: muted, if it starts so, before anything is heard. */
export async function joinRoom(token, { mediaStream, muted, sound, speaker }, onStreams, onOver) {
  const { sub, room, key, sip } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  const ua = new JsSIP.UA({ ...sip, sockets: [new JsSIP.WebSocketInterface(sip.servers)], session_timers: false })
  const extraHeaders = [`X-Participant-Token: ${key}`]
  const registered = new Promise((resolve) => ua.on('registered', resolve))
  ua.start()
  await registered
  const roster = ua.subscribe(room, 'conference', type, { contentType: type, extraHeaders })
  roster.on('notify', (last, request, body) => onStreams(last ? [] : streamsIn(body, sub)))
  roster.subscribe()
  if (speaker) await sound.setSinkId(speaker)
  const call = (options, ...headers) => ua.call(room, { ...options, extraHeaders: [...extraHeaders, ...headers] })
  const session = call({ mediaStream })
  session.connection.ontrack = ({ track }) => track.kind === 'audio' && (sound.srcObject = new MediaStream([track]))
  session.on('ended', () => (onOver(), ua.stop()))
  await new Promise((resolve, reject) => session.on('failed', ({ cause }) => reject(new Error(cause))).on('sending', resolve))
  if (muted) session.mute({ audio: true })
  /** Publishes a screen by a call beside the other; gives what ends it. */
  const share = (screen) => call({ mediaStream: screen, rtcOfferConstraints: { offerToReceiveAudio: true } }, 'X-Room-Call: publish', `X-Stream-Alias: a screen`)
  /** Gives the pictures of one of the streams to a video element, by a call that only sees; a server that is too busy is asked again. */
  const watch = (endpointId, video) => {
    const receive = { mediaConstraints: { audio: false, video: false }, rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: true } }
    const watching = call(receive, 'X-Room-Call: watch', `X-Endpoint-Id: ${endpointId}`)
    watching.connection.ontrack = ({ track }) => track.kind === 'video' && (video.srcObject = new MediaStream([track]))
    const again = () => video.isConnected && session.isEstablished() && watch(endpointId, video)
    watching.on('failed', ({ message }) => message?.status_code === 503 && setTimeout(again, 500))
  }
  /** Shows another camera instead of the one before, and hides it if that is hidden. */
  const film = (camera) => {
    camera.enabled = !session.isMuted().video
    session.connection.getSenders().find(({ track }) => track?.kind === 'video')?.replaceTrack(camera)
  }
  return { session, share, watch, film }
}
