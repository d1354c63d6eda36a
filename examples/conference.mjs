// Joins everybody who calls into one room, and rings up whoever is named on the command line.
//   SIP_URI=sip:room@example.com SIP_PASSWORD=… SIP_SERVER=wss://pbx.example.com/ws node node_modules/offhook/examples/conference.mjs +15551234567 bob
import { Softphone } from 'offhook'

const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env
const phone = new Softphone({ uri, password, servers, autoAnswer: 'off', audio: 'none', logLevel: 'warn' })
await phone.initialize()

const room = await phone.conference([], { input: 'none', output: 'none' })
const who = () => room.members.map(({ address }) => address).join(', ') || 'nobody'
room.on('join', ({ address }) => console.log(`${address} is here: ${who()}`))
room.on('leave', ({ address }) => console.log(`${address} has left: ${who()}`))

const join = (session) => room.add(session).catch(({ message }) => console.log(`${session.address}: ${message}`))
phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
phone.on('sessionStarted', join)
for (const target of process.argv.slice(2)) await phone.call(target)
process.once('SIGINT', () => phone.destroy())
console.log(`the room is open as ${uri}`)
