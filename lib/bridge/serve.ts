import { Softphone, SoftphoneError, VideoSink, VideoSource } from '../index'
import { isText } from '../schema'
import { Hub, refer, told, type Audience } from './hub'
import { REFERENCE, TAKEN_AT_ONCE, VERSION, wantedEvents, type Addressee, type PageMessage, type PhoneMessage } from './messages'
import { conferenceMethods, phoneMethods, sessionMethods } from './methods'
import { plain, type Reference } from './plain'
import { PageSubscriptions } from './page-subscriptions'
import { PageVideo } from './page-video'
import { Channel, type BridgeEnd, type BridgePort } from './port'
import { revivedWithin } from './revived-within'

export type { BridgeEnd, BridgePort } from './port'

/** A page that drives a phone. */
export interface ServedPage {
  /** Ends the connection; the phone, its calls and the port stay as they are. */
  close(): void
  /** Settles with why it is over: also when the page is gone, or the phone is destroyed. */
  readonly closed: Promise<BridgeEnd>
}

/** Commands of one page that may be unanswered at once. */
const MOST_COMMANDS = 64
/** Commands that can still be aborted. */
const MOST_SIGNALS = 256
/** Messages on their way to one page: what it does not take waits in memory. With more it is told no news. */
const MOST_UNDER_WAY = 1024
/** With more it is a page that asks and does not listen, and its connection ends. */
const TOO_MANY_UNDER_WAY = 4 * MOST_UNDER_WAY
/** Above it a page is told no levels and figures, for the next ones are newer. */
const FEW_UNDER_WAY = 4 * TAKEN_AT_ONCE
/** Ends of calls that are kept for a page that does not take what it is sent. */
const MOST_ENDED = 256

/**
 * Lets a page drive a phone over a port, by `connect()` of `offhook/bridge/client`. Several pages may drive one phone: call it for
 * the port of each.
 *
 * Whoever has the other end of the port can place calls at the expense of the phone's account and choose its devices. It is given no
 * credentials, and can't have files read or written, change the account, or destroy the phone.
 *
 * @throws `TypeError` for what is no port or no phone.
 */
export function serve(phone: Softphone, port: BridgePort): ServedPage {
  if (!(phone instanceof Softphone)) throw new TypeError('The first argument of serve must be a Softphone')
  const page = new Page(Hub.of(phone), new Channel(port), !('postMessage' in port))
  return { closed: page.closed, close: () => page.end() }
}

type Ended = { id: string; reason: unknown }
type News = Parameters<Audience['told']>[0]
type Said = PhoneMessage extends infer One ? (One extends PhoneMessage ? Omit<One, 'at'> : never) : never

class Page implements Audience {
  readonly #hub: Hub
  readonly #channel: Channel<PageMessage, PhoneMessage>
  /** What a page may abort, by the number of its command; the latest. */
  readonly #signals = new Map<number, AbortController>()
  readonly #subscriptions: PageSubscriptions
  readonly #video: PageVideo
  #running = 0
  #state: 'waiting' | 'told' | 'behind' = 'waiting'
  /** Which page it is: another one may be loaded at the same port. */
  #page: number | undefined
  #sent = 0
  #taken = 0
  #ended: Ended[] = []
  /** Answers to a page that has to learn first what they are about. */
  #kept: Said[] = []

