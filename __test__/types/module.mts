import { Readable, Writable } from 'node:stream'
import {
  AudioSink,
  AudioSource,
  Conference,
  EndReason,
  Notifier,
  Session,
  Softphone,
  SoftphoneError,
  listDevices,
  type AudioDevice,
  type ClearedSound,
  type SourceMark,
  type SourcePosition,
  type ConnectionState,
  type DtmfEvent,
  type EndCondition,
  type ErrorCode,
  type ErrorDetails,
  type LogLevel,
  type PendingSession,
  type PendingSessionEnd,
  type RegisteredEvent,
  type StatsReport,
} from 'offhook'
import { BandwidthRtc, Rooms, type RtcStream } from 'offhook/compat/bandwidth'
import { ExotelWebClient, SessionListener, type CallObject } from 'offhook/compat/exotel'
import { PureCloudWebrtcSdk, type SoftphoneSession } from 'offhook/compat/purecloud'
import { WhistleEngine, type Connectivity } from 'offhook/compat/whistle'
import { Cti, xc_webrtc, type XcEvent } from 'offhook/compat/xivo'

/** Fails to compile unless both types are the same. */
function same<A, B>(_equal: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never): void {}

const phone = new Softphone({
  uri: 'sip:alice@example.com',
  password: 'secret',
  servers: ['wss://a.example.com/ws', { url: 'wss://b.example.com/ws', priority: 1, weight: 2 }],
  tls: { ca: [Buffer.from('')], rejectUnauthorized: true },
  iceServers: [{ urls: 'stun:stun.example.com' }],
  autoAnswer: async ({ id }) => id === '1',
  audio: { input: 'default', output: new AudioSink({ rate: 16000 }) },
  codecs: ['opus', 'PCMU'],
})
new Softphone({ uri: 'sip:alice@example.com', password: async () => 'secret' })
new Softphone({ accessToken: async () => 'token', environment: 'mypurecloud.com', orgId: 'guid' })
new Softphone({ uri: 'sip:a@b', autoAnswer: { policy: 'headers', delay: 100, trustedPeers: ['b'] }, audio: 'none' })

// @ts-expect-error: options are required
new Softphone()
// @ts-expect-error: no such option
new Softphone({ uri: 'sip:a@b', pasword: 'x' })
// @ts-expect-error: no such codec
new Softphone({ uri: 'sip:a@b', codecs: ['speex'] })
// @ts-expect-error: no such policy
new Softphone({ uri: 'sip:a@b', autoAnswer: 'sometimes' })

phone.on('pendingSession', (pending) => {
  same<typeof pending, PendingSession>(true)
  phone.acceptPendingSession(pending.id)
  phone.acceptPendingSession(pending.id, { autoStartMedia: false, autoConnectSession: false })
  phone.acceptPendingSession(pending.id, { mediaStream: new AudioSource(), autoConnectSession: true })
  phone.acceptPendingSession(pending.id, { autoStartMedia: true })
})
phone.on('cancelPendingSession', (id, details) => {
  same<typeof id, string>(true)
  same<typeof details, PendingSessionEnd>(true)
})
phone.on('sessionEnded', (session, reason) => {
  same<typeof session, Session>(true)
  same<typeof reason, EndReason>(true)
  console.log(`${reason}`, reason.sip?.code)
})
phone.on('trace', (level, message) => {
  same<typeof level, LogLevel>(true)
  same<typeof message, string>(true)
})
phone.on('error', (error, details) => {
  same<typeof error, SoftphoneError>(true)
  same<typeof details, ErrorDetails>(true)
})
phone.once('ready', () => {}).off('ready', () => {})
const emitted: boolean = phone.emit('registered', { expires: 600 })

// @ts-expect-error: no such event
phone.on('pendingSesion', () => {})
// @ts-expect-error: it has no such argument
phone.on('registered', (event: number) => event)
// @ts-expect-error: an argument is missing
phone.emit('registered')

async function use(signal: AbortSignal): Promise<void> {
  const [registered] = await phone.once('registered', { signal })
  same<typeof registered, RegisteredEvent>(true)
  const [session, reason] = await phone.once('sessionEnded')
  same<typeof session, Session>(true)
  same<typeof reason, EndReason>(true)

  await phone.initialize({ signal })
  await phone.intialize()
  const call = await phone.call('sip:bob@example.com', { signal, timeout: 30_000, headers: { 'X-Queue': 'sales' } })
  same<typeof call, Session>(true)
  await call.answered
  call.on('dtmf', (event) => same<typeof event, DtmfEvent>(true))
  call.on('change:connectionState', (of, state) => {
    same<typeof of, Session>(true)
    same<typeof state, ConnectionState>(true)
  })
  const [, terminated] = await call.once('terminated', { signal })
  same<typeof terminated, EndReason>(true)
  // @ts-expect-error: properties are read-only
  call.state = 'ended'
  await call.hold({ music: { tone: 440 } })
  await call.sendDtmf('123#', { duration: 100, gap: 70 })
  same<Awaited<ReturnType<typeof call.getStats>>, StatsReport>(true)
  same<Awaited<ReturnType<typeof listDevices>>, AudioDevice[]>(true)
  await phone.endSession({ id: call.id })
  await phone.endSession({ conversationId: call.conversationId })
  // @ts-expect-error: one of the two is needed
  await phone.endSession({})
  await phone.destroy()
  await phone[Symbol.asyncDispose]()
}

