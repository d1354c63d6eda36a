// Generated from the serde forms of crates/ by "cargo run -p wire". Do not edit.

export type WireEvent = WirePhoneEvent | WireRuntimeEvent

export type WirePhoneEvent =
  | { type: 'ready' }
  | { type: 'connected'; reconnect: boolean; server: string }
  | { type: 'disconnected'; reconnecting: boolean; reason: string; retryIn: number | null }
  | { type: 'registered'; expires: number }
  | { type: 'unregistered' }
  | { type: 'registrationFailed'; code: number | null; reason: string; fatal: boolean; retryIn: number | null }
  | ({ type: 'pendingSession' } & WirePendingSession)
  | { type: 'cancelPendingSession'; id: string; details: WirePendingEnd }
  | { type: 'handledPendingSession'; id: string; details: WirePendingEnd }
  | ({ type: 'autoAnswerQuery' } & WirePendingSession)
  | { type: 'sessionStarted'; session: WireSessionSnapshot }
  | { type: 'sessionChanged'; id: string; changes: WireSessionChanges }
  | { type: 'progress'; id: string; code: number; reason: string; earlyMedia: boolean }
  | { type: 'redirected'; id: string; code: number; target: string }
  | { type: 'answered'; id: string }
  | { type: 'endOfCandidates'; id: string }
  | { type: 'dtmf'; id: string; tone: string; duration: number; method: WireDtmfMethod }
  | { type: 'transferProgress'; id: string; code: number; reason: string }
  | { type: 'transferRequested'; id: string; target: string; referredBy: string | null; attended: boolean }
  | { type: 'transferRequestEnded'; id: string }
  | { type: 'info'; id: string; contentType: string; body: string }
  | ({ type: 'streamAvailable'; id: string } & WireVideoStream)
  | ({ type: 'streamUnavailable'; id: string } & WireVideoStream)
  | { type: 'resolution'; id: string; stream: string; width: number; height: number }
  | { type: 'conference'; id: number; news: WireNews }
  | { type: 'terminated'; id: string; reason: WireEndReason }
  | { type: 'sessionEnded'; id: string; reason: WireEndReason }
  | ({ type: 'warning'; id: string; warning: WireWarning; text: string } & WireExplanation & Partial<WireStandIn>)
  | { type: 'warningCleared'; id: string; warning: WireWarning }
  | { type: 'trace'; level: WireLevel; message: string; details: unknown }
  | { type: 'error'; error: WirePhoneError; id: string | null }
  | { type: 'notified'; subscription: number; state: string; contentType: string; body: string; document?: WireStateDocument }
  | { type: 'subscriptionEnded'; subscription: number; reason: string | null; code: number | null }
  | { type: 'recordingEnded'; recording: number; report: WireRecordingReport }
  | { type: 'orphans'; orphans: WireOrphan[] }
  | ({ type: 'callRequested' } & WireCallRequest)
  | ({ type: 'subscriptionRequest' } & WireSubscriptionRequest)
  | { type: 'notifierEnded'; notifier: number; reason: WireNotifierEndReason; code: number | null }
  | ({ type: 'messageWaiting' } & WireMessageSummary)
  | ({ type: 'message' } & WireMessage)
  | { type: 'tokenWillExpire'; expiresIn: number }
  | { type: 'credentialNeeded' }
  | { type: 'proxyNeeded'; question: number; url: string }
  | { type: 'iceServersNeeded'; question: number }
  | { type: 'closed' }

export interface WirePendingSession {
  id: string
  address: string
  uri: string
  called: string
  displayName: string | null
  identity: WireCallerIdentity
  conversationId: string
  autoAnswer: boolean
  autoAnswerDelay: number
  autoAnswerSource: WireAutoAnswerSource | null
  replaces?: string
  callId: string
  headers: [string, string][]
  video: boolean
  screen: boolean
}

export interface WireCallerIdentity {
  asserted?: WireParty[]
  remoteParty?: WireParty[]
  privacy?: string[]
  diversion?: WireDiverted[]
  history?: WireVisited[]
  userToUser?: WireHandedOver
  sessionId?: string
}

export interface WireParty {
  uri: string
  displayName?: string
}

export type WireDiverted = WireParty & { reason?: string }

export type WireVisited = WireParty & { index?: string }

