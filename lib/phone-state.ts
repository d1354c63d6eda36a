import { Conference } from './conference'
import { EndReason } from './end-reason'
import { SoftphoneError } from './errors'
import type { CallRequest, MessageEvent, MessageWaitingEvent, PendingSession, PendingSessionEnd, StateDocument } from './events'
import { fromWire, type PhoneLink, unknownEvent } from './link'
import { type Notifier, subscriptionRequest } from './notifier'
import type { AutoAnswerDecision } from './options'
import { Orphan, type PlaceTaker } from './orphan'
import { Recording } from './recording'
import { headersByName, Session } from './session'
import type { Softphone } from './softphone'
import type { CallStats } from './stats'
import type { Subscription } from './subscription'
import { warningEvent } from './warning'
import type { WireEvent, WireEventOf, WireMessage, WirePendingEnd, WirePendingSession } from './wire'

/** What the state needs of its phone beside the events it emits. */
export interface Owner {
  readonly phone: Softphone
  readonly link: PhoneLink
  readonly autoAnswer: AutoAnswerDecision | undefined
  trace(event: WireEventOf<'trace'>): void
  fail(error: SoftphoneError, sessionId?: string): void
  renewCredential(): void
  chooseProxy(event: WireEventOf<'proxyNeeded'>): void
  giveIceServers(event: WireEventOf<'iceServersNeeded'>): void
  readonly takePlace: PlaceTaker
}

/** Turns the native event stream into the phone's state and its JavaScript events, in order. */
export class PhoneState {
  readonly sessions = new Map<string, Session>()
  readonly pending = new Map<string, PendingSession>()
  readonly subscriptions = new Map<number, Subscription>()
  readonly notifiers = new Map<number, Notifier>()
  readonly conferences = new Map<number, Conference>()
  orphans: readonly Orphan[] = []
  connected = false
  registered = false
  messageWaiting: MessageWaitingEvent | undefined
  readonly #owner: Owner

  constructor(owner: Owner) {
    this.#owner = owner
  }

