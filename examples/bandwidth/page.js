// A participant in a browser: JsSIP calls the room with the token that /joinCall gave, and subscribes to who is in it.
import JsSIP from 'jssip'

const element = (id) => document.getElementById(id)
const post = async (path, body) => (await fetch(path, { method: 'POST', body: JSON.stringify(body) })).json()
const form = () => Object.fromEntries(new FormData(element('join')))

async function join() {
  const { token } = await post('/joinCall', form())
  const { sub, room, key, sip } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  const ua = new JsSIP.UA({ ...sip, sockets: [new JsSIP.WebSocketInterface(sip.servers)], session_timers: false })
  const extraHeaders = [`X-Participant-Token: ${key}`]
  ua.on('registered', () => {
    const type = 'application/conference-info+xml'
    const roster = ua.subscribe(room, 'conference', type, { contentType: type, extraHeaders })
    roster.on('notify', (last, request, body) => show(last ? [] : othersIn(body, sub)))
    roster.subscribe()
    const session = ua.call(room, { mediaConstraints: { audio: true }, rtcOfferConstraints: {}, extraHeaders })
    session.connection.ontrack = ({ track }) => (element('sound').srcObject = new MediaStream([track]))
    session.on('ended', () => (show([]), (element('state').textContent = 'It is over'), ua.stop()))
  })
  ua.start()
}

function othersIn(body, own) {
  const users = [...new DOMParser().parseFromString(body, 'text/xml').getElementsByTagName('user')]
  const others = users.filter((user) => !user.getAttribute('entity').endsWith(own))
  return others.filter((user) => user.querySelector('endpoint > status')?.textContent === 'connected')
}

// It rings until the first peer comes, and tells when the last is gone.
function show(others) {
  const before = element('others').childElementCount
  element('others').replaceChildren(...others.map((user) => Object.assign(document.createElement('li'), { textContent: user.querySelector('display-text').textContent })))
  element('state').textContent = others.length > 0 ? 'Talking' : before > 0 ? 'You are the last one' : 'Ringing'
}

element('join').onsubmit = (event) => (event.preventDefault(), join())
element('dial').onclick = () => post('/startPSTNCall', { ...form(), name: 'Telephone', number: prompt('Which number?') })