export interface WireHandedOver {
  data: string
  encoding: string
  text?: string
}

export type WireAutoAnswerSource =
  | 'announced'
  | 'trusted-peer'
  | 'call-info'
  | 'alert-info'
  | 'answer-mode'
  | 'x-header'
  | 'request-uri'
  | 'notify-talk'
  | 'replaces'
  | 'option'

export interface WirePendingEnd {
  side: WireSide
  reason: WireEndReason
  conversationId: string
  elsewhere?: WireElsewhere
}

export type WireSide = 'local' | 'remote' | 'network'

export interface WireEndReason {
  condition: WireCondition
  text: string
  side: WireSide
  sip?: WireSipStatus
  q850?: number
  targets?: WireRedirectTarget[]
  summary?: WireSummary
}

export type WireCondition =
  | 'alternative-session'
  | 'busy'
  | 'cancel'
  | 'connectivity-error'
  | 'decline'
  | 'expired'
  | 'failed-application'
  | 'failed-transport'
  | 'general-error'
  | 'gone'
  | 'incompatible-parameters'
  | 'media-error'
  | 'security-error'
  | 'success'
  | 'timeout'
  | 'unsupported-applications'
  | 'unsupported-transports'

export interface WireSipStatus {
  code: number
  reason: string
}

export interface WireRedirectTarget {
  uri: string
  displayName?: string
  q: number
}

export interface WireSummary {
  codec: string | null
  duration: number
  mos: WireMos
  loss: number
  jitter: number
  rtt: number | null
}

export interface WireMos {
  least: number
  mean: number
}

export type WireElsewhere = 'answered' | 'declined'

export interface WireSessionSnapshot {
  id: string
  conversationId: string
  callId: string
  address: string
  uri: string
  displayName: string | null
  identity: WireCallerIdentity
  sessionId?: WireEndToEndId
  direction: WireDirection
  state: WireSessionState
  connectionState: WireConnectionState
  active: boolean
  interrupted: boolean
  muted: boolean
  videoMuted: boolean
  held: boolean
  remoteHeld: boolean
  headers: [string, string][]
  startTime: number | null
}

export interface WireEndToEndId {
  local: string
  remote?: string
}

export type WireDirection = 'incoming' | 'outgoing'

export type WireSessionState = 'starting' | 'pending' | 'active' | 'ended'

export type WireConnectionState = 'starting' | 'connecting' | 'connected' | 'interrupted' | 'disconnected'

export interface WireSessionChanges {
  state?: WireSessionState
  connectionState?: WireConnectionState
  active?: boolean
  interrupted?: boolean
  muted?: boolean
  videoMuted?: boolean
  held?: boolean
  remoteHeld?: boolean
  startTime?: number
  callId?: string
  conversationId?: string
  sessionId?: WireEndToEndId
  codec?: string
  security?: WireSessionSecurity
}

export interface WireSessionSecurity {
  keying: WireKeying
  cipher?: string
  signalling?: WireSignallingTransport
}

export type WireKeying = 'dtls' | 'sdes' | 'rtp'

export type WireSignallingTransport = 'wss' | 'ws' | 'tls' | 'tcp' | 'udp'

export type WireDtmfMethod = 'rfc4733' | 'info' | 'inband'

export interface WireVideoStream {
  stream: string
  content: WireVideoContent
}

export type WireVideoContent = 'camera' | 'screen'

export type WireNews =
  | { type: 'started' }
  | { type: 'joined'; session: string }
  | { type: 'left'; session: string }
  | { type: 'held'; held: boolean }
  | { type: 'muted'; session: string | null; muted: boolean }
  | ({ type: 'warning'; warning: WireWarning; text: string } & WireExplanation & Partial<WireStandIn>)
  | { type: 'warningCleared'; warning: WireWarning }
  | { type: 'ended' }

export type WireWarning =
  | 'no-device'
  | 'no-media'
  | 'loss'
  | 'jitter'
  | 'delay'
  | 'microphone-silent'
  | 'clipping'
  | 'echo-suspected'
  | 'cpu-too-slow'
  | 'recording-failed'
  | 'recording-gap'
  | 'ice-server'
  | 'too-many-pixels'

export interface WireExplanation {
  cause: string
  advice: string
}