  /** @param isText whether the port carries text alone, as a WebSocket of the bridge does */
  constructor(hub: Hub, channel: Channel<PageMessage, PhoneMessage>, isText: boolean) {
    this.#hub = hub
    this.#channel = channel
    this.#subscriptions = new PageSubscriptions(hub.phone, (news) => this.#tellIf({ kind: 'subscription', ...news }))
    // Whether it is behind or not: each stream has its own few messages under way.
    this.#video = new PageVideo(isText, (news) => this.#say({ kind: 'video', ...news }))
    channel.listen((message) => this.#hear(message))
    void channel.closed.then(() => {
      hub.dismiss(this)
      this.#subscriptions.end()
      this.#video.end()
    })
    // A page that was there before has asked for nothing yet, or in vain.
    this.#say({ kind: 'ready' })
    hub.serve(this)
  }

  get closed(): Promise<BridgeEnd> {
    return this.#channel.closed
  }

  end(): void {
    this.#say({ kind: 'bye' })
    this.#channel.end({ reason: 'closed' })
  }

  told({ changes, event }: News): void {
    if (event?.name === 'sessionEnded') this.#keepEnd(event.args)
    if (this.#state !== 'told') return
    const isFleeting = event && (event.name === 'level' || event.name === 'stats' || event.name === 'trace')
    if (isFleeting && this.#underWay >= FEW_UNDER_WAY) return
    if (this.#tellIf({ kind: 'news', ...(changes && { changes }), ...(event && { event }) })) this.#ended = []
  }

  /** Unless the page takes nothing now: then it learns of all when it is back. */
  #tellIf(news: Said): boolean {
    if (this.#state !== 'told') return false
    if (this.#underWay < MOST_UNDER_WAY) this.#say(news)
    else this.#fallBehind()
    return this.#state === 'told'
  }

  get #underWay(): number {
    return this.#sent - this.#taken
  }

  #say(message: Said): void {
    if (this.#underWay >= TOO_MANY_UNDER_WAY) return this.#channel.end({ reason: 'lost' })
    this.#sent += 1
    this.#channel.send({ ...message, at: this.#sent } as PhoneMessage)
  }

  #hear(message: PageMessage): void {
    try {
      this.#take(message)
    } catch {
      // What a page says may be anything, and none of it ends the process.
    }
  }

  #take(message: PageMessage): void {
    switch (message.kind) {
      case 'hello':
        return this.#welcome(message)
      case 'taken':
        if (Number.isSafeInteger(message.at)) this.#taken = Math.min(this.#sent, Math.max(this.#taken, message.at))
        return
      case 'call':
        // A reply that can't be written is the end of this page, and not of the process.
        return void this.#call(message).catch(() => this.#channel.end({ reason: 'lost' }))
      case 'abort':
        return this.#signals.get(message.number)?.abort()
      case 'listen':
        return this.#listen(message)
      case 'video':
        return this.#video.hear(message)
      case 'bye':
        return this.#channel.end({ reason: 'ended' })
      default:
        // A page of a newer version says what this one does not know.
        return
    }
  }

  #welcome({ version, page }: Extract<PageMessage, { kind: 'hello' }>): void {
    if (version !== VERSION) {
      const text = `The page has version ${quoted(version)} of the bridge, and the phone ${VERSION}: load the same version of offhook in both`
      this.#say({ kind: 'refused', error: failure('ERR_BRIDGE', text).toJSON() })
      return this.#channel.end({ reason: 'refused' })
    }
    // It comes back with each reply: what is no number is no page of this package.
    if (!Number.isFinite(page)) return
    if (page !== this.#page) {
      this.#signals.clear()
      this.#kept = []
      this.#subscriptions.end()
      this.#video.end()
    }
    this.#page = page
    // It says itself what it listens to.
    this.#hub.leave(this)
    const [ended, kept] = [this.#ended, this.#kept]
    const changes = this.#hub.join(this)
    this.#state = 'told'
    this.#ended = []
    this.#kept = []
    this.#say({ kind: 'welcome', changes, ended })
    for (const reply of kept) this.#say(reply)
    this.#subscriptions.tellAgain()
  }

  #fallBehind(): void {
    this.#state = 'behind'
    this.#say({ kind: 'behind' })
  }

  #keepEnd([session, reason]: unknown[]): void {
    const { id } = session as { id: string }
    this.#ended = [...this.#ended.slice(1 - MOST_ENDED), { id, reason }]
  }

