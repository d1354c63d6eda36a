import { abortable, refuseAborted, unlessAborted } from './abortable'
import { fetchCredential, fetchedOption, SOME_CREDENTIAL } from './credential'
import { aborted } from './errors'
import { givenIceServers } from './ice-servers'
import { judged, unknownEvent } from './link'
import { checkMeaning } from './link'
import { native, type NativePreflight } from './native'
import type { Abortable, SoftphoneOptions } from './options'
import type { PreflightCode } from './preflight-code'
import { chosenProxy } from './proxy'
import type { Rule } from './schema'
import type { WirePreflightEvent } from './wire'
import { checkSoftphoneOptions, wireOptions } from './wire-options'

/** What is looked at, in the order of {@link PreflightResult.checks}. */
export type PreflightCheckName =
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

/** How something is: well; working, but not as it should; not working; or not tried, which is no fault. */
export type PreflightStatus = 'ok' | 'warning' | 'failed' | 'skipped'

/** What was found of one thing. No text of it holds a password, a token, a key or the query of a URL. */
export interface PreflightCheck {
  /** What was looked at. */
  name: PreflightCheckName
  /** What was found; its status and its advice are always the same. */
  code: PreflightCode
  /** How it is. */
  status: PreflightStatus
  /** What was found this time, in a sentence. */
  found: string
  /** What to do; null if there is nothing. */
  advice: string | null
  /** Milliseconds that it took. */
  ms: number
  /** Figures and names, such as `server`, `addresses`, `certificate`, `status`, `sip`. */
  details: Record<string, unknown>
}

/** What a preflight has found. */
export interface PreflightResult {
  /** Whether nothing has failed. */
  ok: boolean
  /** Server by server, then the STUN and TURN servers, then the network and the machine. */
  checks: PreflightCheck[]
}

/** How {@link preflight} looks. */
export interface PreflightOptions extends Abortable {
  /** What to look at; default everything. What has to work before it is tried, and not told. */
  checks?: readonly PreflightCheckName[]
  /** Is told of each check as soon as it is done; what it throws ends the preflight. */
  onCheck?: (check: PreflightCheck) => void
}

const names: readonly PreflightCheckName[] = [
  'dns',
  'proxy',
  'tcp',
  'tls',
  'websocket',
  'registration',
  'stun',
  'turn',
  'relay',
  'udp',
  'nat',
  'microphone',
  'speaker',
  'clock',
  'cpu',
]
const checks: Rule = { arrayOf: { oneOf: names }, min: 1 }

/**
 * Looks at everything that a call needs, before there is one: for each of `servers` its name, proxy, TCP, TLS, WebSocket and
 * registration; each STUN and TURN server of `iceServers`, with loss, jitter and round trip of packets through it; whether UDP leaves the
 * network, and what a NAT does; the microphone and the speaker of `audio`; the clock, and what the processor has left. Each step has a
 * time limit.
 *
 * Nothing is contacted but what the options name, and the second address that a STUN server names for itself. The microphone is opened
 * for a moment, and what it hears is thrown away; with `audio: 'none'` it is not. The registration is one of an instance of its own for 60 s at most, which is taken
 * back at once: a phone that is registered with the same account stays so, unless the registrar keeps one registration for an account.
 *
 * ```ts
 * const { ok, checks } = await preflight({ uri: 'sip:alice@example.com', password, servers: 'wss://pbx.example.com/ws' })
 * for (const { status, name, found, advice } of checks) console.log(status, name, found, advice ?? '')
 * ```
 *
 * @param options those of a `Softphone`
 * @throws `SoftphoneError` `ERR_INVALID_OPTION` for options that no phone could have, `ERR_ACCESS_TOKEN` or `ERR_PASSWORD` if its function gives none,
 * `ERR_ABORTED`. What does not work is no error, but a check.
 */
export async function preflight(options: SoftphoneOptions, how: PreflightOptions = {}): Promise<PreflightResult> {
  checkSoftphoneOptions(options)
  const [{ checks: wanted = names, onCheck }, signal] = abortable('options of preflight', how, { checks, onCheck: 'function' })
  refuseAborted(signal)
  const fetched = fetchedOption(options)
  if (fetched) checkMeaning(native(), wireOptions(options, SOME_CREDENTIAL, 'error'))
  const credential = fetched && (await unlessAborted(fetchCredential(fetched), signal))
  return examined(wireOptions(options, credential, 'error'), [...new Set(wanted)], options, onCheck, signal)
}

function examined(
  wire: string,
  wanted: readonly PreflightCheckName[],
  { httpProxy, iceServers }: SoftphoneOptions,
  onCheck: PreflightOptions['onCheck'],
  signal: AbortSignal | undefined,
): Promise<PreflightResult> {
  return new Promise((resolve, reject) => {
    let task: NativePreflight | undefined
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', giveUp)
      task?.close()
      // What a function answers later is of no use any more.
      task = undefined
      act()
    }
    const giveUp = () => settle(() => reject(aborted(signal as AbortSignal)))
    const receive = (event: WirePreflightEvent) => {
      switch (event.type) {
        case 'check':
          return tell(event.check)
        case 'proxyNeeded':
          return void choose(event.question, event.url)
        case 'iceServersNeeded':
          return void give(event.question)
        case 'done':
          return settle(() => resolve({ ok: event.ok, checks: event.checks }))
        default:
          return unknownEvent(event)
      }
    }
    // What a listener throws must not be lost in the addon.
    const tell = (check: PreflightCheck) => {
      try {
        onCheck?.(check)
      } catch (error) {
        settle(() => reject(error))
      }
    }
    const choose = async (question: number, url: string) => {
      if (typeof httpProxy !== 'function') return
      const { proxy, failure } = await chosenProxy(httpProxy, url)
      if (!signal?.aborted) task?.answer(question, proxy, failure)
    }
    const give = async (question: number) => {
      if (typeof iceServers !== 'function') return
      const { servers, failure } = await givenIceServers(iceServers)
      if (!signal?.aborted) task?.answer(question, servers, failure)
    }
    task = judged(() => new (native().NativePreflight)(wire, JSON.stringify(wanted), (event) => receive(JSON.parse(event) as WirePreflightEvent)))
    if (signal?.aborted) return giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}