export interface WireStandIn {
  chosen: string
  inUse: string
  reason: string
}

export type WireLevel = 'trace' | 'debug' | 'log' | 'info' | 'warn' | 'error'

export interface WirePhoneError {
  code: WireErrorCode
  type: WireErrorType
  message: string
  cause?: string
  sip?: WireSipStatus
}

export type WireErrorCode =
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_NOT_CONNECTED'
  | 'ERR_CONNECTION_FAILED'
  | 'ERR_PROXY_FAILED'
  | 'ERR_PROXY_AUTHENTICATION'
  | 'ERR_REGISTRATION_FAILED'
  | 'ERR_AUTHENTICATION_FAILED'
  | 'ERR_SESSION_NOT_FOUND'
  | 'ERR_SESSION_CANCELLED'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_STATE'
  | 'ERR_TOO_MANY_SESSIONS'
  | 'ERR_DRAINING'
  | 'ERR_CALL_FAILED'
  | 'ERR_CALL_TIMEOUT'
  | 'ERR_ABORTED'
  | 'ERR_DESTROYED'
  | 'ERR_HOLD_FAILED'
  | 'ERR_VIDEO_FAILED'
  | 'ERR_DTMF_REFUSED'
  | 'ERR_TRANSFER_FAILED'
  | 'ERR_REQUEST_REFUSED'
  | 'ERR_REQUEST_TIMEOUT'
  | 'ERR_SUBSCRIPTION_ENDED'
  | 'ERR_CONFERENCE_ENDED'
  | 'ERR_NO_DEVICE'
  | 'ERR_REPORT_FAILED'
  | 'ERR_RECORDING_FAILED'
  | 'ERR_RECORDING_ENDED'
  | 'ERR_CAPTURE_FAILED'
  | 'ERR_JOURNAL'
  | 'ERR_MEDIA'

export type WireErrorType = 'generic' | 'initialization' | 'invalid_token' | 'http' | 'invalid_options' | 'not_supported' | 'session' | 'call' | 'media'

export type WireStateDocument =
  | { kind: 'dialogs'; entity: string; version: number | null; full: boolean; dialogs: WireDialogState[] }
  | { kind: 'presence'; entity: string; tuples: WirePresenceTuple[]; note?: string }
  | ({ kind: 'conference' } & WireConferenceInfo)

export interface WireDialogState {
  id: string
  state: string
  direction?: string
  callId?: string
  localTag?: string
  remoteTag?: string
  local?: WireParticipant
  remote?: WireParticipant
}

export interface WireParticipant {
  uri?: string
  displayName?: string
}

export interface WirePresenceTuple {
  id: string
  basic?: string
  contact?: string
  note?: string
}

export interface WireConferenceInfo {
  entity: string
  version: number | null
  state: WireElementState
  displayText?: string
  subject?: string
  userCount?: number
  locked?: boolean
  users: WireConferenceUser[]
}

export type WireElementState = 'full' | 'partial' | 'deleted'

export interface WireConferenceUser {
  entity: string
  state: WireElementState
  displayText?: string
  roles?: string[]
  endpoints: WireConferenceEndpoint[]
}

export interface WireConferenceEndpoint {
  entity: string
  state: WireElementState
  displayText?: string
  status?: string
  joiningMethod?: string
  disconnectionMethod?: string
  callId?: string
  media: WireConferenceMedia[]
}

export interface WireConferenceMedia {
  id: string
  type?: string
  displayText?: string
  label?: string
  status?: string
}

export interface WireRecordingReport {
  duration: number
  paused: WirePausedPart[]
  lost: number
}

export interface WirePausedPart {
  from: number
  to: number
}

export interface WireOrphan {
  callId: string
  address: string
  uri: string
  displayName: string | null
  conversationId: string
  direction: WireDirection
  state: WireOrphanState
  held: boolean
  startTime: number | null
}

export type WireOrphanState = 'ringing' | 'active'

export type WireCallRequest = WirePeer & { id: number; target: string; attended: boolean; identity: WireCallerIdentity; referredBy?: string; headers: [string, string][] }

export interface WirePeer {
  address: string
  uri: string
  displayName: string | null
}

export type WireSubscriptionRequest = WirePeer & { id: number; event: string; target: string; identity: WireCallerIdentity; accept: string[]; expires: number; headers: [string, string][] }