  receive(event: WireEvent): void {
    const { phone, link } = this.#owner
    switch (event.type) {
      case 'reply':
        return
      case 'ready':
        return phone.deliver('ready')
      case 'connected':
        this.connected = true
        return phone.deliver('connected', { reconnect: event.reconnect, server: event.server })
      case 'disconnected':
        this.connected = false
        this.registered = false
        return phone.deliver('disconnected', {
          reconnecting: event.reconnecting,
          reason: event.reason,
          ...present('retryIn', event.retryIn),
        })
      case 'registered':
        this.registered = true
        return phone.deliver('registered', { expires: event.expires })
      case 'unregistered':
        this.registered = false
        return phone.deliver('unregistered')
      case 'registrationFailed':
        this.registered = false
        return phone.deliver('registrationFailed', {
          reason: event.reason,
          fatal: event.fatal,
          ...present('code', event.code),
          ...present('retryIn', event.retryIn),
        })
      case 'pendingSession':
        return this.#ring(event)
      case 'autoAnswerQuery':
        return void this.#decide(pendingSession(event))
      case 'cancelPendingSession':
      case 'handledPendingSession':
        this.pending.delete(event.id)
        return phone.deliver(event.type, event.id, pendingEnd(event.details))
      case 'sessionStarted': {
        const session = Session.start(link, event.session, (id) => this.sessions.get(id))
        this.pending.delete(session.id)
        this.sessions.set(session.id, session)
        phone.deliver('sessionStarted', session)
        return link.post({ type: 'delivered', id: session.id })
      }
      case 'sessionEnded':
        return this.#end(event.id, EndReason.of(event.reason))
      case 'trace':
        return this.#owner.trace(event)
      case 'error':
        return this.#owner.fail(fromWire(event.error), event.id ?? undefined)
      case 'message':
        return phone.deliver('message', messageEvent(event))
      case 'messageWaiting': {
        const { type: _, ...summary } = event
        this.messageWaiting = summary
        return phone.deliver('messageWaiting', summary)
      }
      case 'notified':
        return this.subscriptions.get(event.subscription)?.deliver('notify', {
          state: event.state,
          contentType: event.contentType,
          body: event.body,
          ...present('document', event.document as StateDocument | undefined),
        })
      case 'subscriptionEnded': {
        const subscription = this.subscriptions.get(event.subscription)
        this.subscriptions.delete(event.subscription)
        return subscription?.deliver('terminated', {
          ...present('reason', event.reason),
          ...present('code', event.code),
        })
      }
      case 'orphans': {
        const known = new Map(this.orphans.map((orphan) => [orphan.callId, orphan]))
        this.orphans = event.orphans.map((call) => known.get(call.callId) ?? Orphan.found(link, call, this.#owner.takePlace))
        return
      }
      case 'callRequested':
        if (phone.listenerCount('callRequested') > 0) return phone.deliver('callRequested', callRequest(event))
        return link.post({ type: 'rejectCallRequest', request: event.id, code: 403 })
      case 'subscriptionRequest':
        if (phone.listenerCount('subscriptionRequest') > 0) return phone.deliver('subscriptionRequest', subscriptionRequest(event))
        return link.post({ type: 'rejectSubscription', notifier: event.id })
      case 'notifierEnded': {
        const notifier = this.notifiers.get(event.notifier)
        this.notifiers.delete(event.notifier)
        return notifier?.end({ reason: event.reason, ...present('code', event.code) })
      }
      case 'conference': {
        const conference = this.conferences.get(event.id) ?? Conference.start(link, event.id)
        if (event.news.type === 'ended') this.conferences.delete(event.id)
        else this.conferences.set(event.id, conference)
        if (event.news.type === 'started') return phone.deliver('conferenceStarted', conference)
        return conference.learn(event.news, (id) => this.sessions.get(id))
      }
      case 'levels':
        return this.conferences.get(event.conference)?.measured(event)
      case 'tokenWillExpire':
        return phone.deliver('tokenWillExpire', { expiresIn: event.expiresIn })
      case 'credentialNeeded':
        return this.#owner.renewCredential()
      case 'proxyNeeded':
        return this.#owner.chooseProxy(event)
      case 'iceServersNeeded':
        return this.#owner.giveIceServers(event)
      case 'recordingEnded':
        return Recording.end(link, event.recording, event.report)
      case 'closed':
        this.connected = false
        this.registered = false
        return Recording.abandon(link)
      case 'sessionChanged':
      case 'progress':
      case 'redirected':
      case 'answered':
      case 'endOfCandidates':
      case 'dtmf':
      case 'info':
      case 'transferProgress':
      case 'transferRequested':
      case 'transferRequestEnded':
      case 'terminated':
      case 'warning':
      case 'warningCleared':
      case 'streamAvailable':
      case 'streamUnavailable':
      case 'resolution':
      case 'stats':
      case 'level':
      case 'speechStarted':
      case 'speechEnded':
      case 'toneHeard':
      case 'answeredBy':
        return toSession(this.sessions.get(event.id), event)
      default:
        return unknownEvent(event)
    }
  }

  #ring(event: WirePendingSession): void {
    const pending = pendingSession(event)
    this.pending.set(pending.id, pending)
    this.#owner.phone.deliver('pendingSession', pending)
    this.#owner.link.post({ type: 'delivered', id: pending.id })
  }

  async #decide(pending: PendingSession): Promise<void> {
    let answer = false
    try {
      answer = (await this.#owner.autoAnswer?.(pending)) === true
    } catch (error) {
      const failed = new SoftphoneError(`autoAnswer failed: ${String(error)}`, { code: 'ERR_AUTO_ANSWER', type: 'generic' })
      this.#owner.fail(failed, pending.id)
    }
    this.#owner.link.post({ type: 'autoAnswerDecision', id: pending.id, answer })
  }

  #end(id: string, reason: EndReason): void {
    const session = this.sessions.get(id)
    this.sessions.delete(id)
    if (session) this.#owner.phone.deliver('sessionEnded', session, reason)
  }
}

