// A phone: node nat-phone.mjs '{ "options": …, "more"?: options, "tells"?: true, "iceServers": […], "call"?: target, "says": hertz, "hears": hertz }'.
// Prints `registered`; with `tells`, `sent` and each SIP message of its own as JSON; of its call, `heard LOCAL REMOTE` with the kinds of the two addresses that media takes; `ended CONDITION`.
import { Softphone } from 'offhook'
import { silent, voice } from '../phones.mjs'
import { hears } from '../sound.mjs'

const { options, more, tells, iceServers, call, says, hears: expected } = JSON.parse(process.argv[2])
const phone = new Softphone({ audio: 'none', logger: silent, iceServers, ...options, ...more })
const { ear, audio } = voice(says)

// What it tells others of its addresses.
if (tells) phone.on('trace', (_level, message, { sip } = {}) => message === 'SIP message sent' && console.log(`sent ${JSON.stringify(sip)}`))
phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id, audio))
phone.on('sessionEnded', (_session, { condition }) => console.log(`ended ${condition}`))
phone.on('sessionStarted', async (session) => {
  await hears(ear, expected, 30_000)
  console.log(`heard ${await path(session)}`)
})
await phone.initialize({ signal: AbortSignal.timeout(10_000) })
console.log('registered')
if (call) await phone.call(call, audio)

async function path(session) {
  const report = await session.getStats()
  const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport')
  const pair = report.get(selectedCandidatePairId)
  return [pair.localCandidateId, pair.remoteCandidateId].map((id) => report.get(id).candidateType).join(' ')
}
