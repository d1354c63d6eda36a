// The page: /?room=test%20room names the room beforehand, and &muted starts muted.
import { shareButton, toggleButton } from './buttons.js'
import { pickDevices } from './devices.js'
import { lookInto, microphoneOf } from './mirror.js'
import { joinRoom } from './participant.js'
import { showStreams } from './streams.js'

const asked = new URLSearchParams(location.search)
const start_muted_audio = asked.has('muted')
const element = (id) => document.getElementById(id)
const post = async (path, body) => (await fetch(path, { method: 'POST', body: JSON.stringify(body) })).json()
const form = () => Object.fromEntries(new FormData(element('join')))
let meeting
let streams = []

async function join() {
  const { token } = await post('/joinCall', form())
  const mediaStream = await microphoneOf(element('microphone'), element('mirror'))
  const media = { mediaStream, muted: element('muted').checked, sound: element('sound'), speaker: element('speaker').value }
  meeting = await joinRoom(token, media, show, () => (show([]), (element('state').textContent = 'It is over')))
  toggleButton(element('mute'), meeting.session, 'audio', ['Mute', 'Unmute'])
  toggleButton(element('hide'), meeting.session, 'video', ['Hide camera', 'Show camera'])
  shareButton(element('share'), meeting.share)
  show(streams)
}

function show(now) {
  streams = now
  showStreams(streams, { state: element('state'), others: element('others'), videos: element('videos') }, meeting)
}

if (asked.get('room')) element('join').elements.room.value = asked.get('room')
element('muted').checked = start_muted_audio
element('join').onsubmit = (event) => (event.preventDefault(), join())
element('dial').onclick = () => post('/startPSTNCall', { ...form(), name: 'Telephone', number: prompt('Which number?') })
pickDevices({ audioinput: element('microphone'), videoinput: element('camera'), audiooutput: element('speaker') })
  .then(() => lookInto(element('mirror'), element('camera'), (camera) => camera && meeting?.film(camera)))