export type WireNotifierEndReason = 'local' | 'expired' | 'unsubscribed' | 'refused' | 'silent'

export interface WireMessageSummary {
  waiting: boolean
  account?: string
  voice?: WireCounts
  fax?: WireCounts
  text?: WireCounts
}

export interface WireCounts {
  new: number
  old: number
  urgentNew: number
  urgentOld: number
}

export type WireMessage = WirePeer & { sessionId?: string; contentType: string; body: string; headers: [string, string][] }

export type WireRuntimeEvent =
  | { type: 'reply'; ticket: number; value?: unknown; error?: WirePhoneError }
  | { type: 'stats'; id: string; stats: unknown }
  | { type: 'level'; id: string; local: number; remote: number }
  | { type: 'speechStarted'; id: string; level: number }
  | { type: 'speechEnded'; id: string; level: number; duration: number }
  | { type: 'toneHeard'; id: string; tone: WireHeardTone; frequencies: number[] }
  | { type: 'answeredBy'; id: string; answerer: WireAnsweredBy; confidence: number }
  | { type: 'levels'; conference: number; local: number | null; members: WireMemberLevel[] }

export type WireHeardTone = 'ringback' | 'busy' | 'congestion' | 'specialInformation' | 'beep'

export type WireAnsweredBy = 'human' | 'machine'

export interface WireMemberLevel {
  id: string
  level: number
}

export type WireReply =
  | null
  | WireSessionSnapshot
  | WireCapabilities
  | { subscription: number }
  | { conference: number }
  | { left: number }
  | { recording: number }

export interface WireCapabilities {
  allow: string[]
  accept: string[]
  supported: string[]
  userAgent?: string
  headers: [string, string][]
}

export type WireCommand =
  | { type: 'initialize' }
  | { type: 'disconnect' }
  | { type: 'reconnect' }
  | { type: 'register' }
  | { type: 'unregister' }
  | { type: 'destroy' }
  | { type: 'drain'; timeout?: number | undefined; code?: number | undefined }
  | { type: 'call'; target: string; options?: WireCallOptions | undefined }
  | { type: 'accept'; id: string; options?: WireAcceptOptions | undefined }
  | { type: 'connect'; id: string }
  | { type: 'sendEarlyMedia'; id: string }
  | { type: 'reject'; id: string; code?: number | undefined; reason?: string | undefined; cause?: number | undefined }
  | { type: 'redirect'; id: string; target: string; code?: number | undefined; reason?: string | undefined }
  | { type: 'end'; id?: string | undefined; conversationId?: string | undefined; reason?: string | undefined; cause?: number | undefined; text?: string | undefined }
  | { type: 'abort'; ticket: number }
  | { type: 'mute'; id: string; muted: boolean }
  | { type: 'hold'; id: string; held: boolean; music?: WireInput | undefined; via?: WireHoldVia | undefined }
  | { type: 'transfer'; id: string; target: string }
  | { type: 'attendedTransfer'; id: string; other: string; ringing?: WireWhenRinging | undefined }
  | { type: 'acceptTransfer'; id: string; options?: WireCallOptions | undefined }
  | { type: 'acceptCallRequest'; request: number; options?: WireCallOptions | undefined }
  | { type: 'rejectCallRequest'; request: number; code?: number | undefined; reason?: string | undefined }
  | { type: 'endOrphan'; callId: string }
  | { type: 'takeOver'; callId: string; options?: WireCallOptions | undefined }
  | { type: 'rejectTransfer'; id: string }
  | { type: 'sendInfo'; id: string; contentType: string; body: string }
  | { type: 'sendDtmf'; id: string; tones: string; duration?: number | undefined; gap?: number | undefined; via?: WireDtmfMethod | undefined }
  | { type: 'sendMessage'; target: string; contentType?: string | undefined; body: string; headers?: [string, string][] | undefined }
  | { type: 'sendOptions'; target: string; headers?: [string, string][] | undefined }
  | { type: 'subscribe'; target: string; event: string; options?: WireSubscribeOptions | undefined }
  | { type: 'unsubscribe'; subscription: number }
  | { type: 'acceptSubscription'; notifier: number; expires?: number | undefined; contentType?: string | undefined; body?: string | undefined }
  | { type: 'rejectSubscription'; notifier: number; code?: number | undefined; reason?: string | undefined }
  | { type: 'notify'; notifier: number; contentType?: string | undefined; body: string }
  | { type: 'terminateNotifier'; notifier: number; reason?: string | undefined }
  | { type: 'expectCall'; conversationId: string; timeout?: number | undefined }
  | { type: 'autoAnswerDecision'; id: string; answer: boolean }
  | { type: 'proxyChosen'; question: number; proxy?: string | undefined; failure?: string | undefined }
  | { type: 'iceServersGiven'; question: number; servers?: string | undefined; failure?: string | undefined }
  | { type: 'credentialFailed' }
  | { type: 'setAccessToken'; token: string }
  | { type: 'setPassword'; password: string }
  | { type: 'setIceServers'; iceServers: WireIceServer[] }
  | { type: 'setAudioDevice'; input?: WireInput | undefined; output?: WireOutput | undefined; ring?: WireOutput | undefined }
  | { type: 'setInput'; id: string; input: WireInput }
  | { type: 'setOutput'; id: string; output: WireOutput }
  | { type: 'setVideo'; id: string; content: WireVideoContent; input?: WireVideoInput | undefined }
  | { type: 'setVideoOutput'; id: string; stream: string; output: WireVideoOutput }
  | { type: 'muteVideo'; id: string; muted: boolean }
  | { type: 'record'; recorded: WireRecorded; target: WireRecordingTarget; format: WireRecordingFormat; legs: WireLegs; rate: number }
  | { type: 'pauseRecording'; recording: number; paused: boolean }
  | { type: 'stopRecording'; recording: number; failure?: string | undefined }
  | { type: 'tap'; id: string; tapped: WireTapped; sink: number }
  | { type: 'setAudioProcessing'; id?: string | undefined; processing: WireProcessing }
  | { type: 'measure'; id: string; wanted: boolean }
  | { type: 'listen'; id: string; speech?: boolean | undefined; tones?: boolean | undefined; answerer?: boolean | undefined }
  | { type: 'setVolume'; id?: string | undefined; volume: number }
  | { type: 'confer'; sessions: string[]; input?: WireInput | undefined; output?: WireOutput | undefined }
  | { type: 'conference'; id: number; request: WireRequest }
  | { type: 'setLogLevel'; level: WireLevel }
  | { type: 'delivered'; id: string }