  #listen({ to, event, wanted }: Extract<PageMessage, { kind: 'listen' }>): void {
    const known: readonly string[] = isAddressee(to) ? wantedEvents[to.of] : []
    if (known.includes(event)) this.#hub.want(this, { of: to.of, ...(to.id !== undefined && { id: to.id }) }, event, wanted === true)
  }

  async #call({ number, to, method, args }: Extract<PageMessage, { kind: 'call' }>): Promise<void> {
    if (!Number.isSafeInteger(number)) return
    const page = this.#page as number
    this.#running += 1
    try {
      if (this.#state === 'waiting') throw failure('ERR_BRIDGE', 'The page has not said hello')
      if (this.#running > MOST_COMMANDS) throw failure('ERR_BUSY', `${MOST_COMMANDS} commands of this page wait: let some of them settle first`)
      const value = await this.#called(number, to, method, args)
      this.#reply({ kind: 'reply', page, number, value: plain(value, refer) })
    } catch (error) {
      this.#reply({ kind: 'reply', page, number, error: told(asError(error)) })
    } finally {
      this.#running -= 1
    }
  }

  #reply(reply: Extract<Said, { kind: 'reply' }>): void {
    // Numbers of another page mean other commands.
    if (reply.page !== this.#page) return
    // As many as commands may wait; the others were refused.
    if (this.#state === 'behind' && this.#kept.length < MOST_COMMANDS) this.#kept.push(reply)
    else this.#say(reply)
  }

  async #called(number: number, to: Addressee, method: string, args: unknown): Promise<unknown> {
    const isOwn = isAddressee(to) && to.of === 'phone' && isSubscribing(method)
    if (!isOwn && (!isAddressee(to) || !methods[to.of].includes(method))) throw failure('ERR_INVALID_ARGUMENT', `A page can't call ${quoted(method)} of a ${quoted(to?.of)}`)
    const target = this.#hub.find(to) as unknown as Record<string, (...args: unknown[]) => unknown> | undefined
    if (!target) {
      // What is over can be ended again, as beside the phone.
      if (method === 'end' || method === 'dissolve') return undefined
      throw gone(to.of)
    }
    const revivedArgs = revivedWithin(Array.isArray(args) ? args : [], (reference) => this.#found(number, method, reference))
    // JSON has no undefined.
    const given = revivedArgs.map((arg) => arg ?? (showing.includes(method) ? null : undefined))
    refuseFiles(method, given)
    if (isOwn) return this.#subscriptions[method](...(given as [never, never, never]))
    return target[method]?.(...given)
  }

  #found(number: number, method: string, reference: Reference): unknown {
    const { [REFERENCE]: what } = reference
    if (what === 'video') return this.#video.at(reference.port, method === 'setVideoOutput' ? 'sink' : 'source')
    if (what === 'signal') return this.#signalOf(number)
    const found = what === 'session' || what === 'conference' ? this.#hub.find({ of: what, id: reference.id }) : undefined
    if (!found) throw gone(what)
    return found
  }

  /** It counts beyond the reply: `call()` can be aborted until the answer. */
  #signalOf(number: number): AbortSignal {
    const controller = this.#signals.get(number) ?? new AbortController()
    this.#signals.set(number, controller)
    const [oldest] = this.#signals.keys()
    if (this.#signals.size > MOST_SIGNALS && oldest !== undefined) this.#signals.delete(oldest)
    return controller.signal
  }
}

const methods: Record<Addressee['of'], readonly string[]> = { phone: phoneMethods, session: sessionMethods, conference: conferenceMethods }

/** Null means something to them. */
const showing = ['setVideo', 'setScreen']

/** Where sound and pictures come from or go. */
const places = ['mediaStream', 'audioElement', 'input', 'output', 'ring', 'music', 'video', 'screen']

/** A page chooses devices: whoever has it must not make the phone read a file to somebody, or write one. */
function refuseFiles(method: string, args: readonly unknown[]): void {
  const [first] = args
  if (method === 'setInput' || method === 'setOutput') return refuseFile('device', first)
  if (showing.includes(method) || method === 'setVideoOutput') return refuseFile('video', args[showing.includes(method) ? 0 : 1])
  for (const options of args) {
    if (typeof options !== 'object' || options === null) continue
    for (const place of places) refuseFile(place, (options as Record<string, unknown>)[place])
  }
}

function refuseFile(name: string, choice: unknown): void {
  if (choice === undefined || choice === null || typeof choice === 'string') return
  // Its own, by a port of video: nothing else that crosses becomes one.
  if (choice instanceof VideoSource || choice instanceof VideoSink) return
  const isDevice = typeof choice === 'object' && choice !== null && Object.keys(choice).join() === 'device'
  if (isDevice) return
  const text = `Bad argument "${name}": a page chooses a device by its id, 'default', 'none', or a port of video; files, tones and other streams are chosen beside the phone`
  throw failure('ERR_INVALID_ARGUMENT', text)
}

/** What each page has of its own. */
function isSubscribing(method: unknown): method is 'subscribe' | 'unsubscribe' {
  return method === 'subscribe' || method === 'unsubscribe'
}

function isAddressee(to: unknown): to is Addressee {
  const { of, id } = (to ?? {}) as Partial<Addressee>
  return of === 'phone' ? id === undefined : (of === 'session' || of === 'conference') && typeof id === 'string'
}

function failure(code: 'ERR_BRIDGE' | 'ERR_BUSY' | 'ERR_INVALID_ARGUMENT', text: string): SoftphoneError {
  return new SoftphoneError(text, { code, type: code === 'ERR_INVALID_ARGUMENT' ? 'invalid_options' : 'generic' })
}

function gone(what: string): SoftphoneError {
  if (what === 'conference') return new SoftphoneError('The conference is over', { code: 'ERR_CONFERENCE_ENDED', type: 'session' })
  return new SoftphoneError('The session has ended', { code: 'ERR_SESSION_ENDED', type: 'session' })
}

function asError(error: unknown): SoftphoneError {
  return error instanceof SoftphoneError ? error : SoftphoneError.from(error instanceof Error ? error : new Error(String(error)))
}

/** What a page sent, within a text. */
function quoted(text: unknown): string {
  if (typeof text === 'number') return String(text)
  return isText(text) ? JSON.stringify(text.slice(0, 64)) : typeof text
}
