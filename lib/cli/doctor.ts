import { preflight, Softphone, SoftphoneError, type PreflightCheck, type PreflightCheckName, type PreflightStatus, type SoftphoneOptions } from '../index'
import { accountOf, accountOptions, certificatesOf, iceServersOf, proxyOf, serversOf } from './account'
import type { Cli, Command } from './cli'
import { errorText } from './errors'
import { exitCode } from './exit-code'
import { abortOf } from './interrupt'
import { Rig } from './rig'
import { UsageError } from './usage-error'

export const doctor: Command = {
  name: 'doctor',
  summary: 'Find out why calls do not work here',
  about: 'Looks at the native part, sound, devices, the server, the account, STUN and TURN servers, the network, the clock and the processor. Each line says what was found, and what helps.',
  options: accountOptions,
  run: examine,
}

/** What was found of one thing: as `preflight()` tells it, with names of our own. */
interface Finding extends Omit<PreflightCheck, 'name' | 'code'> {
  readonly name: string
  readonly code: string
}

async function examine(cli: Cli): Promise<number> {
  const { given, interrupt } = cli
  if (given.words.length > 0) throw new UsageError(`doctor takes no "${given.words[0]}".`)
  const { options, checks } = await examined(cli)
  await refuseWrong(options)
  const rig = await Rig.start(cli).catch((error: unknown) => error)
  if (!(rig instanceof Rig)) {
    const missing = rig instanceof SoftphoneError && rig.code === 'ERR_NATIVE_ADDON'
    const advice = missing ? 'Install the package anew, with its optional dependencies.' : 'Let this program open ports on 127.0.0.1.'
    tell(cli, { ...own, name: 'native', code: missing ? 'native-missing' : 'native-failed', status: 'failed', found: errorText(rig), advice })
    return exitCode.failed
  }
  try {
    const all = (async () => {
      tell(cli, { ...own, name: 'native', code: 'native-ok', status: 'ok', found: `loaded, Node ${process.version} on ${process.platform} ${process.arch}`, advice: null })
      const heard = await callsItself(cli, rig)
      if (interrupt.signal.aborted) return false
      const { ok } = await preflight(options, { checks, signal: interrupt.signal, onCheck: (check) => tell(cli, check) })
      return ok && heard
    })()
    all.catch(() => {})
    const healthy = await Promise.race([all, abortOf(interrupt.signal)])
    if (healthy !== undefined && !checks.includes('websocket')) {
      const found = 'not tried. Name one by --server, and yourself by --user'
      tell(cli, { ...own, name: 'server', code: 'not-given', status: 'skipped', found, advice: null })
    }
    return healthy ? exitCode.done : exitCode.failed
  } finally {
    await rig.close()
  }
}

/** An account that no phone could have is a mistake in the command, and is told before anything is looked at. */
async function refuseWrong(options: SoftphoneOptions): Promise<void> {
  try {
    await new Softphone(options).destroy()
  } catch (error) {
    // A native part that can't be loaded is a finding.
    if (error instanceof SoftphoneError && error.type === 'invalid_options') throw error
  }
}

/** What is looked at without a server. */
const ofMachine: readonly PreflightCheckName[] = ['stun', 'turn', 'relay', 'udp', 'nat', 'microphone', 'speaker', 'cpu']
const ofServers: readonly PreflightCheckName[] = ['dns', 'proxy', 'tcp', 'tls', 'websocket', 'registration', 'clock']

/** Who signs in, or whom we say we are to see whether there is a server at all, or a network; and what is looked at. */
async function examined(cli: Cli): Promise<{ options: SoftphoneOptions; checks: readonly PreflightCheckName[] }> {
  const everything = [...ofServers, ...ofMachine]
  if ((cli.given.value('user') ?? process.env['OFFHOOK_USER']) !== undefined) return { options: await accountOf(cli), checks: everything }
  const servers = serversOf(cli)
  const [first = ''] = servers
  const named = URL.canParse(first)
  const ca = certificatesOf(cli)
  const iceServers = iceServersOf(cli)
  const options: SoftphoneOptions = {
    uri: `sip:anonymous@${named ? new URL(first).hostname : 'anonymous.invalid'}`,
    register: false,
    httpProxy: proxyOf(cli),
    ...(named && { servers }),
    ...(ca.length > 0 && { tls: { ca } }),
    ...(iceServers.length > 0 && { iceServers }),
  }
  return { options, checks: named ? everything : ofMachine }
}

const own = { ms: 0, details: {} }

/** Whether a call from this machine to itself carries sound. */
async function callsItself(cli: Cli, rig: Rig): Promise<boolean> {
  const started = performance.now()
  const heard = await rig.hearsItself().catch(errorText)
  if (cli.interrupt.signal.aborted) return false
  const ms = Math.round(performance.now() - started)
  if (heard === true) {
    tell(cli, { ...own, name: 'call', code: 'call-ok', status: 'ok', found: 'a call from this machine to itself is heard', advice: null, ms })
    return true
  }
  const found = `a call from this machine to itself ${heard === false ? 'is silent' : `fails: ${heard}`}`
  const advice = 'Let this program send and receive UDP on this machine: look at its firewall.'
  tell(cli, { ...own, name: 'call', code: heard === false ? 'call-silent' : 'call-failed', status: 'failed', found, advice, ms })
  return false
}

const marks: Readonly<Record<PreflightStatus, string>> = { ok: '  ok', warning: 'warn', failed: 'FAIL', skipped: '  --' }

function tell({ output }: Cli, finding: Finding): void {
  const { name, code, status, found, advice } = finding
  output.tell('check', finding, `${marks[status]}  ${name}: ${found} [${code}]`)
  if (advice !== null) output.say(`      ${advice}`)
}