export interface WireCallOptions {
  input?: WireInput | undefined
  output?: WireOutput | undefined
  audio?: WireProcessing | undefined
  headers?: [string, string][] | undefined
  conversationId?: string | undefined
  timeout?: number | undefined
  from?: WireFrom | undefined
  displayName?: string | undefined
  preferredIdentity?: string | undefined
  anonymous?: boolean | undefined
  userToUser?: WireUserToUser | undefined
  autoAnswer?: WireAnswerRequest | undefined
  voiceActivity?: WireVoiceActivity | undefined
  video?: WireVideoInput | undefined
  screen?: WireVideoInput | undefined
  media?: WireKeyingWish[] | undefined
}

export type WireInput =
  | { type: 'default' }
  | { type: 'device'; id: string }
  | { type: 'source'; id: number }
  | { type: 'wav'; path: string; repeat?: boolean | undefined; level?: number | undefined }
  | { type: 'tone'; frequency: number; level?: number | undefined }
  | { type: 'session'; id: string }
  | { type: 'conference'; id: number }
  | { type: 'mix'; parts: WireInput[] }
  | { type: 'none' }

export type WireOutput =
  | { type: 'default' }
  | { type: 'device'; id: string }
  | { type: 'sink'; id: number }
  | { type: 'wav'; path: string }
  | { type: 'several'; outputs: WireOutput[] }
  | { type: 'none' }

export interface WireProcessing {
  echoCancellation?: boolean | undefined
  noiseSuppression?: boolean | undefined
  autoGainControl?: boolean | undefined
}

export interface WireFrom {
  number: string
  name?: string | undefined
}

export type WireUserToUser =
  | string
  | { data: string; encoding?: string | undefined }

export interface WireAnswerRequest {
  delay?: number | undefined
  required?: boolean | undefined
}

export interface WireVoiceActivity {
  endOfTurn?: number | undefined
}

