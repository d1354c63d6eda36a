// The page: /?room=test%20room names the room beforehand, and &muted starts muted.
import { pickDevices } from './devices.js'
import { joinRoom } from './participant.js'

const element = (id) => document.getElementById(id)
const post = async (path, body) => (await fetch(path, { method: 'POST', body: JSON.stringify(body) })).json()
const form = () => Object.fromEntries(new FormData(element('join')))
let session

async function join() {
  const { token } = await post('/joinCall', form())
  const { value: microphone } = element('microphone')
  const audio = microphone ? { deviceId: { exact: microphone } } : true
  const media = { audio, muted: element('muted').checked, sound: element('sound'), speaker: element('speaker').value }
  session = await joinRoom(token, media, show, () => (show([]), (element('state').textContent = 'It is over')))
  showMuted()
}

// It rings until the first peer comes, and tells when the last is gone.
function show(others) {
  const before = element('others').childElementCount
  element('others').replaceChildren(...others.map((user) => Object.assign(document.createElement('li'), { textContent: user.querySelector('display-text').textContent })))
  element('state').textContent = others.length > 0 ? 'Talking' : before > 0 ? 'You are the last one' : 'Ringing'
}

function showMuted() {
  element('mute').textContent = session?.isMuted().audio ? 'Unmute' : 'Mute'
}

const asked = new URLSearchParams(location.search)
if (asked.get('room')) element('join').elements.room.value = asked.get('room')
element('muted').checked = asked.has('muted')
element('join').onsubmit = (event) => (event.preventDefault(), join())
element('mute').onclick = () => (session?.isMuted().audio ? session.unmute() : session?.mute(), showMuted())
element('dial').onclick = () => post('/startPSTNCall', { ...form(), name: 'Telephone', number: prompt('Which number?') })
pickDevices(element('microphone'), element('speaker'))