type SessionEvent = Extract<
  WireEvent,
  {
    type:
      | 'sessionChanged'
      | 'progress'
      | 'redirected'
      | 'answered'
      | 'endOfCandidates'
      | 'dtmf'
      | 'info'
      | 'transferProgress'
      | 'transferRequested'
      | 'transferRequestEnded'
      | 'terminated'
      | 'warning'
      | 'warningCleared'
      | 'streamAvailable'
      | 'streamUnavailable'
      | 'resolution'
      | 'stats'
      | 'level'
      | 'speechStarted'
      | 'speechEnded'
      | 'toneHeard'
      | 'answeredBy'
  }
>

function toSession(session: Session | undefined, event: SessionEvent): void {
  if (session === undefined) return
  switch (event.type) {
    case 'sessionChanged':
      return session.change(event.changes)
    case 'progress':
      return session.deliver('progress', { code: event.code, reason: event.reason, earlyMedia: event.earlyMedia })
    case 'redirected':
      return session.deliver('redirected', { code: event.code, target: event.target })
    case 'answered':
      return session.answeredByPeer()
    case 'endOfCandidates':
      return session.deliver('endOfCandidates')
    case 'dtmf':
      return session.deliver('dtmf', { tone: event.tone, duration: event.duration, method: event.method })
    case 'info':
      return session.deliver('info', { contentType: event.contentType, body: event.body })
    case 'transferProgress':
      return session.deliver('transferProgress', { code: event.code, reason: event.reason })
    case 'transferRequested':
      return session.askedToTransfer({
        target: event.target,
        ...present('referredBy', event.referredBy),
        attended: event.attended,
      })
    case 'transferRequestEnded':
      return session.askedNoMore()
    case 'terminated':
      return session.terminate(EndReason.of(event.reason))
    case 'warning':
      return session.warn(warningEvent(event))
    case 'warningCleared':
      return session.warnNoMore(event.warning)
    case 'streamAvailable':
      return session.shows({ id: event.stream, kind: 'video', content: event.content })
    case 'streamUnavailable':
      return session.showsNoMore(event.stream)
    case 'resolution':
      return session.resized({ id: event.stream, width: event.width, height: event.height })
    case 'stats':
      return session.deliver('stats', event.stats as CallStats)
    case 'level':
      return session.deliver('level', { local: event.local, remote: event.remote })
    case 'speechStarted':
      return session.deliver('speechStarted', { level: event.level })
    case 'speechEnded':
      return session.deliver('speechEnded', { level: event.level, duration: event.duration })
    case 'toneHeard':
      return session.deliver('toneHeard', { tone: event.tone, frequencies: event.frequencies })
    case 'answeredBy':
      return session.deliver('answeredBy', { answerer: event.answerer, confidence: event.confidence })
    default:
      return unknownEvent(event)
  }
}

function pendingSession(event: WirePendingSession): PendingSession {
  const { id, address, uri, called, conversationId, autoAnswer, autoAnswerDelay, callId, headers } = event
  return {
    id,
    address,
    uri,
    called,
    conversationId,
    autoAnswer,
    autoAnswerDelay,
    ...present('autoAnswerSource', event.autoAnswerSource),
    ...present('displayName', event.displayName),
    ...present('replaces', event.replaces),
    identity: event.identity ?? {},
    callId,
    headers: headersByName(headers),
    video: event.video,
    screen: event.screen,
  }
}

function messageEvent({ address, uri, displayName, contentType, body, sessionId, headers }: WireMessage): MessageEvent {
  return {
    address,
    uri,
    ...present('displayName', displayName),
    contentType,
    body,
    ...present('sessionId', sessionId),
    headers: headersByName(headers),
  }
}

function callRequest({ headers, displayName, referredBy, identity, type: _, ...plain }: WireEventOf<'callRequested'>): CallRequest {
  return {
    ...plain,
    ...present('displayName', displayName),
    identity: identity ?? {},
    ...present('referredBy', referredBy),
    headers: headersByName(headers),
  }
}

function pendingEnd({ side, reason, conversationId, elsewhere }: WirePendingEnd): PendingSessionEnd {
  return { side, reason: EndReason.of(reason), conversationId, ...present('elsewhere', elsewhere) }
}

function present<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}
