// A phone: node moving-phone.mjs '{ "options": …, "call"?: target, "watched"?: true }'. Each line that it prints ends with the time in milliseconds:
// `registered`, `connected`, `disconnected REASON`, `interrupted true`, `ended CONDITION TEXT`, and `sound after N` when the other
// party is heard after N milliseconds of silence, and `hears` each second in which it is heard. With `"watched": true` also `sends METHOD` for each request, and
// `network REROUTED` for each change that was noticed.
import { Softphone } from 'offhook'
import { silent, voice } from '../phones.mjs'

const { options, call, watched } = JSON.parse(process.argv[2])
const tell = (what) => console.log(`${what} ${Date.now()}`)
const phone = new Softphone({ audio: 'none', logger: silent, logLevel: watched ? 'trace' : 'error', ...options })
const { ear, audio } = voice(600)
if (process.env.OFFHOOK_TEST_LOG) phone.on('trace', (level, message, details) => console.error(level, message, JSON.stringify(details)))

if (watched) {
  phone.on('trace', (_level, message, details) => {
    if (message === 'The network has changed') tell(`network ${details.rerouted}`)
    const method = message === 'SIP message sent' && /^([A-Z]+) /.exec(details.sip)?.[1]
    if (method) tell(`sends ${method}`)
  })
}

phone.on('connected', () => tell('connected'))
phone.on('disconnected', ({ reason }) => tell(`disconnected ${reason}`))
phone.on('registered', () => tell('registered'))
phone.on('registrationFailed', ({ code, fatal }) => tell(`registrationFailed ${code} ${fatal}`))
phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id, audio))
phone.on('sessionEnded', (_session, { condition, text }) => tell(`ended ${condition} ${text}`))
phone.on('sessionStarted', (session) => session.on('change:interrupted', () => tell(`interrupted ${session.interrupted}`)))

// Sound that comes back sooner was not away: a machine as busy as those of tests is late by as much.
// The first is told however soon it comes.
let loudAt = 0
let toldAt = 0
ear.on('data', (frame) => {
  const samples = new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
  if (!samples.some((sample) => Math.abs(sample) > 1000)) return
  const silent = Date.now() - loudAt
  loudAt = Date.now()
  if (silent > 200) tell(`sound after ${silent}`)
  if (loudAt - toldAt < 1000) return
  toldAt = loudAt
  tell('hears')
})

await phone.initialize({ signal: AbortSignal.timeout(40_000) })
if (call) await phone.call(call, audio)
