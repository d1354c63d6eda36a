// A participant in a browser: JsSIP calls the room with the token that /joinCall gave, and subscribes to who is in it.
import JsSIP from 'jssip'

const type = 'application/conference-info+xml'

/** Resolves with JsSIP's session once its call is under way: muted, if it starts so, before anything is heard. */
export async function joinRoom(token, { audio, muted, sound, speaker }, onOthers, onOver) {
  const { sub, room, key, sip } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  const ua = new JsSIP.UA({ ...sip, sockets: [new JsSIP.WebSocketInterface(sip.servers)], session_timers: false })
  const extraHeaders = [`X-Participant-Token: ${key}`]
  const registered = new Promise((resolve) => ua.on('registered', resolve))
  ua.start()
  await registered
  const roster = ua.subscribe(room, 'conference', type, { contentType: type, extraHeaders })
  roster.on('notify', (last, request, body) => onOthers(last ? [] : othersIn(body, sub)))
  roster.subscribe()
  if (speaker) await sound.setSinkId(speaker)
  const session = ua.call(room, { mediaConstraints: { audio }, rtcOfferConstraints: {}, extraHeaders })
  session.connection.ontrack = ({ track }) => (sound.srcObject = new MediaStream([track]))
  session.on('ended', () => (onOver(), ua.stop()))
  await new Promise((resolve, reject) => session.on('failed', ({ cause }) => reject(new Error(cause))).on('sending', resolve))
  if (muted) session.mute({ audio: true })
  return session
}

function othersIn(body, own) {
  const users = [...new DOMParser().parseFromString(body, 'text/xml').getElementsByTagName('user')]
  const others = users.filter((user) => !user.getAttribute('entity').endsWith(own))
  return others.filter((user) => user.querySelector('endpoint > status')?.textContent === 'connected')
}