export type WireVideoInput =
  | { type: 'source'; id: number; codecs?: WireVideoCodec[] | undefined }
  | { type: 'y4m'; path: string; repeat?: boolean | undefined }
  | { type: 'ivf'; path: string; repeat?: boolean | undefined; codec: WireVideoCodec }
  | { type: 'stream'; session: string; stream: string }
  | { type: 'none' }

export type WireVideoCodec = 'vp8' | 'h264'

export type WireKeyingWish = 'dtls' | 'sdes' | 'sdes-unprotected' | 'rtp'

export interface WireAcceptOptions {
  input?: WireInput | undefined
  output?: WireOutput | undefined
  audio?: WireProcessing | undefined
  autoStartMedia?: boolean | undefined
  autoConnectSession?: boolean | undefined
  headers?: [string, string][] | undefined
  voiceActivity?: WireVoiceActivity | undefined
  video?: WireVideoInput | undefined
  screen?: WireVideoInput | undefined
}

export type WireHoldVia = 'invite' | 'update'

export type WireWhenRinging = 'wait' | 'blind'

export interface WireSubscribeOptions {
  expires?: number | undefined
  accept?: string[] | undefined
  headers?: [string, string][] | undefined
}

export interface WireIceServer {
  urls: string | string[]
  username?: string | undefined
  credential?: string | undefined
  expires?: number | undefined
}

export type WireVideoOutput =
  | { type: 'sink'; id: number }
  | { type: 'y4m'; path: string }
  | { type: 'ivf'; path: string }
  | { type: 'none' }

export type WireRecorded =
  | { type: 'session'; id: string }
  | { type: 'conference'; id: number }

export type WireRecordingTarget =
  | { type: 'file'; path: string }
  | { type: 'stream'; id: number }

export type WireRecordingFormat = 'wav' | 'ogg-opus'

export type WireLegs = 'stereo' | 'mix' | 'local' | 'remote'

export type WireTapped = 'local' | 'remote' | 'both'

export type WireRequest =
  | { type: 'add'; session: string }
  | { type: 'remove'; session: string }
  | { type: 'hold'; held: boolean; music?: WireInput | undefined; via?: WireHoldVia | undefined }
  | { type: 'mute'; session?: string | undefined; muted: boolean }
  | { type: 'setInput'; input: WireInput }
  | { type: 'setOutput'; output: WireOutput }
  | { type: 'setProcessing'; processing: WireProcessing }
  | { type: 'setLevels'; wanted: boolean }
  | { type: 'end' }
  | { type: 'dissolve' }

export interface WireHealth {
  status: WireReadiness
  connected: boolean
  registered: boolean
  calls: number
  ringing: number
  load: number
  peers: WirePeerStanding[]
  queues: WireQueues
}

export type WireReadiness = 'ready' | 'full' | 'draining' | 'unreachable' | 'closed'

export interface WirePeerStanding {
  address: string
  secure: boolean
  state: WirePeerState
  code?: number
}

export type WirePeerState = 'unknown' | 'reachable' | 'unreachable'

export interface WireQueues {
  events: number
  commands: number
}

export type WirePreflightEvent =
  | { type: 'check'; check: WireCheck }
  | { type: 'proxyNeeded'; question: number; url: string }
  | { type: 'iceServersNeeded'; question: number }
  | { type: 'done'; ok: boolean; checks: WireCheck[] }

export interface WireCheck {
  name: WireCheckName
  code: WireCheckCode
  status: WireCheckStatus
  found: string
  advice: string | null
  ms: number
  details: Record<string, unknown>
}

export type WireCheckName =
  | 'dns'
  | 'proxy'
  | 'tcp'
  | 'tls'
  | 'websocket'
  | 'registration'
  | 'stun'
  | 'turn'
  | 'relay'
  | 'udp'
  | 'nat'
  | 'microphone'
  | 'speaker'
  | 'clock'
  | 'cpu'

