import { MessageChannel, parentPort } from 'node:worker_threads'
import { Softphone } from 'offhook'
import { serve, type BridgeEnd } from 'offhook/bridge'
import { subscribe } from 'offhook/bridge/subscriptions'
import { videoPort } from 'offhook/bridge/video'
import { connect, BridgeError, type BridgePhone, type BridgeSession, type BridgeState } from 'offhook/bridge/client'

const { port1, port2 } = new MessageChannel()
declare const phone: Softphone
const page = serve(phone, port1)
const end: BridgeEnd = await page.closed
console.log(end.reason === 'lost')
if (parentPort) serve(phone, parentPort).close()
// @ts-expect-error: no phone
serve({}, port1)
// @ts-expect-error: no port
serve(phone, {})

const client: BridgePhone = connect(port2)
await client.ready
const state: BridgeState = client.state
const end2: () => void = client.subscribe(() => console.log(client.state === state))
end2()
const session: BridgeSession = await client.call('bob', { mediaStream: 'default', audioElement: { device: 'x' }, signal: AbortSignal.timeout(9) })
// @ts-expect-error: files are opened where the phone is
await client.call('bob', { mediaStream: { wav: 'a.wav' } })
// @ts-expect-error: not over a port
client.destroy()
await session.answered
const address: string = session.address
const held: boolean = state.sessions[0]?.held ?? session.held
await session.setInput('none')
// @ts-expect-error: files are opened where the phone is
await session.setOutput({ wav: 'a.wav' })
const camera = videoPort(client)
await client.call('bob', { video: camera, screen: 'none' })
await session.setVideo(camera)
await session.setScreen(null)
await session.setVideoOutput('x', videoPort(client))
// @ts-expect-error: files are opened where the phone is
await session.setVideo({ y4m: 'a.y4m' })
const subscription = await subscribe(client, 'bob', 'presence', { expires: 60 })
subscription.on('notify', ({ document }) => console.log(document?.kind))
await session.attendedTransfer(session, { ringing: 'blind' })
const conference = await client.conference([session])
await conference.mute(session)
conference.on('join', (member) => console.log(member.uri, address, held))
client.on('sessionEnded', (ended, reason) => console.log(ended.id, reason.condition, `${reason}`))
client.on('error', (error, { code }) => console.log(error instanceof BridgeError, error.code === code))
client.on('pendingSession', ({ id }) => void client.answer(id).then(({ muted }) => muted))
const [level] = await session.once('level')
console.log(level.local, (await session.getStats()).size, (await client.listDevices())[0]?.label)
// @ts-expect-error: no such event
client.on('nothing', () => {})

import { connectHeadset, headsetFilters, type HidDevice } from 'offhook/bridge/headset'

declare const device: HidDevice
const headset = await connectHeadset(device, client)
console.log(headset.has.hook, headsetFilters.length, (await headset.closed).reason === 'unplugged')
// @ts-expect-error: a phone over a port
await connectHeadset(device, phone)