const source: Writable = new AudioSource({ rate: 8000, queue: 100 })
const sink: Readable = new AudioSink()
new AudioSource().mark('greeting').then((mark) => same<typeof mark, SourceMark>(true))
new AudioSource().mark().then((outcome) => same<typeof outcome, 'played' | 'cleared'>(true))
const { sent, heard }: SourcePosition = new AudioSource().position
same<typeof sent, number>(true)
same<typeof heard, number | undefined>(true)
const { played, dropped }: ClearedSound = new AudioSource().clear()
same<typeof played | typeof dropped, number>(true)
// @ts-expect-error: no such rate
new AudioSource({ rate: 44100 })
// @ts-expect-error: sessions are made by the phone
new Session()

try {
  void 0
} catch (error) {
  if (error instanceof SoftphoneError) same<typeof error.code, ErrorCode>(true)
}
export { emitted, sink, source, use }

const sdk = new PureCloudWebrtcSdk({ accessToken: 'token', environment: 'mypurecloud.com', orgId: 'guid', baseUrl: false })
sdk.on('pendingSession', ({ id, address, conversationId, autoAnswer }) => {
  same<[typeof id, typeof address, typeof conversationId, typeof autoAnswer], [string, string, string, boolean]>(true)
  sdk.acceptPendingSession(id, { autoStartMedia: false, autoConnectSession: false })
})
sdk.on('sessionStarted', (session) => {
  same<typeof session, SoftphoneSession>(true)
  session.on('terminated', (ended, reason, { text }) => same<[typeof ended, typeof reason, typeof text], [SoftphoneSession, EndCondition, string]>(true))
  session.on('peerStreamAdded', (_session, stream) => same<typeof stream, AudioSink | Session>(true))
})
sdk.on('disconnected', (info) => same<typeof info, string>(true))
// @ts-expect-error: no such event
sdk.on('sessionstarted', () => {})

const exWebClient = new ExotelWebClient()
const account = { userName: 'Username', authUser: 'Username', sipdomain: 'Domain', domain: 'HostServer:443', secret: 'Password', port: 443 }
same<boolean, ReturnType<typeof exWebClient.DoRegister>>(true)
exWebClient.initWebrtc(
  { ...account, security: 'wss', phone: { audio: 'none' } },
  (state, phone) => same<[typeof state, typeof phone], ['registered' | 'unregistered' | 'terminated' | 'sent_request', string]>(true),
  (callObj, eventType) => same<typeof callObj, CallObject>(true) ?? (eventType === 'activeSession' && exWebClient.getCall()?.Answer()),
)
SessionListener()

const engine = new WhistleEngine()
const started: boolean = engine.start({
  ...{ user: 'user', domain: 'example.com', proxy: 'sip.example.com', port: 443, authorization_jwt: `Bearer JWT` },
  call_ended: (reason) => same<typeof reason, EndReason>(true),
  connectivity_update: (light) => same<typeof light, Connectivity>(true),
})
if (started) engine.dial('+1234567890', { extraHeaders: ['X-Order: 4711'] })

Cti.WebSocket.init('wss://xivo/xuc/api/2.0/cti?token=token', 'user', '1000')
const unsubscribe: () => void = xc_webrtc.setHandler(xc_webrtc.MessageType.INCOMING, (event) => same<typeof event, XcEvent>(true))
const initialized: Promise<void> = xc_webrtc.init('user', true, 443, 'token', 'audio_remote', 'xivo')
xc_webrtc.setIceUrls([{ url: 'stun:stun.example.com' }, { urls: ['turn:turn.example.com'], username: 'user', credential: 'password' }])
// @ts-expect-error: no such group
xc_webrtc.setHandler('calls', unsubscribe)
void initialized

phone.on('subscriptionRequest', async ({ id, event, headers }) => {
  if (event !== 'conference' || !headers['x-participant-token']) return phone.rejectSubscription(id, { code: 403 })
  const notifier = await phone.acceptSubscription(id, { body: '<conference-info/>', contentType: 'application/conference-info+xml' })
  same<typeof notifier, Notifier>(true)
  notifier.once('terminated', ({ reason }) => same<typeof reason, 'local' | 'expired' | 'unsubscribed' | 'refused' | 'silent'>(true))
  await notifier.notify('<conference-info/>')
})
const rooms = new Rooms(phone, { address: 'sip:rooms@example.com', account: { uri: 'sip:guest@example.com', password: 'x' } })
rooms.on('participantJoined', (sessionId, { tag }, session) => same<typeof session, Session>(true))
const bandwidthRtc = new BandwidthRtc('warn')
bandwidthRtc.onStreamAvailable((stream) => same<typeof stream, RtcStream>(true))
await bandwidthRtc.connect({ deviceToken: (await rooms.createParticipant()).token }, { websocketUrl: 'wss://a.example.com' })
await bandwidthRtc.publish({ audio: { deviceId: { exact: 'x' } }, video: false }, (level) => same<typeof level, 'silent' | 'low' | 'high'>(true))

const conference = await phone.conference(phone.sessions, { input: { tone: 440 }, output: 'none' })
same<typeof conference, Conference>(true)
conference.on('join', (member) => same<typeof member, Session>(true))
conference.on('mute', (member) => same<typeof member, Session | undefined>(true))
conference.on('level', ({ local, members }) => same<[typeof local, (typeof members)[0]], [number, { id: string; level: number }]>(true))
same<(typeof phone.sessions)[0]['conference'], Conference | undefined>(true)
// @ts-expect-error: members are joined by add()
conference.members.push(...phone.sessions)