export type WireCheckCode =
  | 'not-tried'
  | 'not-wanted'
  | 'not-given'
  | 'dns-ok'
  | 'dns-address'
  | 'dns-by-proxy'
  | 'dns-not-found'
  | 'dns-unanswered'
  | 'proxy-ok'
  | 'proxy-not-found'
  | 'proxy-refused'
  | 'proxy-unreachable'
  | 'proxy-timeout'
  | 'proxy-tls'
  | 'proxy-credentials'
  | 'proxy-forbidden'
  | 'proxy-server-unreachable'
  | 'proxy-nonsense'
  | 'proxy-function'
  | 'tcp-ok'
  | 'tcp-by-proxy'
  | 'tcp-some-addresses'
  | 'tcp-refused'
  | 'tcp-timeout'
  | 'tcp-unreachable'
  | 'tls-ok'
  | 'tls-none'
  | 'tls-unchecked'
  | 'tls-expires-soon'
  | 'tls-wrong-name'
  | 'tls-expired'
  | 'tls-not-yet-valid'
  | 'tls-unknown-authority'
  | 'tls-untrusted'
  | 'tls-pin'
  | 'tls-client-certificate'
  | 'tls-no-tls'
  | 'tls-failed'
  | 'tls-timeout'
  | 'tls-options'
  | 'websocket-ok'
  | 'websocket-forbidden'
  | 'websocket-not-found'
  | 'websocket-redirected'
  | 'websocket-unavailable'
  | 'websocket-refused'
  | 'websocket-no-sip'
  | 'websocket-nonsense'
  | 'websocket-timeout'
  | 'websocket-closed'
  | 'registration-ok'
  | 'registration-credentials'
  | 'registration-forbidden'
  | 'registration-unknown'
  | 'registration-unavailable'
  | 'registration-refused'
  | 'registration-timeout'
  | 'registration-lost'
  | 'ice-function'
  | 'stun-ok'
  | 'stun-not-found'
  | 'stun-refused'
  | 'stun-timeout'
  | 'stun-unreachable'
  | 'stun-error'
  | 'stun-unusable'
  | 'turn-ok'
  | 'turn-not-found'
  | 'turn-refused'
  | 'turn-timeout'
  | 'turn-unreachable'
  | 'turn-tls'
  | 'turn-credentials'
  | 'turn-forbidden'
  | 'turn-quota'
  | 'turn-full'
  | 'turn-error'
  | 'turn-unusable'
  | 'relay-ok'
  | 'relay-lossy'
  | 'relay-slow'
  | 'relay-restless'
  | 'relay-silent'
  | 'relay-unmeasured'
  | 'udp-ok'
  | 'udp-blocked'
  | 'udp-unanswered'
  | 'nat-none'
  | 'nat-open'
  | 'nat-symmetric-relayed'
  | 'nat-symmetric'
  | 'nat-unknown'
  | 'microphone-ok'
  | 'microphone-none'
  | 'microphone-busy'
  | 'microphone-denied'
  | 'microphone-silent'
  | 'microphone-failed'
  | 'speaker-ok'
  | 'speaker-none'
  | 'speaker-busy'
  | 'speaker-denied'
  | 'speaker-silent'
  | 'speaker-failed'
  | 'clock-ok'
  | 'clock-off'
  | 'clock-wrong'
  | 'clock-unknown'
  | 'cpu-ok'
  | 'cpu-tight'
  | 'cpu-full'

export type WireCheckStatus = 'ok' | 'skipped' | 'warning' | 'failed'

export type WirePbxStreamEvent =
  | WirePbxEvent
  | WireRuntimeEvent
  | { type: 'closed' }

export type WirePbxEvent =
  | { type: 'registered'; user: string; contact: string; expires: number; renewed: boolean }
  | { type: 'unregistered'; user: string; contact: string; cause: WirePbxUnregisterCause }
  | ({ type: 'call' } & WirePbxCall)
  | ({ type: 'ringing' } & WirePbxCall)
  | ({ type: 'answered' } & WirePbxCall)
  | ({ type: 'ended'; answered: boolean; code: number | null } & WirePbxCall)
  | { type: 'dtmf'; extension: string; tone: string; duration: number }
  | { type: 'message'; direction: WirePbxMessageDirection; user: string | null; text: string }

export type WirePbxUnregisterCause = 'request' | 'expired' | 'disconnected' | 'removed'

export interface WirePbxCall {
  callId: string
  from: string
  to: string
}

export type WirePbxMessageDirection = 'in' | 'out'

export type WirePbxReply =
  | null
  | { id: number }

export type WirePbxCommand =
  | ({ type: 'originate' } & WirePbxOriginate)
  | { type: 'hangUp'; id: number }
  | { type: 'addUser'; user: WirePbxUser }
  | { type: 'removeUser'; user: string }
  | ({ type: 'addFault' } & WirePbxFault)
  | ({ type: 'addMediaFault' } & WirePbxMediaFault)
  | { type: 'clearFaults' }
  | { type: 'rebindMedia'; user: string }
  | { type: 'close' }
  | { type: 'disconnect'; user?: string | undefined }

export interface WirePbxOriginate {
  to: string
  with: string
  headers?: [string, string][] | undefined
  answerAfter?: number | undefined
  conversationId?: string | undefined
  displayName?: string | undefined
}

export interface WirePbxUser {
  name: string
  password?: string | undefined
  token?: string | undefined
}

export interface WirePbxFault {
  action: WirePbxAction
  direction?: WirePbxDirection | undefined
  user?: string | undefined
  method?: string | undefined
  status?: number | undefined
  count?: number | undefined
}

export type WirePbxAction =
  | 'lose'
  | 'drop'
  | { delay: number }
  | 'duplicate'
  | 'reorder'
  | 'wrongFingerprint'
  | 'wrongSdp'

export type WirePbxDirection = 'in' | 'out'

export interface WirePbxMediaFault {
  user?: string | undefined
  direction?: WirePbxDirection | undefined
  loss?: number | undefined
  burst?: number | undefined
  delay?: number | undefined
  jitter?: number | undefined
  reorder?: number | undefined
  duplicate?: number | undefined
  corrupt?: number | undefined
  silence?: boolean | undefined
}

export type WireEventOf<T extends WireEvent['type']> = Extract<WireEvent, { type: T }>

export type WireCommandOf<T extends WireCommand['type']> = Extract<WireCommand, { type: T }>

export const optionNames = {
  options: [
    'accessToken',
    'environment',
    'orgId',
    'sessionSurvivability',
    'autoAnswerOutboundCalls',
    'autoConnectSessions',
    'holdOthers',
    'hangUpOnExit',
    'iceServers',
    'iceTransportPolicy',
    'portRange',
    'interfaces',
    'logLevel',
    'uri',
    'displayName',
    'servers',
    'username',
    'password',
    'ha1',
    'realm',
    'register',
    'listen',
    'peers',
    'trustDomain',
    'pingInterval',
    'registerExpires',
    'instanceId',
    'journal',
    'userAgent',
    'extraHeaders',
    'contactTransport',
    'contactHost',
    'tls',
    'httpProxy',
    'outboundProxy',
    'authorization',
    'allowInsecure',
    'conversationIdHeader',
    'autoAnswer',
    'followRedirects',
    'maxSessions',
    'maxRinging',
    'whenFull',
    'noAnswerTimeout',
    'mediaTimeout',
    'sessionTimers',
    'media',
    'codecs',
    'dtx',
    'opus',
    'dtmf',
    'tones',
    'audio',
    'holdMusic',
    'notifies',
    'iceGatheringTimeout',
  ],
  portRangeOptions: [
    'min',
    'max',
  ],
  sessionTimersOptions: [
    'expires',
    'minSe',
  ],
  opusOptions: [
    'rate',
    'bitrate',
    'complexity',
  ],
  toneOptions: [
    'country',
    'ring',
    'ringback',
    'callWaiting',
  ],
  dtmfOptions: [
    'inband',
  ],
  listenOptions: [
    'udp',
    'tcp',
    'tls',
  ],
  placeOption: [
    'port',
    'host',
  ],
  listenTlsOptions: [
    'port',
    'host',
    'cert',
    'key',
    'ca',
  ],
  tlsOptions: [
    'ca',
    'cert',
    'key',
    'servername',
    'pin',
    'rejectUnauthorized',
  ],
  autoAnswerOptions: [
    'policy',
    'delay',
    'whenBusy',
    'trustedPeers',
    'beep',
    'video',
    'screen',
  ],
  audioOptions: [
    'input',
    'output',
    'ring',
    'fallback',
    'echoCancellation',
    'noiseSuppression',
    'autoGainControl',
  ],
  weightedServer: [
    'url',
    'priority',
    'weight',
  ],
  iceServer: [
    'urls',
    'username',
    'credential',
    'expires',
  ],
} as const
